package detect

// network counts a signal of a weak member of a network or /64, but not in the
// meters of skip, each followed by the one of its members. It reports whether it
// is detected by a rule that acts.
func (e *Engine) network(b bundle, key key, member int64, skip uint32, t int64, s *Signal) (acted bool) {
	head := e.obtain(b, key, s, noPair)
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
