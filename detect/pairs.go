package detect

import (
	"encoding/binary"
	"iter"
	"math/bits"
	"math/rand/v2"
)

// pair is what is tracked of one rule at one address: 64 bytes, one line of the
// processor's cache. A pair whose rule is markRule is a success mark: last is
// the latest success, by its kind. Times are Unix microseconds.
type pair struct {
	addr        [16]byte
	first, last int64
	crossed     int64
	ring        ring
	count       uint32
	legitAt     uint32 // seconds
	rule        uint16
	flags       uint8
	legitBy     Kind
}

const markRule = 0xffff

const (
	inUse      = 1 << iota // the slot holds a pair
	crossed                // the threshold was crossed
	withheld               // … but the address is legitimate and crossed no further
	disordered             // the ring's timestamps did not arrive in order of time
	unreported             // crossed, and changed since the last drain
	reported               // crossed, and part of an earlier drain or run
	active                 // had a signal in this run
)

// pairs is a hash table of pairs: pairs in chunks that never move, found
// through an index of their numbers. It holds no pointers into itself, so that
// a million pairs cost the garbage collector nothing.
type pairs struct {
	chunks [][]pair
	used   uint32 // pairs ever used
	free   []uint32
	live   int
	slots  []uint64 // high half of the hash, number of a pair + 1; 0 empty; linear probing
	seed   [2]uint64
}

const (
	chunkBits  = 12
	chunkPairs = 1 << chunkBits
)

func newPairs() pairs {
	return pairs{slots: make([]uint64, 1024), seed: [2]uint64{rand.Uint64(), rand.Uint64()}}
}

func (ps *pairs) at(i uint32) *pair { return &ps.chunks[i>>chunkBits][i&(chunkPairs-1)] }

// hash is keyed: who sends from many addresses must not be able to choose
// ones that collide.
func (ps *pairs) hash(addr *[16]byte, rule uint16) uint64 {
	a := binary.LittleEndian.Uint64(addr[:8]) ^ ps.seed[0]
	b := binary.LittleEndian.Uint64(addr[8:]) ^ ps.seed[1]
	hi, lo := bits.Mul64(a^uint64(rule)<<32, b|1)
	hi, lo = bits.Mul64(hi^lo^ps.seed[1], (b^uint64(rule)*0x9e3779b97f4a7c15)|1)
	return hi ^ lo
}

// find returns the number of a pair, or the slot where it would be indexed.
func (ps *pairs) find(addr *[16]byte, rule uint16) (i uint32, slot uint64, ok bool) {
	mask := uint64(len(ps.slots) - 1)
	h := ps.hash(addr, rule)
	for s := h & mask; ; s = (s + 1) & mask {
		v := ps.slots[s]
		if v == 0 {
			return 0, s, false
		}
		if v>>32 != h>>32 {
			continue
		}
		if p := ps.at(uint32(v) - 1); p.rule == rule && p.addr == *addr {
			return uint32(v) - 1, s, true
		}
	}
}

// peek returns what the first slot of a pair holds: mostly its number + 1.
func (ps *pairs) peek(addr *[16]byte, rule uint16) uint32 {
	return uint32(ps.slots[ps.hash(addr, rule)&uint64(len(ps.slots)-1)])
}

// insert adds a pair that find did not find.
func (ps *pairs) insert(addr *[16]byte, rule uint16) (uint32, *pair) {
	if 2*(ps.live+1) > len(ps.slots) {
		ps.index(2 * len(ps.slots))
	}
	var i uint32
	if n := len(ps.free); n > 0 {
		i, ps.free = ps.free[n-1], ps.free[:n-1]
	} else {
		i = ps.used
		ps.used++
		if int(i>>chunkBits) == len(ps.chunks) {
			ps.chunks = append(ps.chunks, make([]pair, chunkPairs))
		}
	}
	_, slot, _ := ps.find(addr, rule)
	ps.slots[slot] = ps.hash(addr, rule)>>32<<32 | uint64(i+1)
	ps.live++
	p := ps.at(i)
	*p = pair{addr: *addr, rule: rule, flags: inUse}
	return i, p
}

// remove empties a pair's place; the index is wrong until the next call of
// index, which the caller makes after the last remove.
func (ps *pairs) remove(i uint32) {
	*ps.at(i) = pair{}
	ps.free = append(ps.free, i)
	ps.live--
}

func (ps *pairs) index(size int) {
	if size == len(ps.slots) {
		clear(ps.slots)
	} else {
		ps.slots = make([]uint64, size)
	}
	mask := uint64(size - 1)
	for i := range ps.all() {
		p := ps.at(i)
		h := ps.hash(&p.addr, p.rule)
		s := h & mask
		for ps.slots[s] != 0 {
			s = (s + 1) & mask
		}
		ps.slots[s] = h>>32<<32 | uint64(i+1)
	}
}

// all yields the numbers of all pairs, in no meaningful order.
func (ps *pairs) all() iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for i := range ps.used {
			if ps.at(i).flags&inUse != 0 && !yield(i) {
				return
			}
		}
	}
}
