package detect

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
)

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
		switch {
		case !fill:
		case m.distinct:
			fill = e.rings.touchForgetting(ring, t, items[i], e.now, limit)
		default:
			fill = e.rings.pushForgetting(ring, t, e.now, limit)
		}
	}
	p.ring.peak = from.ring.peak
	if p.flags&crossed != 0 {
		p.flags |= reported
	}
}
