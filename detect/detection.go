package detect

import (
	"cmp"
	"net/netip"
	"slices"
	"time"
)

// Detection is one rule's threshold that one source crossed, with what is
// known about it. Times are log time in UTC, to the microsecond.
type Detection struct {
	Rule    string
	Of      Subject
	Counted Measure
	// Prefix is the source: a /32, a /128 or /64, or a network. It is not valid
	// for a storm, which has no source.
	Prefix netip.Prefix
	// Account is the account that was attacked or used, where the rule is about
	// one. A stranger chose it; it is printable.
	Account string
	// Count is all signals of the rule by the source while it was tracked; for an
	// address that took part at an account, those while it was attacked.
	// Peak is the most that were in any window of what the rule counts, exact up
	// to the rule's legitimate threshold and not counted beyond it.
	Count int
	Peak  int
	// Threshold, LegitimateThreshold and Within are the rule's.
	Threshold, LegitimateThreshold int
	Within                         time.Duration
	// Members is the most different addresses of a network or /64 in any window.
	Members int
	// FirstSeen and LastSeen are the earliest and latest signal; CrossedAt is
	// the signal that crossed the threshold which applied to the source.
	FirstSeen, LastSeen, CrossedAt time.Time
	// Legitimate says that the source had a success (LegitimateBy, the latest
	// one at LegitimateAt, a whole second) in the 24 hours before it crossed; a
	// network, a /64 and who took part at an account also after.
	Legitimate   bool
	LegitimateBy Kind
	LegitimateAt time.Time
	// Withheld says that the source crossed the threshold but, being
	// legitimate, not the legitimate threshold: nothing to act on yet.
	Withheld bool
	// Continued says that this detection was reported before, by an earlier
	// drain or an earlier run, and went on since.
	Continued bool
	// Score says how bad it is.
	Score Score
	// Evidence is up to 3 of the lines: the first two signals and the crossing. Of who took part
	// at an account these are the account's first two, and its own if one was kept.
	Evidence []Evidence
}

// Score is Count×Weight, divided by 4 for a success and by 4 for a source that
// was declared good, at least 1.
type Score struct {
	Total         int
	Count, Weight int
	Success       bool // a legitimate source
	Known         bool // overlaps what Engine.Know was told
}

func (s *Score) total() {
	s.Total = s.Count * s.Weight
	for _, good := range []bool{s.Success, s.Known} {
		if good {
			s.Total /= 4
		}
	}
	s.Total = max(1, s.Total)
}

// Evidence says where one log line is and what it said.
type Evidence struct {
	Source string
	// File is the source's, where Source is not its path. The engine leaves it empty.
	File string
	// Line counts from 1, Offset is in bytes from the start of the source.
	Line   int64
	Offset int64
	// Hash is the first 16 hex digits of the line's SHA-256, without newline.
	Hash string
	// Text is the line, at most MaxEvidenceText bytes of valid UTF-8, what is
	// not printable replaced by '?'. It is still text that a stranger chose.
	Text string
}

// Found is detections that are put together when they are asked for. It is valid until
// its engine takes the next signal; several goroutines may ask for different ones at once.
type Found struct {
	engine *Engine
	pairs  []uint32
}

// Len is how many there are.
func (f Found) Len() int { return len(f.pairs) }

// At returns one, from 0 to Len-1.
func (f Found) At(i int) Detection {
	d := f.Bare(i)
	if lines := f.engine.lines(f.pairs[i]); len(lines) > 0 {
		d.Evidence = make([]Evidence, len(lines))
		for j, line := range lines {
			d.Evidence[j] = line.evidence()
		}
	}
	return d
}

// Bare is At without the evidence, which takes longer than all else.
func (f Found) Bare(i int) Detection {
	d := f.engine.detection(f.pairs[i])
	if d.Of == OfAccount {
		for _, line := range f.engine.lines(f.pairs[i]) {
			d.Account = line.account
		}
	}
	return d
}

func (f Found) all() []Detection {
	if f.Len() == 0 {
		return nil
	}
	out := make([]Detection, f.Len())
	for i := range out {
		out[i] = f.At(i)
	}
	return out
}

// Detections returns all that Found has.
func (e *Engine) Detections() []Detection { return e.Found().all() }

// Found returns the detections that had a signal in this run (since New
// or UnmarshalBinary), sorted by CrossedAt, then address, then rule.
func (e *Engine) Found() Found {
	var found []uint32
	for i := range e.pairs.all() {
		if p := e.pairs.at(i); p.flags&(crossed|active) == crossed|active && p.meter < markLow && e.meters[p.meter].part != accountPart {
			found = append(found, i)
		}
	}
	return e.sorted(found)
}

