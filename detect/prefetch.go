package detect

import (
	"unsafe"

	"fwsync/detect/fetch"
)

// prefetch finds, a few signals ahead, what a signal will count in. With many sources
// that is seldom in the processor's cache; here it is fetched while the signals before are
// counted, instead of waiting for one place after the other. It takes three steps, for
// each tells where to look next: the index, the pairs, their rings.
type prefetch [aheadSlots]aimed

// aimed is a signal that is about to be counted.
type aimed struct {
	hashes [3]uint64
	bundle *bundle // that counts the address itself

	// Where the signal's address may be counted, its network, and its part in what
	// happens at an account; noPair if they are not.
	own, network uint32
}

const (
	aheadGroup = 8 // signals between two steps: what was begun is there by then
	aheadSlots = 4 * aheadGroup
	mostPlaces = 16 // of one signal, in all steps
)

// places are what is to be fetched.
type places struct {
	at [mostPlaces * aheadGroup]unsafe.Pointer
	n  int
}

func (p *places) add(at unsafe.Pointer) {
	p.at[p.n] = at
	p.n++
}

// ObserveAll takes signals in order; the same as Observe for each, and faster.
func (e *Engine) ObserveAll(signals []Signal) {
	n := len(signals)
	var fetched places
	for from := 0; from < n+3*aheadGroup; from += aheadGroup {
		fetched.n = 0
		for i := from; i < min(from+aheadGroup, n); i++ {
			e.aim(&e.ahead[i%aheadSlots], &signals[i], &fetched)
		}
		for i := max(0, from-aheadGroup); i < min(from, n); i++ {
			e.fetchPairs(&e.ahead[i%aheadSlots], &fetched)
		}
		for i := max(0, from-2*aheadGroup); i < min(from-aheadGroup, n); i++ {
			if a := &e.ahead[i%aheadSlots]; a.bundle != nil {
				e.fetchRings(a, &fetched)
			}
		}
		fetch.Begin(fetched.at[:fetched.n])
		for i := max(0, from-3*aheadGroup); i < min(from-2*aheadGroup, n); i++ {
			a := &e.ahead[i%aheadSlots]
			e.observe(&signals[i], a.own, a.network)
		}
	}
}

// aim hashes a signal's keys and fetches where the index may have them.
func (e *Engine) aim(a *aimed, s *Signal, f *places) {
	a.bundle = nil
	if !s.Kind.Valid() {
		a.hashes = [3]uint64{}
		return
	}
	mask := uint64(len(e.pairs.slots) - 1)
	addr := keyOf(s.Addr)
	if s.Kind.Success() {
		h := e.seed.hash(addr, markAddress)
		a.hashes[0] = h
		f.add(unsafe.Pointer(&e.pairs.slots[h&mask]))
		return
	}
	w := &e.wants[s.Kind]
	var h, network, member uint64
	if len(w.own) > 0 {
		a.bundle = &w.own[0]
		h = e.seed.hash(addr, a.bundle.first)
	}
	network, member = h, h
	if len(w.networks) > 0 {
		b := &w.networks[0]
		network = e.seed.hash(e.levels[b.level].network(addr), b.first)
		f.add(unsafe.Pointer(&e.pairs.slots[network&mask]))
	}
	if len(w.accounts) > 0 {
		member = e.seed.hash(addr, e.meters[w.accounts[0].first].member)
		f.add(unsafe.Pointer(&e.pairs.slots[member&mask]))
	}
	a.hashes = [3]uint64{h, network, member}
	f.add(unsafe.Pointer(&e.pairs.slots[h&mask]))
}

// fetchPairs guesses the pairs from the index and fetches them.
func (e *Engine) fetchPairs(a *aimed, f *places) {
	a.own, a.network = noPair, noPair
	if e.pairs.used == 0 {
		return
	}
	last := e.pairs.used - 1
	a.own = e.pairs.guess(a.hashes[0])
	f.add(unsafe.Pointer(e.pairs.at(min(a.own, last))))
	if a.bundle == nil {
		return
	}
	for j := range uint32(min(a.bundle.n, 3) - 1) {
		f.add(unsafe.Pointer(e.pairs.at(min(a.own+1+j, last))))
	}
	a.network = e.pairs.guess(a.hashes[1])
	if a.hashes[1] != a.hashes[0] {
		f.add(unsafe.Pointer(e.pairs.at(min(a.network, last))))
		f.add(unsafe.Pointer(e.pairs.at(min(a.network+1, last))))
	}
	if a.hashes[2] != a.hashes[0] {
		f.add(unsafe.Pointer(e.pairs.at(min(e.pairs.guess(a.hashes[2]), last))))
	}
}

// fetchRings fetches the places of the rings that will be looked at.
func (e *Engine) fetchRings(a *aimed, f *places) {
	b := a.bundle
	if b == nil || len(e.rings.blocks) == 0 {
		return
	}
	last := e.pairs.used - 1
	if a.hashes[1] != a.hashes[0] {
		f.add(e.rings.near(&e.pairs.at(min(a.network, last)).ring, 0))
		f.add(e.rings.nearLast(&e.pairs.at(min(a.network+1, last)).ring))
	}
	for j := range uint32(min(b.n, 3)) {
		m, p := &e.meters[b.first+uint16(j)], e.pairs.at(min(a.own+j, last))
		if m.distinct {
			f.add(e.rings.nearLast(&p.ring))
			continue
		}
		lent := &e.pairs.at(min(a.own+uint32(m.lends), last)).ring
		if j == uint32(m.lends) {
			f.add(e.rings.near(lent, 0))
		}
		f.add(e.rings.near(lent, int(p.ring.peak)+1))
	}
}
