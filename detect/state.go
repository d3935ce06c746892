package detect

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
)

// The state of an engine, version 2: magic, the seed, the rules' fingerprints, the
// log time, the sketch if there is one, the phases, the lines kept, the pairs worth keeping,
// CRC-32. Numbers are varints. A pair names its rule and its part of it, not its
// meter, so that rules may come and go.
const (
	stateMagic    = "fwsync-detect/2\n"
	maxStateRules = 1 << 12
)

// MarshalBinary returns what the next run needs to read on as if there had
// been one run: counters and success marks that a window or memory can still
// need, relative to the latest signal's time.
func (e *Engine) MarshalBinary() ([]byte, error) {
	w := stateWriter{out: []byte(stateMagic)}
	w.uint(e.seed[0])
	w.uint(e.seed[1])
	w.uint(uint64(len(e.rules)))
	for i := range e.rules {
		w.string(e.fingerprint(&e.rules[i]))
	}
	w.int(e.now)
	w.bool(e.sketch != nil)
	if e.sketch != nil {
		e.sketch.write(&w)
	}
	e.phases.write(&w, e.names)
	var kept []uint32
	lines := map[*record]uint64{}
	var order []*record
	for i := range e.heads() {
		if e.stale(i) {
			continue
		}
		kept = append(kept, i)
		if x := e.samples[i]; x != nil {
			x.each(func(r *record) {
				if _, again := lines[r]; !again {
					lines[r] = uint64(len(order))
					order = append(order, r)
				}
			})
		}
	}
	w.uint(uint64(len(order)))
	for _, r := range order {
		r.make()
		v := r.Evidence
		w.string(v.Source)
		w.int(v.Line)
		w.int(v.Offset)
		w.string(v.Hash)
		w.string(v.Text)
		w.string(r.account)
	}
	w.uint(uint64(len(kept)))
	for _, i := range kept {
		e.writeBundle(&w, i, lines)
	}
	return binary.BigEndian.AppendUint32(w.out, crc32.ChecksumIEEE(w.out)), nil
}

func (e *Engine) writeBundle(w *stateWriter, i uint32, lines map[*record]uint64) {
	ps := e.bundleAt(i)
	bytes := ps[0].key.bytes()
	w.out = append(w.out, bytes[:]...)
	if ps[0].meter >= markLow {
		w.uint(0)
		mark := ps[0].meter
		if l := markLevel - int(mark); l >= 0 {
			w.uint(2)
			w.uint(uint64(e.levels[l].ipv4))
			w.uint(uint64(e.levels[l].ipv6))
		} else {
			w.uint(uint64(markAddress - mark))
		}
		w.out = append(w.out, ps[0].flags&hostile, byte(ps[0].legitBy))
		w.int(ps[0].last)
		return
	}
	w.uint(uint64(len(ps)))
	for j := range ps {
		e.writePair(w, &ps[j], &ps[e.meters[ps[j].meter].lender(j)].ring)
	}
	x := e.samples[i]
	if x == nil {
		x = &samples{}
	}
	w.uint(uint64(x.n))
	for _, r := range x.first[:x.n] {
		w.uint(lines[r])
	}
	w.uint(uint64(len(x.crossing)))
	for _, c := range x.crossing {
		w.uint(uint64(c.pair))
		w.uint(lines[c.line])
	}
}

func (e *Engine) writePair(w *stateWriter, p *pair, lent *ring) {
	m := &e.meters[p.meter]
	w.uint(uint64(m.rule))
	kind := byte(m.part)
	if m.distinct {
		kind |= distinctBit
	}
	w.out = append(w.out, kind, p.flags&(crossed|withheld), byte(p.legitBy))
	w.uint(uint64(p.count))
	if p.count == 0 {
		return
	}
	w.int(p.last)
	w.int(p.first)
	w.int(p.crossed)
	w.uint(uint64(p.legitAt))
	w.uint(uint64(p.ring.peak))
	e.scratch = e.rings.copyOut(lent, m.distinct, p.most(m), e.scratch[:0])
	w.uint(uint64(len(e.scratch)))
	before := p.first
	for k, t := range e.scratch {
		w.int(t - before)
		before = t
		if m.distinct {
			w.uint(uint64(e.rings.slice(lent)[2*k+1]))
		}
	}
}

