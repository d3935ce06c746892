package detect

import "math/bits"

// tally counts a signal in a bundle of meters of one address. It returns which
// of them have detected it, and whether one of these acts.
func (e *Engine) tally(b bundle, key key, t int64, s *Signal, hint uint32) (detected uint32, acted bool) {
	head := e.obtain(b, key, s, hint)
	if head == noPair {
		return 0, false
	}
	meters := e.meters[b.first : b.first+uint16(b.n)]
	ps := e.pairs.bundle(head, b.n)[:len(meters)]
	n, named := s.Times(), len(s.Account) > 0
	seldom, sharing, crossing := false, uint32(0), uint32(0)
	for j := range meters {
		m, p := &meters[j], &ps[j]
		if m.distinct && !named {
			continue
		}
		seldom = seldom || p.count < 2
		e.stamp(p, t, n)
		switch {
		case !p.open(m):
		case !m.distinct:
			sharing |= 1 << j
		case e.crosses(p, m, t, e.arrive(head, p, m, t, e.itemOf(m, s), n)):
			crossing |= 1 << j
		}
	}
	if sharing != 0 {
		crossing |= e.arriveTogether(head, meters, ps, sharing, t, n)
	}
	for j := range ps {
		if p := &ps[j]; p.flags&crossed != 0 {
			detected |= 1 << j
			acted = acted || meters[j].acts
			if named || !meters[j].distinct {
				e.news(head+uint32(j), p)
			}
		}
	}
	if seldom || crossing != 0 {
		e.sample(head, s, crossing)
	}
	if crossing != 0 {
		e.suspect(key)
	}
	return detected, acted
}

// crosses reports whether so many in one window cross a threshold of p now.
func (e *Engine) crosses(p *pair, m *meter, t int64, reached int) bool {
	return reached >= m.need && e.judge(p, m, m.mark, t, reached)
}

// open reports whether another arrival can change anything.
func (p *pair) open(m *meter) bool {
	return p.flags&(crossed|withheld) != crossed || int(p.ring.peak) < m.limit
}

// most is how many of the latest arrivals in the ring that it looks into are p's.
func (p *pair) most(m *meter) int {
	if m.part == ownPart && !m.distinct {
		return int(min(p.count, uint32(m.limit)))
	}
	return m.limit
}

// arriveTogether puts n signals into the ring that the meters of sharing look into. It
// returns which of them cross a threshold now.
func (e *Engine) arriveTogether(head uint32, meters []meter, ps []pair, sharing uint32, t int64, n int) (crossing uint32) {
	lender := meters[bits.TrailingZeros32(sharing)].lends
	lent, limit := &ps[lender].ring, meters[lender].limit
	var reached [maxBundle]uint16
	for left := min(n, limit) - 1; left >= 0; left-- {
		if !e.rings.push(lent, t, e.now, limit) {
			e.makeRoom(head)
			if !e.rings.pushForgetting(lent, t, e.now, limit) {
				e.stats.Untracked++
				break
			}
		}
		for each := sharing; each != 0; each &= each - 1 {
			j := bits.TrailingZeros32(each)
			reached[j] = max(reached[j], uint16(e.reached(&ps[j], &meters[j], lent, int(ps[j].count)-left, t)))
		}
	}
	for each := sharing; each != 0; each &= each - 1 {
		j := bits.TrailingZeros32(each)
		if e.crosses(&ps[j], &meters[j], t, int(reached[j])) {
			crossing |= 1 << j
		}
	}
	return crossing
}

// stamp notes n signals at t.
func (e *Engine) stamp(p *pair, t int64, n int) {
	switch {
	case p.count == 0:
		p.first, p.last = t, t
	case t < p.last:
		p.first = min(p.first, t)
	default:
		p.last = t
	}
	p.count = uint32(min(uint64(p.count)+uint64(n), 1<<32-1))
	p.flags |= active
}

// news puts a detection on the list of the next drain.
func (e *Engine) news(i uint32, p *pair) {
	if p.flags&unreported == 0 {
		p.flags |= unreported
		e.fresh = append(e.fresh, i)
	}
}

// arrive puts n signals into a window. It returns a number that is at least a
// threshold of m if the window with the newest arrival holds that many, and
// keeps the peak.
func (e *Engine) arrive(head uint32, p *pair, m *meter, t, item int64, n int) (reached int) {
	if m.distinct {
		if !e.rings.touch(&p.ring, t, item, e.now, m.limit) {
			e.makeRoom(head)
			if !e.rings.touchForgetting(&p.ring, t, item, e.now, m.limit) {
				e.stats.Untracked++
				return 0
			}
		}
		return e.reached(p, m, &p.ring, m.limit, t)
	}
	for range min(n, m.limit) {
		if !e.rings.push(&p.ring, t, e.now, m.limit) {
			e.makeRoom(head)
			if !e.rings.pushForgetting(&p.ring, t, e.now, m.limit) {
				e.stats.Untracked++
				return reached
			}
		}
		reached = max(reached, e.reached(p, m, &p.ring, m.limit, t))
	}
	return reached
}
