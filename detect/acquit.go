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
	addr, before := source.Addr().As16(), until.UnixMicro()
	for i := range e.meters {
		m := &e.meters[i]
		if rule != "" && e.rules[m.rule].Name != rule {
			continue
		}
		at, ok := e.pairOf(uint16(i), &addr)
		if !ok || m.part == membersPart || e.prefix(e.pairs.at(at)) != source {
			continue
		}
		p := e.pairs.at(at)
		if p.flags&crossed == 0 || p.crossed > before {
			continue
		}
		e.begin(p, m, before)
		if m.part == networkPart || m.part == halfPart {
			e.begin(e.pairs.at(at+1), &e.meters[i+1], before)
		}
		e.fresh = slices.DeleteFunc(e.fresh, func(f uint32) bool { return f == at })
		e.unsample(at, uint8(uint16(i)-e.headOf(uint16(i))))
	}
	if mark, ok := e.pairs.find(&addr, markAddress); ok && !e.detected(&addr) {
		e.pairs.at(mark).flags &^= hostile
	}
}

// pairOf finds what a meter has counted of an address.
func (e *Engine) pairOf(meter uint16, addr *[16]byte) (uint32, bool) {
	m, key := &e.meters[meter], *addr
	switch m.part {
	case halfPart:
		if isV4(addr) {
			return 0, false
		}
		key = half(addr)
	case networkPart:
		key = e.levels[markLevel-m.mark].network(addr)
	case memberPart:
		if !m.bare {
			key = address(unit(addr))
		}
	case membersPart:
		return e.pairOf(meter-1, addr)
	case accountPart, sitePart:
		return 0, false
	}
	head := e.headOf(meter)
	i, ok := e.pairs.find(&key, head)
	return i + uint32(meter-head), ok
}

// begin forgets what a pair counted up to a time.
func (e *Engine) begin(p *pair, m *meter, before int64) {
	var kept [][2]int64
	if p.ring.n > 0 {
		s := e.rings.slice(&p.ring)
		for i := range int(p.ring.n) {
			entry := [2]int64{s[(int(p.ring.head)+i)&(len(s)-1)], 0}
			if m.distinct {
				entry = [2]int64{s[2*i], s[2*i+1]}
			}
			if entry[0] > before {
				kept = append(kept, entry)
			}
		}
	}
	e.rings.release(&p.ring)
	p.flags &^= crossed | withheld | disordered | unreported | reported
	p.ring.peak = 0
	p.count, p.first, p.last, p.crossed, p.legitBy, p.legitAt = 0, 0, 0, 0, 0, 0
	for _, entry := range kept {
		e.stamp(p, entry[0], 1)
		room := false
		if m.distinct {
			room = e.rings.touch(&p.ring, entry[0], entry[1], m.limit)
		} else {
			room = e.rings.push(&p.ring, entry[0], m.limit)
		}
		if room {
			e.reached(p, m, entry[0])
		}
	}
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
