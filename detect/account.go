package detect

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