// UnmarshalBinary replaces what the engine tracks by a state that MarshalBinary
// returned. Counters of rules that are gone or were changed since are left out,
// and so is what exceeds the limits. After an error the engine tracks nothing.
// Figures (Stats) start at zero; detections of the state are not reported
// again before they have new signals.
func (e *Engine) UnmarshalBinary(state []byte) error {
	e.reset(newSeed(e.limits.Seed))
	e.stats, e.byKind = Stats{}, [kindCount]int64{}
	if err := e.readState(state); err != nil {
		e.reset(newSeed(e.limits.Seed))
		return fmt.Errorf("reading detection state: %w", err)
	}
	return nil
}

func (e *Engine) readState(state []byte) error {
	n := len(state) - 4
	if n < len(stateMagic) || string(state[:len(stateMagic)]) != stateMagic {
		return errors.New("this is not a detection state of version 2")
	}
	if crc32.ChecksumIEEE(state[:n]) != binary.BigEndian.Uint32(state[n:]) {
		return errors.New("checksum differs, the state is damaged")
	}
	r := stateReader{in: state[len(stateMagic):n]}
	e.reset(seed{r.uint(1<<64 - 1), r.uint(1<<64 - 1)})
	rules := make([]int, r.uint(maxStateRules))
	for i := range rules {
		rules[i] = -1
		f := r.string()
		for j := range e.rules {
			if e.fingerprint(&e.rules[j]) == f {
				rules[i] = j
			}
		}
	}
	e.now = r.int()
	if r.bool() {
		e.sketch = newSketch(e.limits.MaxSources)
		e.sketch.read(&r)
	}
	e.phases.read(&r, e.names)
	var lines []*record
	for range r.uint(1 << 32) {
		if r.err != nil {
			break
		}
		line := Evidence{Source: r.string(), Line: r.int(), Offset: r.int(), Hash: r.string(), Text: r.string()}
		lines = append(lines, e.recalled(line, r.string()))
	}
	for range r.uint(1 << 32) {
		if r.err != nil {
			break
		}
		e.readBundle(&r, rules, lines)
	}
	if r.err == nil && len(r.in) > 0 {
		r.err = fmt.Errorf("%d bytes are left over", len(r.in))
	}
	return r.err
}

func (e *Engine) readBundle(r *stateReader, rules []int, lines []*record) {
	var bytes [16]byte
	copy(bytes[:], r.bytes(16))
	key := keyFrom(bytes)
	n := r.uint(maxBundle)
	if n == 0 {
		e.readMark(r, key)
		return
	}
	head, base := noPair, uint16(0)
	restored := 0
	var places [maxBundle]int // in the bundle now; -1: gone
	for j := range n {
		p, times, items := e.readPair(r, rules)
		places[j] = -1
		if r.err != nil {
			return
		}
		if p == nil {
			continue
		}
		if head == noPair {
			base = e.headOf(p.meter)
			if _, known := e.pairs.find(key, base); known || e.pairs.live+int(e.sizes[base]) > e.limits.MaxSources {
				continue
			}
			head = e.pairs.insert(key, base)
		}
		if e.headOf(p.meter) != base {
			continue // the rules were put together in another way
		}
		places[j] = int(p.meter - base)
		restored++
		lent := head + uint32(e.meters[p.meter].lender(places[j]))
		e.restore(e.pairs.at(head+uint32(places[j])), p, e.pairs.at(lent), times, items)
	}
	x := &samples{}
	for range r.uint(maxSamples) {
		if i := r.uint(1 << 32); i < uint64(len(lines)) {
			x.first[x.n] = lines[i]
			x.n++
		}
	}
	for range r.uint(maxBundle) {
		pair, i := r.uint(maxBundle-1), r.uint(1<<32)
		if i < uint64(len(lines)) && pair < n && places[pair] >= 0 {
			x.crossing = append(x.crossing, crossingLine{uint8(places[pair]), lines[i]})
		}
	}
	if restored > 0 && x.n+len(x.crossing) > 0 && len(e.samples) < e.limits.MaxEvidence {
		e.samples[head] = x
	}
}

func (e *Engine) readMark(r *stateReader, key key) {
	mark, known := uint16(markAddress), true
	switch r.uint(2) {
	case 1:
		mark = markHalf
	case 2:
		l := level{int(r.uint(32)), int(r.uint(64))}
		at := slices.Index(e.levels, l)
		mark, known = markLevel-uint16(max(at, 0)), at >= 0
	}
	b := r.bytes(2)
	last := r.int()
	if r.err != nil || !Kind(b[1]).Valid() {
		r.fail("a success is damaged")
		return
	}
	if _, again := e.pairs.find(key, mark); again || !known || e.pairs.live >= e.limits.MaxSources {
		return
	}
	p := e.pairs.at(e.pairs.insert(key, mark))
	p.flags |= b[0] & hostile
	p.legitBy, p.last = Kind(b[1]), last
}

