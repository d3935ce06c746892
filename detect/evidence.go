package detect

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"unicode"
	"unicode/utf8"
)

// MaxEvidenceText is the longest text of one piece of evidence, in bytes.
const MaxEvidenceText = 300

const (
	maxSamples = 2   // of a bundle, and one more for each crossing
	maxAccount = 100 // bytes of an account's name that are kept
)

// record is a line that is kept. Most are never asked for: what is made of a
// short line is made when somebody asks.
type record struct {
	Evidence
	raw     []byte
	account string
	about   uint64 // tells accounts apart, also where their names are not kept; 0 without one
}

const lazyLine = 512

func newRecord(s *Signal) *record {
	r := &record{Evidence: Evidence{Source: s.Source, Line: s.Line, Offset: s.Offset}}
	if len(s.Account) > 0 {
		r.account = printable(s.Account, maxAccount)
	}
	if r.raw = s.Raw; len(s.Raw) > lazyLine {
		r.make()
		return r
	}
	r.raw = append(make([]byte, 0, len(s.Raw)), s.Raw...)
	return r
}

// evidence is what is shown of the line.
func (r *record) evidence() Evidence {
	v := r.Evidence
	if v.Hash == "" {
		sum := sha256.Sum256(r.raw)
		v.Hash, v.Text = hex.EncodeToString(sum[:8]), printable(r.raw, MaxEvidenceText)
	}
	return v
}

// make has the evidence made once and for all.
func (r *record) make() { r.Evidence, r.raw = r.evidence(), nil }

// samples are the lines kept of a bundle.
type samples struct {
	n        int
	first    [maxSamples]*record
	crossing []crossingLine
}

type crossingLine struct {
	pair uint8
	line *record
}

// of returns the lines of one pair, oldest first: of its crossing there is one.
func (x *samples) of(pair uint8) (lines [maxSamples + 1]*record, n int) {
	n = copy(lines[:], x.first[:x.n])
	for _, c := range x.crossing {
		if c.pair == pair && !slices.Contains(lines[:n], c.line) {
			lines[n] = c.line
			n++
			break
		}
	}
	return lines, n
}

func (x *samples) each(visit func(*record)) {
	for _, r := range x.first[:x.n] {
		visit(r)
	}
	for _, c := range x.crossing {
		visit(c.line)
	}
}

// room finds or makes the samples of a bundle.
func (e *Engine) room(head uint32, crossing bool) *samples {
	x := e.samples[head]
	if x != nil {
		return x
	}
	limit := e.limits.MaxEvidence
	if !crossing {
		limit /= 2
	}
	if len(e.samples) >= limit {
		if crossing {
			e.stats.EvidenceDropped++
		}
		return nil
	}
	x = &samples{}
	e.samples[head] = x
	return x
}

// current is the record of the signal that is being observed.
func (e *Engine) current(s *Signal) *record {
	if e.line == nil {
		e.line = e.record(s)
	}
	return e.line
}

// sample keeps a signal's line for a bundle, and as the crossing of these pairs.
func (e *Engine) sample(head uint32, s *Signal, crossing uint32) {
	x := e.room(head, crossing != 0)
	if x == nil {
		return
	}
	if x.n < maxSamples {
		x.first[x.n] = e.current(s)
		x.n++
	}
	for j := uint8(0); crossing != 0; j, crossing = j+1, crossing>>1 {
		if crossing&1 != 0 {
			x.cross(j, e.current(s))
		}
	}
}

// cross keeps the line of a pair's crossing, unless there is one of before, when
// it was withheld.
func (x *samples) cross(pair uint8, line *record) {
	if !slices.ContainsFunc(x.crossing, func(c crossingLine) bool { return c.pair == pair }) {
		x.crossing = append(x.crossing, crossingLine{pair, line})
	}
}

// shareSamples lets a member show what was kept of its account, and its own line.
func (e *Engine) shareSamples(member, account uint32, s *Signal, crossing bool) {
	if !crossing && (e.pairs.at(member).count > 1 || e.samples[member] != nil) {
		return
	}
	x := e.room(member, crossing)
	if x == nil {
		return
	}
	if of := e.samples[account]; of != nil && x.n == 0 {
		x.first, x.n = of.first, of.n
	}
	if s != nil {
		x.cross(0, e.current(s))
	} else if own := e.ownLine(member, x); own != nil {
		x.cross(0, own)
	}
}

// ownLine finds a line that was kept of a member itself, about the account that x shows; nil
// if there is none. It is looked for among what counts no other signals than the member's
// rule, and at the moment of the detection: what was kept then is kept over a restart too.
func (e *Engine) ownLine(member uint32, x *samples) *record {
	p := e.pairs.at(member)
	of := e.rules[e.meters[p.meter].rule].Signals
	for i := range e.meters {
		m := &e.meters[i]
		if e.sizes[i] == 0 || m.part != ownPart && m.part != halfPart || slices.ContainsFunc(e.rules[m.rule].Signals, func(k Kind) bool { return !slices.Contains(of, k) }) {
			continue
		}
		head, ok := e.pairs.find(p.key, uint16(i))
		if !ok || e.samples[head] == nil || x.n == 0 {
			continue
		}
		own := e.samples[head]
		for _, line := range own.first[:own.n] {
			if line.about == x.first[0].about {
				return line
			}
		}
	}
	return nil
}

// plainText reports whether a line is nothing but printable ASCII.
func plainText(line []byte) bool {
	other := false
	for _, c := range line {
		other = other || c-' ' > '~'-' '
	}
	return !other
}

// printable returns line as text that cannot move a cursor, reorder a
// terminal's line or break a JSON encoder.
func printable(line []byte, most int) string {
	if len(line) <= most && plainText(line) {
		return string(line)
	}
	out := make([]byte, 0, min(len(line), most))
	for len(line) > 0 {
		r, n := utf8.DecodeRune(line)
		if (r == utf8.RuneError && n == 1) || !unicode.IsPrint(r) {
			r = '?'
		}
		if len(out)+utf8.RuneLen(r) > most {
			break
		}
		out = utf8.AppendRune(out, r)
		line = line[n:]
	}
	return string(out)
}
