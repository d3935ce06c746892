package detect

import (
	"unsafe"

	"fwsync/detect/fetch"
)

// aimed is a signal that is about to be counted.
type aimed struct {
	hash  uint64
	own   uint32 // the number of the first pair that counts its address, a guess; noPair without one
	pairs uint8  // how many are worth fetching
}

const (
	aheadGroup = 8 // signals between two steps: what was begun is there by then
	aheadSlots = 4 * aheadGroup
	aheadPairs = 3 // of one signal
)

// places are what is to be fetched.
type places struct {
	at [(aheadPairs + 1) * aheadGroup]unsafe.Pointer
	n  int
}

func (p *places) add(at unsafe.Pointer) {
	p.at[p.n] = at
	p.n++
}

func (p *places) begin() {
	fetch.Begin(p.at[:p.n])
	p.n = 0
}

// ObserveAll takes signals in order; the same as Observe for each, and faster: with many
// sources what counts them is seldom in the processor's cache. Where an address has its
// own pairs is fetched while the signals before are counted, in two steps: the index
// tells where they are. To fetch all that may be needed costs more than it saves.
func (e *Engine) ObserveAll(signals []Signal) {
	n := uint(len(signals))
	var fetched places
	var ahead [aheadSlots]aimed
	for from := uint(0); from < n+2*aheadGroup; from += aheadGroup {
		for i := from; i < min(from+aheadGroup, n); i++ {
			e.aim(&ahead[i%aheadSlots], &signals[i], &fetched)
		}
		if from >= aheadGroup && e.pairs.used > 0 {
			for i := from - aheadGroup; i < min(from, n); i++ {
				e.fetchPairs(&ahead[i%aheadSlots], &fetched)
			}
		}
		fetched.begin()
		if from >= 2*aheadGroup {
			for i := from - 2*aheadGroup; i < min(from-aheadGroup, n); i++ {
				e.observe(&signals[i], ahead[i%aheadSlots].own)
			}
		}
	}
}

// aim hashes the key that a signal's address is counted by and fetches its place in the index.
func (e *Engine) aim(a *aimed, s *Signal, f *places) {
	meter := uint16(markAddress)
	a.own, a.pairs = noPair, 1
	if !s.Kind.Success() {
		a.pairs = 0
		// An invalid kind is fetched for like any other; who observes it counts nothing.
		if w := &e.wants[s.Kind%kindCount]; len(w.own) > 0 {
			meter, a.pairs = w.own[0].first, min(w.own[0].n, aheadPairs)
		}
	}
	a.hash = e.seed.hash(keyOf(s.Addr), meter)
	f.add(unsafe.Pointer(&e.pairs.slots[a.hash&uint64(len(e.pairs.slots)-1)]))
}

// fetchPairs guesses the pairs from the index and fetches them.
func (e *Engine) fetchPairs(a *aimed, f *places) {
	a.own = e.pairs.guess(a.hash)
	last := e.pairs.used - 1
	for j := range uint32(a.pairs) {
		f.add(unsafe.Pointer(e.pairs.at(min(a.own+j, last))))
	}
}
