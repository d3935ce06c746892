package detect

// suspect marks an address that was detected: its successes are no good news.
func (e *Engine) suspect(addr key) {
	if i, ok := e.pairs.find(addr, markAddress); ok && e.detected(addr) {
		e.pairs.at(i).flags |= hostile
	}
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