// readPair returns nil for a pair of a rule that is gone, or that has counted nothing.
func (e *Engine) readPair(r *stateReader, rules []int) (p *pair, times, items []int64) {
	rule := int(r.uint(1 << 16))
	b := r.bytes(3)
	count := r.uint(1<<32 - 1)
	if r.err != nil || rule >= len(rules) || b[2] != 0 && !Kind(b[2]).Valid() {
		r.fail("a counter is damaged")
		return nil, nil, nil
	}
	if count == 0 {
		return nil, nil, nil
	}
	p = &pair{flags: b[1] & (crossed | withheld), legitBy: Kind(b[2]), count: uint32(count)}
	p.last, p.first, p.crossed, p.legitAt = r.int(), r.int(), r.int(), uint32(r.uint(1<<32-1))
	p.ring.peak = uint16(r.uint(4 * MaxThreshold))
	distinct := b[0]&distinctBit != 0
	before := p.first
	for range r.uint(4 * MaxThreshold) {
		before += r.int()
		times = append(times, before)
		if distinct {
			items = append(items, int64(r.uint(1<<64-1)))
		}
		if r.err != nil {
			return nil, nil, nil
		}
	}
	j := rules[rule]
	if j < 0 {
		return nil, nil, nil
	}
	meter, known := e.meterOf(j, part(b[0]&^distinctBit))
	if !known || e.meters[meter].distinct != distinct {
		return nil, nil, nil
	}
	p.meter = meter
	return p, times, items
}

const distinctBit = 0x80

// restore sets p to what was saved; its arrivals go into the ring of lent, which is p but
// where others share it: then those of the one that has the most are all that there are,
// which need not be the one that looks back farthest, if that one was acquitted.
func (e *Engine) restore(p, from, lent *pair, times, items []int64) {
	m := &e.meters[p.meter]
	ring, limit := &lent.ring, e.meters[lent.meter].limit
	fill := len(times) > int(ring.n)
	if fill {
		peak := ring.peak
		e.rings.release(ring)
		ring.peak = peak
	}
	p.first, p.last, p.crossed, p.count, p.legitAt, p.legitBy = from.first, from.last, from.crossed, from.count, from.legitAt, from.legitBy
	p.flags |= from.flags
	for i, t := range times {
		if i > 0 && t < times[i-1] {
			p.flags |= disordered
		}
		switch {
		case !fill:
		case m.distinct:
			fill = e.rings.touch(ring, t, items[i], limit) || ring.n > 0 && e.rings.touch(ring, t, items[i], int(ring.n))
		default:
			fill = e.rings.push(ring, t, limit) || ring.n > 0 && e.rings.push(ring, t, int(ring.n))
		}
	}
	p.ring.peak = from.ring.peak
	if p.flags&crossed != 0 {
		p.flags |= reported
	}
}

type stateWriter struct{ out []byte }

func (w *stateWriter) uint(v uint64) { w.out = binary.AppendUvarint(w.out, v) }
func (w *stateWriter) int(v int64)   { w.out = binary.AppendVarint(w.out, v) }
func (w *stateWriter) bool(v bool) {
	w.uint(0)
	if v {
		w.out[len(w.out)-1] = 1
	}
}
func (w *stateWriter) string(s string) {
	w.uint(uint64(len(s)))
	w.out = append(w.out, s...)
}

// stateReader reads zeros after its first error.
type stateReader struct {
	in  []byte
	err error
}

func (r *stateReader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
	r.in = nil
}

func (r *stateReader) uint(most uint64) uint64 {
	v, n := binary.Uvarint(r.in)
	if n <= 0 || v > most {
		r.fail("a number is damaged")
		return 0
	}
	r.in = r.in[n:]
	return v
}

func (r *stateReader) int() int64 {
	v, n := binary.Varint(r.in)
	if n <= 0 {
		r.fail("a number is damaged")
		return 0
	}
	r.in = r.in[n:]
	return v
}

func (r *stateReader) bool() bool { return r.uint(1) == 1 }

func (r *stateReader) bytes(n uint64) []byte {
	if uint64(len(r.in)) < n {
		r.fail("the state ends too early")
		return nil
	}
	out := r.in[:n]
	r.in = r.in[n:]
	return out
}

func (r *stateReader) string() string { return string(r.bytes(r.uint(1 << 16))) }
