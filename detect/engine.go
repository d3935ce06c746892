package detect

import (
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// Engine counts signals per rule and address in sliding windows of log time.
// Its memory is bounded by its Limits. Not safe for concurrent use.
type Engine struct {
	rules   []Rule
	wanting [kindCount][]uint16 // rules by kind
	limits  Limits
	longest int64 // the longest window, in microseconds

	pairs   pairs
	rings   rings
	samples map[uint32]*samples
	fresh   []uint32 // pairs that are unreported
	now     int64    // the latest signal's time
	barren  int64    // making room is no use before this time
	scratch []int64
	touched int64 // keeps the reads of warm from being optimized away

	byKind [kindCount]int64
	stats  Stats
}

// New returns an engine for rules. Errors name the rule.
func New(rules []Rule, limits Limits) (*Engine, error) {
	limits, err := limits.filled()
	if err != nil {
		return nil, err
	}
	if len(rules) >= markRule {
		return nil, fmt.Errorf("%d rules are too many", len(rules))
	}
	e := &Engine{limits: limits, rules: slices.Clone(rules)}
	seen := map[string]bool{}
	for i := range e.rules {
		r := &e.rules[i]
		if err := r.check(); err != nil {
			return nil, fmt.Errorf("detection %q: %w", r.Name, err)
		}
		if seen[r.Name] {
			return nil, fmt.Errorf("detection %q: two rules have this name", r.Name)
		}
		seen[r.Name] = true
		r.Signals = slices.Compact(slices.Sorted(slices.Values(r.Signals)))
		for _, k := range r.Signals {
			e.wanting[k] = append(e.wanting[k], uint16(i))
		}
		e.longest = max(e.longest, r.Within.Microseconds())
	}
	e.reset()
	return e, nil
}

func (e *Engine) reset() {
	e.pairs = newPairs()
	e.rings = rings{budget: max(8*e.limits.MaxSources, 1<<16)}
	e.samples = map[uint32]*samples{}
	e.fresh, e.now, e.barren = nil, 0, 0
}

// Observe takes one signal. Signals come in the order of the log; a clock that
// jumps back costs nothing but precision: a window is any set of the latest
// LegitimateThreshold signals that spans at most Within. An invalid signal is
// counted and otherwise ignored.
func (e *Engine) Observe(s Signal) { e.observe(&s) }

// ObserveAll takes signals in order; the same as Observe for each, and faster.
func (e *Engine) ObserveAll(signals []Signal) {
	for len(signals) > 0 {
		batch := signals[:min(len(signals), 64)]
		signals = signals[len(batch):]
		e.warm(batch)
		for i := range batch {
			e.observe(&batch[i])
		}
	}
}

// warm touches what the signals' pairs are found through. With many sources
// that is seldom in the processor's cache; here it is fetched for many signals
// at a time, instead of waiting for one after the other.
func (e *Engine) warm(batch []Signal) {
	var found [64]uint32
	for i := range batch {
		s := &batch[i]
		rule := uint16(markRule)
		if s.Kind.Valid() && !s.Kind.Success() && len(e.wanting[s.Kind]) > 0 {
			rule = e.wanting[s.Kind][0]
		}
		addr := s.Addr.As16()
		found[i] = e.pairs.peek(&addr, rule)
	}
	for i := range batch {
		if found[i] != 0 {
			if p := e.pairs.at(found[i] - 1); p.rule != markRule && p.ring.n > 0 {
				e.touched ^= e.rings.fromEnd(&p.ring, 1)
			}
		}
	}
}

func (e *Engine) observe(s *Signal) {
	if !s.Kind.Valid() || !s.Addr.IsValid() || s.Addr.Zone() != "" || !sane(s.Time) {
		e.stats.Invalid++
		return
	}
	t := s.Time.UnixMicro()
	e.now = max(e.now, t)
	e.byKind[s.Kind] += int64(s.Times())
	addr := s.Addr.As16()
	if s.Kind.Success() {
		e.mark(&addr, s.Kind, t)
		return
	}
	for _, rule := range e.wanting[s.Kind] {
		e.count(&addr, rule, t, s)
	}
}

// sane times are after 1970 and before 2200.
func sane(t time.Time) bool { return t.Unix() > 0 && t.Unix() < 7258118400 }

func (e *Engine) mark(addr *[16]byte, by Kind, t int64) {
	_, p := e.obtain(addr, markRule)
	if p == nil {
		e.stats.Untracked++
		return
	}
	p.last = max(p.last, t)
	p.legitBy = by
}

// obtain finds or makes a pair; nil if there is no room for it.
func (e *Engine) obtain(addr *[16]byte, rule uint16) (uint32, *pair) {
	if i, _, ok := e.pairs.find(addr, rule); ok {
		return i, e.pairs.at(i)
	}
	var r ring
	for tries := 0; ; tries++ {
		full := e.pairs.live >= e.limits.MaxSources
		if !full && rule != markRule {
			var ok bool
			r, ok = e.rings.take(0)
			full = !ok
		}
		if !full {
			break
		}
		if tries > 0 {
			return noPair, nil
		}
		e.makeRoom(noPair)
	}
	i, p := e.pairs.insert(addr, rule)
	p.ring = r
	return i, p
}

func (e *Engine) count(addr *[16]byte, rule uint16, t int64, s *Signal) {
	i, p := e.obtain(addr, rule)
	if p == nil {
		e.stats.Untracked++
		return
	}
	r := &e.rules[rule]
	n := s.Times()
	if p.count == 0 {
		p.first, p.last = t, t
	} else if e.rings.fromEnd(&p.ring, 1) > t {
		p.flags |= disordered
	}
	p.first, p.last = min(p.first, t), max(p.last, t)
	seldom := p.count < 2
	p.count = uint32(min(uint64(p.count)+uint64(n), 1<<32-1))
	p.flags |= active
	reached := 0
	for range min(n, r.legitimate()) {
		if !e.rings.push(&p.ring, t, r.legitimate()) {
			e.makeRoom(i)
			if !e.rings.push(&p.ring, t, r.legitimate()) {
				e.rings.push(&p.ring, t, int(p.ring.n)) // forgets the oldest arrival instead
			}
		}
		reached = max(reached, e.reached(p, t, r))
	}
	crossing := e.judge(p, t, r, reached)
	if seldom || crossing {
		e.sample(i, s, crossing)
	}
	if p.flags&crossed != 0 && p.flags&unreported == 0 {
		p.flags |= unreported
		e.fresh = append(e.fresh, i)
	}
}

// reached returns a number that is at least a threshold of r if the window
// with the newest arrival holds that many, and keeps the peak.
func (e *Engine) reached(p *pair, t int64, r *Rule) int {
	within := r.Within.Microseconds()
	if p.flags&disordered != 0 {
		largest, ordered, scratch := e.rings.largestWith(&p.ring, t, within, e.scratch)
		e.scratch = scratch
		if ordered {
			p.flags &^= disordered
		}
		p.ring.peak = max(p.ring.peak, uint16(largest))
		return largest
	}
	holds := func(k int) bool { return k <= int(p.ring.n) && t-e.rings.fromEnd(&p.ring, k) <= within }
	// One more arrival makes the largest window at most one larger.
	if holds(int(p.ring.peak) + 1) {
		p.ring.peak++
		return int(p.ring.peak)
	}
	for _, k := range [2]int{r.legitimate(), r.Threshold} {
		if holds(k) {
			return k
		}
	}
	return 0
}

// judge marks p as crossed or withheld and reports whether it is news.
func (e *Engine) judge(p *pair, t int64, r *Rule, reached int) bool {
	if reached < r.Threshold || p.flags&(crossed|withheld) == crossed {
		return false
	}
	hold := false
	if i, _, ok := e.pairs.find(&p.addr, markRule); ok {
		if m := e.pairs.at(i); t-m.last <= SuccessMemory.Microseconds() {
			p.legitAt, p.legitBy = uint32(m.last/1e6), m.legitBy
			hold = reached < r.legitimate()
		}
	}
	if hold && p.flags&crossed != 0 {
		return false
	}
	p.flags |= crossed
	p.flags &^= withheld
	if hold {
		p.flags |= withheld
	}
	p.crossed = t
	return true
}

func (e *Engine) sample(i uint32, s *Signal, crossing bool) {
	x := e.samples[i]
	if x == nil {
		limit := e.limits.MaxEvidence
		if !crossing {
			limit /= 2
		}
		if len(e.samples) >= limit {
			if crossing {
				e.stats.EvidenceDropped++
			}
			return
		}
		x = &samples{}
		e.samples[i] = x
	}
	x.add(s)
}

// Detections returns the detections that had a signal in this run (since New
// or UnmarshalBinary), sorted by CrossedAt, then address, then rule.
func (e *Engine) Detections() []Detection {
	var out []Detection
	for i := range e.pairs.all() {
		if e.pairs.at(i).flags&(crossed|active) == crossed|active {
			out = append(out, e.detection(i))
		}
	}
	sortDetections(out)
	return out
}

// Drain returns the detections that are new or went on since the last Drain
// (those as Continued), sorted like Detections.
func (e *Engine) Drain() []Detection {
	var out []Detection
	for _, i := range e.fresh {
		out = append(out, e.detection(i))
		p := e.pairs.at(i)
		p.flags = p.flags&^unreported | reported
	}
	e.fresh, e.barren = e.fresh[:0], 0
	sortDetections(out)
	return out
}

func (e *Engine) detection(i uint32) Detection {
	p := e.pairs.at(i)
	addr := netip.AddrFrom16(p.addr).Unmap()
	d := Detection{
		Rule:      e.rules[p.rule].Name,
		Prefix:    netip.PrefixFrom(addr, addr.BitLen()),
		Count:     int(p.count),
		Peak:      int(p.ring.peak),
		FirstSeen: time.UnixMicro(p.first).UTC(),
		LastSeen:  time.UnixMicro(p.last).UTC(),
		CrossedAt: time.UnixMicro(p.crossed).UTC(),
		Withheld:  p.flags&withheld != 0,
		Continued: p.flags&reported != 0,
	}
	if p.legitBy != 0 {
		d.Legitimate, d.LegitimateBy, d.LegitimateAt = true, p.legitBy, time.Unix(int64(p.legitAt), 0).UTC()
	}
	if x := e.samples[i]; x != nil {
		d.Evidence = slices.Clone(x.at[:x.n])
	}
	return d
}

// LastTime returns the latest signal's time, zero before the first one.
func (e *Engine) LastTime() time.Time {
	if e.now == 0 {
		return time.Time{}
	}
	return time.UnixMicro(e.now).UTC()
}
