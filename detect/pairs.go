package detect

import (
	"iter"

	"fwsync/detect/fetch"
)

// pair is what is tracked of one meter at one key: 64 bytes, one line of the
// processor's cache. A pair whose meter is a mark is a success: last is the
// latest one, by its kind. Times are Unix microseconds.
type pair struct {
	key         key
	first, last int64
	crossed     int64
	ring        ring
	count       uint32
	legitAt     uint32 // seconds
	meter       uint16
	flags       uint8
	legitBy     Kind
}

const (
	inUse      = 1 << iota // the slot holds a pair
	crossed                // the threshold was crossed
	withheld               // … but the address is legitimate and crossed no further
	unreported             // crossed, and changed since the last drain
	reported               // crossed, and part of an earlier drain or run
	active                 // had a signal in this run
	hostile                // of a mark: its address was detected
)

// pairs is a hash table of bundles of pairs: pairs in chunks that never move,
// those of a bundle side by side, found through an index of the numbers of the
// first. It holds no pointers into itself, so that a million pairs cost the
// garbage collector nothing.
type pairs struct {
	chunks [][]pair
	used   uint32 // pairs ever used
	free   [maxBundle + 1][]uint32
	live   int
	heads  int
	slots  []uint64 // high half of the hash, number of a pair + 1; 0 empty; from home on, linear probing
	seed   seed
	sizes  []uint8 // by meter: of the bundle that it is the first of, or 0
}

const (
	chunkBits  = 12
	chunkPairs = 1 << chunkBits
)

func newPairs(seed seed, sizes []uint8) pairs {
	return pairs{slots: make([]uint64, 1024), seed: seed, sizes: sizes}
}

func (ps *pairs) at(i uint32) *pair { return &ps.chunks[i>>chunkBits][i&(chunkPairs-1)] }

// bundle is the pairs from number i on.
func (ps *pairs) bundle(i uint32, n uint8) []pair {
	i, chunk := i&(chunkPairs-1), ps.chunks[i>>chunkBits]
	return chunk[i : i+uint32(n)]
}

// size is how many pairs stand under the one index entry of a meter; 0 if the
// meter is not the first of its bundle.
func (ps *pairs) size(meter uint16) uint8 {
	if meter >= markLow {
		return 1
	}
	return ps.sizes[meter]
}

// find returns the number of a bundle's first pair.
func (ps *pairs) find(key key, meter uint16) (i uint32, ok bool) {
	return ps.lookup(key, meter, ps.seed.hash(key, meter))
}

func (ps *pairs) lookup(key key, meter uint16, h uint64) (i uint32, ok bool) {
	for s := ps.home(h); ; s = ps.next(s) {
		v := ps.slots[s]
		if v == 0 {
			return 0, false
		}
		if v>>32 != h>>32 {
			continue
		}
		if p := ps.at(uint32(v) - 1); p.meter == meter && p.key == key {
			return uint32(v) - 1, true
		}
	}
}

// home is the slot in which a hash, or what is in a slot, belongs.
func (ps *pairs) home(h uint64) uint64 { return h >> 32 & uint64(len(ps.slots)-1) }

func (ps *pairs) next(slot uint64) uint64 { return (slot + 1) & uint64(len(ps.slots)-1) }

// guess returns the number of the pair that a hash is likely to be of, or of any other.
func (ps *pairs) guess(h uint64) uint32 {
	home := ps.home(h)
	v, next := ps.slots[home], ps.slots[ps.next(home)]
	if v>>32 != h>>32 {
		v = next
	}
	return max(uint32(v), 1) - 1
}

// insert adds a bundle that find did not find.
func (ps *pairs) insert(key key, meter uint16) uint32 {
	if 2*(ps.heads+1) > len(ps.slots) {
		ps.grow()
	}
	n := uint32(ps.size(meter))
	var i uint32
	if f := ps.free[n]; len(f) > 0 {
		i, ps.free[n] = f[len(f)-1], f[:len(f)-1]
	} else {
		if rest := chunkPairs - ps.used&(chunkPairs-1); rest < n {
			ps.used += rest // a bundle never straddles two chunks
		}
		i = ps.used
		ps.used += n
		if int(i>>chunkBits) == len(ps.chunks) {
			ps.chunks = append(ps.chunks, fetch.Pages(make([]pair, chunkPairs)))
		}
	}
	ps.put(ps.seed.hash(key, meter)>>32<<32 | uint64(i+1))
	ps.live += int(n)
	ps.heads++
	for j := range n {
		*ps.at(i + j) = pair{key: key, meter: meter + uint16(j), flags: inUse, ring: ring{class: noRing}}
	}
	return i
}

// put puts what a slot holds where it belongs.
func (ps *pairs) put(v uint64) {
	s := ps.home(v)
	for ps.slots[s] != 0 {
		s = ps.next(s)
	}
	ps.slots[s] = v
}

// remove empties a bundle's place.
func (ps *pairs) remove(i uint32) {
	head := ps.at(i)
	n := ps.size(head.meter)
	empty := ps.home(ps.seed.hash(head.key, head.meter))
	for uint32(ps.slots[empty]) != i+1 {
		empty = ps.next(empty)
	}
	// What was put behind it because of it moves up.
	for s := ps.next(empty); ps.slots[s] != 0; s = ps.next(s) {
		mask := uint64(len(ps.slots) - 1)
		if (s-ps.home(ps.slots[s]))&mask >= (s-empty)&mask {
			ps.slots[empty] = ps.slots[s]
			empty = s
		}
	}
	ps.slots[empty] = 0
	for j := range uint32(n) {
		*ps.at(i + j) = pair{}
	}
	ps.free[n] = append(ps.free[n], i)
	ps.live -= int(n)
	ps.heads--
}

// grow doubles the slots.
func (ps *pairs) grow() {
	before := ps.slots
	ps.slots = fetch.Pages(make([]uint64, 2*len(before)))
	for _, v := range before {
		if v != 0 {
			ps.put(v)
		}
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
