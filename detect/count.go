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
	ps := e.pairs.bundle(head, b.n)
	seldom, crossing := false, uint32(0)
	n := s.Times()
	var reached [maxBundle]int
	sharing := uint32(0)
	for j := range ps {
		m, p := &meters[j], &ps[j]
		if m.distinct && len(s.Account) == 0 {
			continue
		}
		seldom = seldom || p.count < 2
		e.stamp(p, t, n)
		switch {
		case !p.open(m):
		case m.distinct:
			reached[j] = e.arrive(head, p, m, t, e.itemOf(m, s), n)
		default:
			sharing |= 1 << j
		}
	}
	if sharing != 0 {
		e.arriveTogether(head, meters, ps, sharing, t, n, &reached)
	}
	for j := range ps {
		m, p := &meters[j], &ps[j]
		if reached[j] >= m.need && e.judge(p, m, m.mark, t, reached[j]) {
			crossing |= 1 << j
		}
		if m.distinct && len(s.Account) == 0 {
			if p.flags&crossed != 0 {
				detected |= 1 << j
				acted = acted || m.acts
			}
			continue
		}
		if p.flags&crossed != 0 {
			detected |= 1 << j
			acted = acted || m.acts
			e.news(head+uint32(j), p)
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

// arriveTogether puts n signals into the ring that the meters of sharing look into, and
// sets for each what arrive returns.
func (e *Engine) arriveTogether(head uint32, meters []meter, ps []pair, sharing uint32, t int64, n int, reached *[maxBundle]int) {
	far := meters[bits.TrailingZeros32(sharing)].lends
	lent := &ps[far].ring
	for left := min(n, meters[far].limit) - 1; left >= 0; left-- {
		if !e.rings.push(lent, t, meters[far].limit) {
			e.makeRoom(head)
			// Without room the oldest arrival is forgotten instead.
			if !e.rings.push(lent, t, meters[far].limit) && (lent.n == 0 || !e.rings.push(lent, t, int(lent.n))) {
				e.stats.Untracked++
				return
			}
		}
		for each := sharing; each != 0; each &= each - 1 {
			j := bits.TrailingZeros32(each)
			reached[j] = max(reached[j], e.reached(&ps[j], &meters[j], lent, int(ps[j].count)-left, t))
		}
	}
}

// stamp notes n signals at t.
func (e *Engine) stamp(p *pair, t int64, n int) {
	switch {
	case p.count == 0:
		p.first, p.last = t, t
	case t < p.last:
		p.flags |= disordered
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

// suspect marks an address that was detected: its successes are no good news.
func (e *Engine) suspect(addr key) {
	if i, ok := e.pairs.find(addr, markAddress); ok && e.detected(addr) {
		e.pairs.at(i).flags |= hostile
	}
}

// arrive puts n signals into a window. It returns a number that is at least a
// threshold of m if the window with the newest arrival holds that many, and
// keeps the peak.
func (e *Engine) arrive(head uint32, p *pair, m *meter, t, item int64, n int) (reached int) {
	if m.distinct {
		if !e.rings.touch(&p.ring, t, item, m.limit) {
			e.makeRoom(head)
			if !e.rings.touch(&p.ring, t, item, m.limit) && (p.ring.n == 0 || !e.rings.touch(&p.ring, t, item, int(p.ring.n))) {
				e.stats.Untracked++
				return 0
			}
		}
		return e.reached(p, m, &p.ring, m.limit, t)
	}
	for range min(n, m.limit) {
		if !e.rings.push(&p.ring, t, m.limit) {
			e.makeRoom(head)
			// Without room the oldest arrival is forgotten instead.
			if !e.rings.push(&p.ring, t, m.limit) && (p.ring.n == 0 || !e.rings.push(&p.ring, t, int(p.ring.n))) {
				e.stats.Untracked++
				return reached
			}
		}
		reached = max(reached, e.reached(p, m, &p.ring, m.limit, t))
	}
	return reached
}

// reached is what arrive returns of the newest arrival of a ring, of which only the latest
// so many are p's.
func (e *Engine) reached(p *pair, m *meter, r *ring, own int, t int64) int {
	if p.flags&disordered != 0 {
		largest, ordered, scratch := e.rings.largestWith(r, m.distinct, min(own, m.limit), t, m.within, e.scratch)
		e.scratch = scratch
		if ordered {
			p.flags &^= disordered
		}
		p.ring.peak = max(p.ring.peak, uint16(largest))
		return largest
	}
	// One more arrival makes the largest window at most one larger, and none that
	// is larger than the largest can hold.
	peak := int(p.ring.peak)
	if peak < min(own, m.limit) && e.holds(p, m, r, t, peak+1) {
		p.ring.peak++
		return peak + 1
	}
	if peak >= m.limit && own >= m.limit && e.holds(p, m, r, t, m.limit) {
		return m.limit
	}
	if p.flags&(crossed|withheld) == crossed && m.part != networkPart && m.part != halfPart && m.part != sitePart {
		return 0 // nobody asks any more
	}
	if peak >= m.need && own >= m.need && e.holds(p, m, r, t, m.need) {
		return m.need
	}
	return 0
}

// holds reports whether the latest k arrivals lie in the window that ends with t.
func (e *Engine) holds(p *pair, m *meter, r *ring, t int64, k int) bool {
	if k >= int(r.n) {
		if k > int(r.n) {
			return false
		}
		if m.part == ownPart && !m.distinct && uint32(k) == p.count {
			return t-p.first <= m.within // all there ever were: the oldest need not be fetched
		}
	}
	return t-e.rings.fromEnd(r, m.distinct, k) <= m.within
}

// judge marks p as crossed or withheld and reports whether it is news.
func (e *Engine) judge(p *pair, m *meter, mark uint16, t int64, reached int) bool {
	if p.flags&(crossed|withheld) == crossed {
		return false
	}
	below := m.part == memberPart || reached < m.limit
	if p.flags&withheld != 0 && below && t/1e6-int64(p.legitAt) < int64(SuccessMemory.Seconds()) {
		return false // as before
	}
	hold := !m.bare && e.vouched(p, m, mark, t) && below
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

// vouched reports whether there was a success at p's key lately, and notes it.
func (e *Engine) vouched(p *pair, m *meter, mark uint16, t int64) bool {
	s := e.success(p.key, m, mark)
	if s == nil || t-s.last > SuccessMemory.Microseconds() {
		return false
	}
	p.legitAt, p.legitBy = uint32(s.last/1e6), s.legitBy
	return true
}

// success finds the mark of the latest success at a key. A small network has
// none of its own: its addresses are asked.
func (e *Engine) success(key key, m *meter, mark uint16) (latest *pair) {
	if m.part != networkPart || !key.isV4() || !e.levels[markLevel-m.mark].small() {
		if i, ok := e.pairs.find(key, mark); ok {
			return e.pairs.at(i)
		}
		return nil
	}
	first := key.v4()
	for n := range uint32(1) << (32 - e.levels[markLevel-m.mark].ipv4) {
		if i, ok := e.pairs.find(keyOfV4(first+n), markAddress); ok {
			if s := e.pairs.at(i); latest == nil || s.last > latest.last {
				latest = s
			}
		}
	}
	return latest
}

// network counts a signal of a weak member of a network or /64, but not in the
// meters of skip, each followed by the one of its members. It reports whether it
// is detected by a rule that acts.
func (e *Engine) network(b bundle, key key, member int64, skip uint32, t int64, s *Signal, hint uint32) (acted bool) {
	head := e.obtain(b, key, s, hint)
	if head == noPair {
		return false
	}
	meters := e.meters[b.first : b.first+uint16(b.n)]
	ps := e.pairs.bundle(head, b.n)
	seldom, crossing := false, uint32(0)
	for j := 0; j < len(ps); j += 2 {
		m, p, members := &meters[j], &ps[j], &ps[j+1]
		if skip>>(j/2)&1 != 0 || m.distinct && len(s.Account) == 0 {
			continue
		}
		seldom = seldom || p.count < 2
		e.stamp(p, t, s.Times())
		e.stamp(members, t, s.Times())
		who := e.arrive(head, members, &meters[j+1], t, member, 1)
		if p.flags&(crossed|withheld) != crossed || int(p.ring.peak) < m.limit {
			if reached := e.arrive(head, p, m, t, e.itemOf(m, s), s.Times()); reached >= m.need && who >= meters[j+1].need && e.judge(p, m, m.mark, t, reached) {
				crossing |= 1 << j
			}
		}
		if p.flags&crossed != 0 {
			acted = acted || m.acts
			e.news(head+uint32(j), p)
		}
	}
	if seldom || crossing != 0 {
		e.sample(head, s, crossing)
	}
	return acted
}

// itemOf is what a meter of accounts counts in a signal.
func (e *Engine) itemOf(m *meter, s *Signal) int64 {
	if !m.distinct {
		return 0
	}
	return int64(e.accountOf(s).low)
}

// accountOf is the key of the account of the signal that is being observed.
func (e *Engine) accountOf(s *Signal) key {
	if !e.keyed {
		e.accountKey, e.keyed = e.seed.account(s.Account), true
	}
	return e.accountKey
}

// account counts who tries an account; dealt says that its address is dealt with
// by itself. Those who take part in too many are detected, each one.
func (e *Engine) account(b bundle, addr key, dealt bool, t int64, s *Signal) {
	meters := e.meters[b.first : b.first+uint16(b.n)]
	if dealt && !meters[len(meters)-1].bare {
		return
	}
	head := e.obtain(b, e.accountOf(s), s, noPair)
	if head == noPair {
		return
	}
	if e.pairs.at(head).count < 2 {
		e.sample(head, s, 0)
	}
	for j := range meters {
		m, p := &meters[j], e.pairs.at(head+uint32(j))
		if dealt && !m.bare {
			continue
		}
		item := addr.unit()
		if m.bare {
			if item = e.place(m, addr, s.Addr); item == nowhere {
				continue
			}
		}
		e.stamp(p, t, s.Times())
		if e.arrive(head, p, m, t, item, 1) < m.need {
			p.flags &^= crossed
			continue
		}
		if p.flags&crossed != 0 || m.bare {
			p.flags |= crossed
			who := addr
			if !m.bare {
				who = address(item)
			}
			e.member(m, p, who, head, t, s)
			continue
		}
		// The window has just become full: all in it take part.
		p.flags |= crossed
		e.scratch = append(e.scratch[:0], e.rings.slice(&p.ring)[:2*p.ring.n]...)
		for k := 0; k < len(e.scratch); k += 2 {
			at, who := e.scratch[k], address(e.scratch[k+1])
			switch {
			case e.scratch[k+1] == item:
				e.member(m, p, who, head, t, s)
			case t-at <= m.within && at-t <= m.within:
				e.member(m, p, who, head, at, nil)
			}
		}
	}
}

// member detects an address that took part in what was counted at an account.
// Without s its signal was an earlier one.
func (e *Engine) member(m *meter, account *pair, who key, head uint32, t int64, s *Signal) {
	i, ok := e.pairs.find(who, m.member)
	if !ok {
		if e.pairs.live >= e.limits.MaxSources {
			e.makeRoom(head)
			if e.pairs.live >= e.limits.MaxSources {
				e.stats.Untracked++
				return
			}
		}
		i = e.pairs.insert(who, m.member)
	}
	p := e.pairs.at(i)
	switch {
	case s != nil:
		e.stamp(p, t, s.Times())
	case p.count > 0 && t <= p.last:
		return // was counted when it came
	default:
		e.stamp(p, t, 1)
	}
	p.ring.peak = max(p.ring.peak, account.ring.peak)
	mm := &e.meters[m.member]
	mark := uint16(markAddress)
	if !who.isV4() && !m.bare {
		mark = markHalf
	}
	crossing := e.judge(p, mm, mark, t, mm.need)
	e.shareSamples(i, head, s, crossing)
	e.news(i, p)
	if crossing {
		e.suspect(who)
	}
}

// site counts all sources together. After the first crossing only what happens
// in a full window is news.
func (e *Engine) site(b *bundle, t int64, s *Signal) {
	head := e.obtain(*b, key{}, s, b.hint-1)
	if head == noPair {
		return
	}
	b.hint = head + 1
	meters := e.meters[b.first : b.first+uint16(b.n)]
	crossing := uint32(0)
	seldom := false
	for j := range meters {
		m, p := &meters[j], e.pairs.at(head+uint32(j))
		seldom = seldom || p.count < 2
		first, last, count := p.first, p.last, p.count
		e.stamp(p, t, s.Times())
		reached := e.arrive(head, p, m, t, 0, s.Times())
		switch {
		case reached >= m.need:
			if e.judge(p, m, m.mark, t, reached) {
				crossing |= 1 << j
			}
			e.news(head+uint32(j), p)
		case p.flags&crossed != 0:
			p.first, p.last, p.count = first, last, count
		}
	}
	if seldom || crossing != 0 {
		e.sample(head, s, crossing)
	}
}
