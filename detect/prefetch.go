package detect

import (
	"unsafe"

	"fwsync/detect/fetch"
)

// aimed is a signal that is about to be counted.
type aimed struct {
	key  key
	hash uint64
	// What counts the key: the number of its first pair, a guess, or noPair; and how many pairs
	// are worth fetching.
	own   uint32
	pairs uint8
}

const (
	aheadGroup = 64 // signals between two steps: what was begun is there by then
	aheadPairs = 3  // of one signal; its places in the index and in the sketch are three too
)

// places are what is to be fetched.
type places struct {
	at [aheadPairs * aheadGroup]unsafe.Pointer
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
// own pairs is fetched for a group of signals before any is counted, in two steps: the index
// tells where they are. To fetch all that may be needed costs more than it saves.
func (e *Engine) ObserveAll(signals []Signal) {
	var ahead [aheadGroup]aimed
	var fetched places
	for len(signals) > 0 {
		group := signals[:min(len(signals), aheadGroup)]
		signals = signals[len(group):]
		for i := range group {
			e.aim(&ahead[i], &group[i])
			fetched.add(unsafe.Pointer(&e.pairs.slots[ahead[i].hash&uint64(len(e.pairs.slots)-1)]))
			if e.sketch != nil {
				fresh, before := e.sketch.linesOf(ahead[i].hash)
				fetched.add(unsafe.Pointer(fresh))
				fetched.add(unsafe.Pointer(before))
			}
		}
		fetched.begin()
		if e.pairs.used > 0 {
			for i := range group {
				a := &ahead[i]
				a.own = e.pairs.guess(a.hash)
				chunk, first := e.pairs.chunks[a.own>>chunkBits], a.own
				for range a.pairs {
					fetched.add(unsafe.Pointer(&chunk[first&(chunkPairs-1)]))
					first++
				}
			}
			fetched.begin()
		}
		for i := range group {
			e.observe(&group[i], ahead[i].key, ahead[i].own)
		}
	}
}

// aim hashes the key that a signal's address is counted by.
func (e *Engine) aim(a *aimed, s *Signal) {
	meter, pairs := uint16(markAddress), uint8(1)
	if !s.Kind.Success() {
		// An invalid kind is fetched for like any other; who observes it counts nothing.
		if w := &e.wants[s.Kind%kindCount]; len(w.own) > 0 {
			meter, pairs = w.own[0].first, min(w.own[0].n, aheadPairs)
		}
	}
	key := keyOf(s.Addr)
	*a = aimed{key, e.seed.hash(key, meter), noPair, pairs}
}