// Drain returns the detections that are new or went on since the last Drain
// (those as Continued), sorted like Detections. It forgets what no window can need any
// more, also what had been detected, as saving the state does: who comes back later
// begins anew, whether the engine went on or was restarted.
func (e *Engine) Drain() []Detection {
	out := e.sorted(e.fresh).all()
	for _, i := range e.fresh {
		p := e.pairs.at(i)
		p.flags = p.flags&^unreported | reported
	}
	e.fresh, e.barren, e.stuck = e.fresh[:0], 0, patience{}
	e.forget()
	return out
}

// Pending is how many detections the next Drain returns.
func (e *Engine) Pending() int { return len(e.fresh) }

// sorted sorts pairs that were detected.
func (e *Engine) sorted(found []uint32) Found {
	slices.SortFunc(found, func(i, j uint32) int {
		a, b := e.pairs.at(i), e.pairs.at(j)
		if c := cmp.Compare(a.crossed, b.crossed); c != 0 {
			return c
		}
		if c := e.prefix(a).Addr().Compare(e.prefix(b).Addr()); c != 0 {
			return c
		}
		return cmp.Or(cmp.Compare(e.rules[e.meters[a.meter].rule].Name, e.rules[e.meters[b.meter].rule].Name), cmp.Compare(e.prefix(a).Bits(), e.prefix(b).Bits()))
	})
	return Found{e, found}
}

// prefix is what a pair that was detected stands for.
func (e *Engine) prefix(p *pair) netip.Prefix {
	m := &e.meters[p.meter]
	switch m.part {
	case halfPart:
		return prefix(p.key, 32, 64)
	case networkPart:
		l := e.levels[markLevel-m.mark]
		return prefix(p.key, l.ipv4, l.ipv6)
	case memberPart:
		if !m.bare {
			return prefix(p.key, 32, 64)
		}
	case sitePart:
		return netip.Prefix{}
	}
	return prefix(p.key, 32, 128)
}

func (e *Engine) detection(i uint32) Detection {
	p := e.pairs.at(i)
	m := &e.meters[p.meter]
	r := &e.rules[m.rule]
	d := Detection{
		Rule:      r.Name,
		Of:        r.Of,
		Counted:   r.Count,
		Prefix:    e.prefix(p),
		Count:     int(p.count),
		Peak:      int(p.ring.peak),
		Threshold: r.Threshold, LegitimateThreshold: r.legitimate(), Within: r.Within,
		FirstSeen: time.UnixMicro(p.first).UTC(),
		LastSeen:  time.UnixMicro(p.last).UTC(),
		CrossedAt: time.UnixMicro(p.crossed).UTC(),
		Withheld:  p.flags&withheld != 0,
		Continued: p.flags&reported != 0,
	}
	switch m.part {
	case halfPart, networkPart:
		d.Members = int(e.pairs.at(i + 1).ring.peak)
		fallthrough
	case memberPart:
		e.embarrass(p, m, r, &d)
	}
	if p.legitBy != 0 {
		d.Legitimate, d.LegitimateBy, d.LegitimateAt = true, p.legitBy, time.Unix(int64(p.legitAt), 0).UTC()
	}
	known := d.Prefix.IsValid() && slices.ContainsFunc(e.known, d.Prefix.Overlaps)
	d.Score = Score{Count: d.Count, Weight: r.weight(), Success: d.Legitimate, Known: known}
	d.Score.total()
	return d
}

// lines are those that were kept of a pair, oldest first.
func (e *Engine) lines(i uint32) []*record {
	p := e.pairs.at(i)
	head := e.headOf(p.meter)
	x := e.samples[i-uint32(p.meter-head)]
	if x == nil {
		return nil
	}
	lines, n := x.of(uint8(p.meter - head))
	return lines[:n]
}

// embarrass withholds what was detected together with others, a network or /64
// with a member, or somebody at an account, that had a success meanwhile.
func (e *Engine) embarrass(p *pair, m *meter, r *Rule, d *Detection) {
	if m.bare {
		return
	}
	if (r.LegitimateThreshold > 0 || r.Of == OfAddress) && int(p.ring.peak) >= r.legitimate() {
		return
	}
	mark := m.mark
	if m.part == memberPart && !d.Prefix.IsSingleIP() {
		mark = markHalf
	}
	if e.vouched(p, m, mark, p.crossed) {
		d.Withheld = true
	}
}
