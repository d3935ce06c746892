package detect

import (
	"unsafe"

	"fwsync/detect/fetch"
)

// aimed is a signal that is about to be counted.
type aimed struct {
	hash  uint64
	pairs uint8  // that are fetched
	own   uint32 // where the signal's address may be counted; noPair if it is not
}

const (
	aheadGroup = 8 // signals between two steps: what was begun is there by then
	aheadSlots = 4 * aheadGroup
	mostPlaces = 4 // of one signal, in all steps
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
	n := uint(len(signals))
	var fetched places
	var ahead [aheadSlots]aimed
	for from := uint(0); from < n+2*aheadGroup; from += aheadGroup {
		fetched.n = 0
		mask := uint64(len(e.pairs.slots) - 1)
		for i := from; i < min(from+aheadGroup, n); i++ {
			a, s := &ahead[i%aheadSlots], &signals[i]
			a.pairs, a.own = 1, noPair
			meter := uint16(markAddress)
			if !s.Kind.Success() {
				a.pairs = 0
				if w := &e.wants[s.Kind%kindCount]; len(w.own) > 0 {
					meter, a.pairs = w.own[0].first, w.own[0].n
				}
			}
			a.hash = e.seed.hash(keyOf(s.Addr), meter)
			fetched.add(unsafe.Pointer(&e.pairs.slots[a.hash&mask]))
		}
		if from >= aheadGroup && e.pairs.used > 0 {
			last := e.pairs.used - 1
			for i := from - aheadGroup; i < min(from, n); i++ {
				a := &ahead[i%aheadSlots]
				a.own = e.pairs.guess(a.hash)
				for j := range uint32(min(a.pairs, 3)) {
					fetched.add(unsafe.Pointer(e.pairs.at(min(a.own+j, last))))
				}
			}
		}
		fetch.Begin(fetched.at[:fetched.n])
		if from >= 2*aheadGroup {
			for i := from - 2*aheadGroup; i < min(from-aheadGroup, n); i++ {
				e.observe(&signals[i], ahead[i%aheadSlots].own, noPair)
			}
		}
	}
}
