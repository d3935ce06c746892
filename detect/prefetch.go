package detect

const batchSize = 64

// prefetch finds, for many signals at a time, what they will count in. With many
// sources that is seldom in the processor's cache; here it is fetched for all of them
// side by side, instead of waiting for one after the other: in rounds, each of which is
// a short loop of reads that do not depend on each other, without a branch that
// depends on what is read, for a wrong guess would wait for it.
type prefetch struct {
	hashes [batchSize][3]uint64
	bundle [batchSize]*bundle // that counts the address itself

	// Where the signals' addresses may be counted, their networks, and their part in what
	// happens at an account; noPair if they are not.
	own, network, member [batchSize]uint32

	touched int64 // keeps the reads from being optimized away
}

// warm fetches for a batch.
func (e *Engine) warm(batch []Signal) {
	f := &e.ahead
	if len(e.pairs.chunks) == 0 || len(e.rings.blocks) == 0 {
		for i := range batch {
			f.own[i], f.network[i] = noPair, noPair
		}
		return
	}
	e.hashKeys(batch)
	last := e.pairs.used - 1
	for i := range batch {
		h := &f.hashes[i]
		f.own[i], f.network[i], f.member[i] = e.pairs.guess(h[0]), e.pairs.guess(h[1]), e.pairs.guess(h[2])
	}
	touched := f.touched
	for i := range batch {
		own, network := f.own[i], f.network[i]
		touched ^= e.pairs.at(min(own, last)).last ^ e.pairs.at(min(f.member[i], last)).last
		touched ^= e.pairs.at(min(network, last)).last ^ e.pairs.at(min(network+1, last)).last
		touched ^= e.pairs.at(min(own+1, last)).last ^ e.pairs.at(min(own+2, last)).last
	}
	for i := range batch {
		b := f.bundle[i]
		if b == nil {
			continue
		}
		touched ^= e.rings.near(&e.pairs.at(min(f.network[i], last)).ring, 0) ^ e.rings.nearLast(&e.pairs.at(min(f.network[i]+1, last)).ring)
		for j := range uint32(b.n) {
			m, p := &e.meters[b.first+uint16(j)], e.pairs.at(min(f.own[i]+j, last))
			if m.distinct {
				touched ^= e.rings.nearLast(&p.ring)
				continue
			}
			lent := &e.pairs.at(min(f.own[i]+uint32(m.lends), last)).ring
			touched ^= e.rings.near(lent, 0) ^ e.rings.near(lent, int(p.ring.peak)+1)
		}
	}
	f.touched = touched
}

// hashKeys hashes the signals' keys.
func (e *Engine) hashKeys(batch []Signal) {
	f := &e.ahead
	for i := range batch {
		s, h := &batch[i], &f.hashes[i]
		*h, f.bundle[i] = [3]uint64{}, nil
		if !s.Kind.Valid() {
			continue
		}
		addr := s.Addr.As16()
		if s.Kind.Success() {
			h[0] = e.seed.hash(&addr, markAddress)
			h[1], h[2] = h[0], h[0]
			continue
		}
		w := &e.wants[s.Kind]
		if len(w.own) > 0 {
			f.bundle[i] = &w.own[0]
			h[0] = e.seed.hash(&addr, f.bundle[i].first)
			h[1], h[2] = h[0], h[0]
		}
		if len(w.networks) > 0 {
			b := &w.networks[0]
			n := e.levels[b.level].network(&addr)
			h[1] = e.seed.hash(&n, b.first)
		}
		if len(w.accounts) > 0 {
			h[2] = e.seed.hash(&addr, e.meters[w.accounts[0].first].member)
		}
	}
}
