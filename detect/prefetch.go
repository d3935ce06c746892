package detect

import (
	"unsafe"

	"fwsync/detect/fetch"
)

// aimed is a signal that is about to be counted.
type aimed struct {
	key  key
	hash uint64
	// What counts the key: the number of its first pair, a guess, or noPair; the meter of that;
	// and how many pairs are worth fetching.
	own   uint32
	meter uint16
	pairs uint8
}

const (
	aheadGroup = 64 // signals between two steps: what was begun is there by then
	aheadPairs = 3  // of one signal
	aheadLines = 4  // of a list of different items: with the newest sixteen
	lineItems  = 4  // of such a list, in a line of the cache
	// One signal's places at most: its account, where its time goes, and for each pair what
	// that is compared with.
	aheadPlaces = 2 + aheadPairs*aheadLines
)

// places are what is to be fetched.
type places struct {
	at [aheadPlaces * aheadGroup]unsafe.Pointer
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

func (p *places) beginWriting() {
	fetch.BeginWriting(p.at[:p.n])
	p.n = 0
}

// ObserveAll takes signals in order; the same as Observe for each, and faster: with many
// sources what counts them is seldom in the processor's cache, or another core's has it.
// What an address is counted in by itself is fetched for a group of signals before any is
// counted, in three steps: the index tells where its pairs are, these where their times are.
// To fetch all that may be needed costs more than it saves.
func (e *Engine) ObserveAll(signals []Signal) {
	var ahead [aheadGroup]aimed
	var fetched, written places
	for len(signals) > 0 {
		group := signals[:min(len(signals), aheadGroup)]
		signals = signals[len(group):]
		for i := range group {
			e.aim(&ahead[i], &group[i])
			fetched.add(unsafe.Pointer(&e.pairs.slots[e.pairs.home(ahead[i].hash)]))
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
			fetched.beginWriting()
			for i := range group {
				e.aimAtTimes(&ahead[i], &group[i], &fetched, &written)
			}
			written.beginWriting()
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
	*a = aimed{key, e.seed.hash(key, meter), noPair, meter, pairs}
}

// aimAtTimes adds what a signal is compared with, and written to, beside its pairs, which are
// there by now.
func (e *Engine) aimAtTimes(a *aimed, s *Signal, compared, written *places) {
	if int(a.meter) >= len(e.meters) {
		return // a success
	}
	if head := e.pairs.at(a.own); head.key != a.key || head.meter != a.meter {
		return // the guess was wrong
	}
	if len(s.Account) > 0 {
		compared.add(unsafe.Pointer(unsafe.SliceData(s.Account)))
	}
	meters, ps := e.meters[a.meter:][:a.pairs], e.pairs.bundle(a.own, a.pairs)
	lent := &e.pairs.at(a.own + uint32(meters[0].lends)).ring
	if lent.n > 0 {
		written.add(unsafe.Pointer(e.rings.slot(lent, int(lent.head)+int(lent.n))))
	}
	for j := range ps {
		switch r := &ps[j].ring; {
		case meters[j].distinct:
			for line := range aheadLines {
				item := int(r.n) - 1 - line*lineItems
				if item < 0 {
					break
				}
				at := unsafe.Pointer(e.rings.slot(r, 2*item))
				if line == 0 {
					written.add(at)
				} else {
					compared.add(at)
				}
			}
		case lent.n > 0:
			compared.add(unsafe.Pointer(e.rings.slot(lent, int(lent.head)+max(0, int(lent.n)-int(r.peak)))))
		}
	}
}
