package detect

import (
	"cmp"
	"math/bits"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"
	"unsafe"

	"fwsync/detect/fetch"
)

// Tally counts signals by address and kind, for reports. It follows at most the
// given number of addresses, those that came first; the rest only adds to Others.
type Tally struct {
	most   int
	counts [][]counted // in chunks that never move
	used   int
	slots  []uint32 // number of a count + 1, and the top of the hash above; 0 empty; linear probing
	seed   [2]uint64
	more   map[uint32]*[kindCount]uint32 // of the few with more kinds than fit into counted
	Others int64                         // signals of addresses that are not followed
}

// counted fits into one line of the processor's cache.
type counted struct {
	addr        key
	first, last int64 // µs since 1970
	numbers     [tallyKinds]uint32
	kinds       [tallyKinds]Kind
	spilled     bool // the other kinds are in more
}

const (
	tallyKinds  = 5
	tallyNumber = 1<<24 - 1 // of a slot; so many addresses can be followed
)

// KindCount is how many signals of a kind there were.
type KindCount struct {
	Kind  Kind
	Count int
}

// AddressCount is what one address did.
type AddressCount struct {
	Addr                netip.Addr
	Signals             []KindCount // by the kinds' names, declared kinds last
	FirstSeen, LastSeen time.Time
}

// NewTally follows at most so many addresses, and never more than 16,777,215; each costs about 100 bytes.
func NewTally(most int) *Tally {
	return &Tally{most: min(most, tallyNumber), slots: make([]uint32, 1024), seed: [2]uint64{rand.Uint64(), rand.Uint64()}}
}

func (t *Tally) at(i uint32) *counted { return &t.counts[i>>chunkBits][i&(chunkPairs-1)] }

// hash is keyed: who sends from many addresses must not be able to choose
// ones that collide.
func (t *Tally) hash(addr key) uint32 {
	a, b := addr.low^t.seed[0], addr.high^t.seed[1]
	hi, lo := bits.Mul64(a, b|1)
	hi, lo = bits.Mul64(hi^lo^t.seed[1], b|1)
	return uint32(hi ^ lo)
}

// ObserveAll is Observe for each signal, and faster: the counts of many sources
// are seldom in the processor's cache, and are fetched for a group of signals before any of
// it is counted.
func (t *Tally) ObserveAll(signals []Signal) {
	var ahead [aheadGroup]struct {
		addr        key
		hash, guess uint32
	}
	var fetched places
	for len(signals) > 0 {
		group := signals[:min(len(signals), aheadGroup)]
		signals = signals[len(group):]
		mask := uint32(len(t.slots) - 1)
		for i := range group {
			a := &ahead[i]
			a.addr = keyOf(group[i].Addr)
			a.hash = t.hash(a.addr)
			fetched.add(unsafe.Pointer(&t.slots[a.hash&mask]))
		}
		fetched.begin()
		for i := range group {
			a := &ahead[i]
			v, next := t.slots[a.hash&mask], t.slots[(a.hash+1)&mask]
			if (v^a.hash)&^tallyNumber != 0 {
				v = next
			}
			if a.guess = v&tallyNumber - 1; int(a.guess) < t.used {
				fetched.add(unsafe.Pointer(t.at(a.guess)))
			}
		}
		fetched.beginWriting()
		for i := range group {
			a := &ahead[i]
			if int(a.guess) < t.used {
				if c := t.at(a.guess); c.addr == a.addr {
					t.count(a.guess, c, &group[i])
					continue
				}
			}
			t.Observe(&group[i])
		}
	}
}

// Observe counts one signal.
func (t *Tally) Observe(s *Signal) {
	addr := keyOf(s.Addr)
	mask := uint32(len(t.slots) - 1)
	h := t.hash(addr)
	slot := h & mask
	for t.slots[slot] != 0 && ((t.slots[slot]^h)&^tallyNumber != 0 || t.at(t.slots[slot]&tallyNumber-1).addr != addr) {
		slot = (slot + 1) & mask
	}
	i := t.slots[slot]&tallyNumber - 1
	if t.slots[slot] == 0 {
		if t.used >= t.most {
			t.Others += int64(s.Times())
			return
		}
		at := s.Time.UnixMicro()
		i = t.insert(slot, h, counted{addr: addr, first: at, last: at})
	}
	t.count(i, t.at(i), s)
}

// count adds a signal to count number i.
func (t *Tally) count(i uint32, c *counted, s *Signal) {
	at, n := s.Time.UnixMicro(), uint32(s.Times())
	c.first, c.last = min(c.first, at), max(c.last, at)
	for k := range c.kinds {
		if c.kinds[k] == s.Kind || c.kinds[k] == 0 {
			c.kinds[k] = s.Kind
			c.numbers[k] += n
			return
		}
	}
	if !c.spilled {
		c.spilled = true
		if t.more == nil {
			t.more = map[uint32]*[kindCount]uint32{}
		}
		t.more[i] = new([kindCount]uint32)
	}
	t.more[i][s.Kind] += n
}

// insert adds a count that is found through slot.
func (t *Tally) insert(slot, h uint32, c counted) uint32 {
	i := uint32(t.used)
	if int(i>>chunkBits) == len(t.counts) {
		t.counts = append(t.counts, fetch.Pages(make([]counted, chunkPairs)))
	}
	*t.at(i) = c
	t.slots[slot] = h&^tallyNumber | (i + 1)
	t.used++
	if 2*t.used > len(t.slots) {
		t.slots = fetch.Pages(make([]uint32, 2*len(t.slots)))
		mask := uint32(len(t.slots) - 1)
		for j := range uint32(t.used) {
			h := t.hash(t.at(j).addr)
			slot := h & mask
			for t.slots[slot] != 0 {
				slot = (slot + 1) & mask
			}
			t.slots[slot] = h&^tallyNumber | (j + 1)
		}
	}
	return i
}

// Addresses returns the counts, in the order of the addresses.
func (t *Tally) Addresses() []AddressCount {
	all := make([]AddressCount, 0, t.used)
	signals := make([]KindCount, 0, 2*t.used)
	for i := range uint32(t.used) {
		c := t.at(i)
		from := len(signals)
		for k, kind := range c.kinds {
			if kind != 0 {
				signals = append(signals, KindCount{kind, int(c.numbers[k])})
			}
		}
		if c.spilled {
			for k, n := range t.more[i] {
				if n > 0 {
					signals = append(signals, KindCount{Kind(k), int(n)})
				}
			}
		}
		mine := signals[from:len(signals):len(signals)]
		slices.SortFunc(mine, func(a, b KindCount) int { return byName[a.Kind] - byName[b.Kind] })
		all = append(all, AddressCount{
			Addr: netip.AddrFrom16(c.addr.bytes()).Unmap(), Signals: mine,
			FirstSeen: time.UnixMicro(c.first).UTC(), LastSeen: time.UnixMicro(c.last).UTC(),
		})
	}
	slices.SortFunc(all, func(a, b AddressCount) int { return a.Addr.Compare(b.Addr) })
	return all
}

// byName is each kind's place in the order of the names.
var byName = func() (place [kindCount]int) {
	kinds := Kinds()
	slices.SortFunc(kinds, func(a, b Kind) int { return cmp.Compare(a.String(), b.String()) })
	for i, k := range kinds {
		place[k] = i
	}
	for k := builtinKinds; k < kindCount; k++ {
		place[k] = int(k)
	}
	return place
}()
