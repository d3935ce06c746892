package detect

import (
	"net/netip"
	"slices"
	"time"
)

// Acquit lets a rule count anew against a source that it detected at until or before:
// its block is over, or a person took it back. What came later still counts. The empty
// name stands for every rule. It belongs between a drain and the next signal.
func (e *Engine) Acquit(rule string, source netip.Prefix, until time.Time) {
	if !source.IsValid() {
		return
	}
	addr, before := keyOf(source.Addr()), until.UnixMicro()
	for i := range e.meters {
		m := &e.meters[i]
		if rule != "" && e.rules[m.rule].Name != rule {
			continue
		}
		at, ok := e.pairOf(uint16(i), addr)
		if !ok || m.part == membersPart || e.prefix(e.pairs.at(at)) != source {
			continue
		}
		p := e.pairs.at(at)
		if p.flags&crossed == 0 || p.crossed > before {
			continue
		}
		e.begin(at, before)
		if m.part == networkPart || m.part == halfPart {
			e.begin(at+1, before)
		}
		e.fresh = slices.DeleteFunc(e.fresh, func(f uint32) bool { return f == at })
		e.unsample(at, uint8(uint16(i)-e.headOf(uint16(i))))
	}
	if mark, ok := e.pairs.find(addr, markAddress); ok && !e.detected(addr) {
		e.pairs.at(mark).flags &^= hostile
	}
}

// pairOf finds what a meter has counted of an address.
func (e *Engine) pairOf(meter uint16, addr key) (uint32, bool) {
	m, key := &e.meters[meter], addr
	switch m.part {
	case halfPart:
		if addr.isV4() {
			return 0, false
		}
		key = addr.half()
	case networkPart:
		key = e.levels[markLevel-m.mark].network(addr)
	case memberPart:
		if !m.bare {
			key = address(addr.unit())
		}
	case membersPart:
		return e.pairOf(meter-1, addr)
	case accountPart, sitePart:
		return 0, false
	}
	head := e.headOf(meter)
	i, ok := e.pairs.find(key, head)
	return i + uint32(meter-head), ok
}

// lent is the ring that a pair looks into.
func (e *Engine) lent(pair uint32) *ring {
	meter := e.pairs.at(pair).meter
	place := int(meter - e.headOf(meter))
	return &e.pairs.at(pair + uint32(e.meters[meter].lender(place)) - uint32(place)).ring
}

// begin forgets what a pair counted up to a time. A ring that others look into stays as
// it is: the pair's count says how much of it is still its own.
func (e *Engine) begin(pair uint32, before int64) {
	p := e.pairs.at(pair)
	m, lent := &e.meters[p.meter], e.lent(pair)
	var kept [][2]int64
	for i, t := range e.rings.copyOut(lent, m.distinct, p.most(m), nil) {
		if t > before {
			item := int64(0)
			if m.distinct {
				item = e.rings.slice(lent)[2*i+1]
			}
			kept = append(kept, [2]int64{t, item})
		}
	}
	p.flags &^= crossed | withheld | unreported | reported
	p.ring.peak = 0
	p.count, p.first, p.last, p.crossed, p.legitBy, p.legitAt = 0, 0, 0, 0, 0, 0
	if m.part == ownPart && !m.distinct {
		var times []int64
		for _, entry := range kept {
			e.stamp(p, entry[0], 1)
			times = append(times, entry[0])
		}
		p.ring.peak = uint16(min(largest(times, m.within), m.limit))
		return
	}
	e.rings.release(&p.ring)
	for _, entry := range kept {
		e.stamp(p, entry[0], 1)
		room := false
		if m.distinct {
			room = e.rings.touch(&p.ring, entry[0], entry[1], e.now, m.limit)
		} else {
			room = e.rings.push(&p.ring, entry[0], e.now, m.limit)
		}
		if room {
			e.reached(p, m, &p.ring, m.limit, entry[0])
		}
	}
}

// largest is the size of the largest set of times that spans at most within.
func largest(times []int64, within int64) (most int) {
	slices.Sort(times)
	from := 0
	for to, last := range times {
		for last-times[from] > within {
			from++
		}
		most = max(most, to-from+1)
	}
	return most
}

// unsample forgets the line of a pair's crossing, and all lines of a bundle that counts
// nothing any more.
func (e *Engine) unsample(at uint32, place uint8) {
	head := at - uint32(place)
	x := e.samples[head]
	if x == nil {
		return
	}
	x.crossing = slices.DeleteFunc(x.crossing, func(c crossingLine) bool { return c.pair == place })
	for _, p := range e.bundleAt(head) {
		if p.count > 0 {
			return
		}
	}
	delete(e.samples, head)
}
