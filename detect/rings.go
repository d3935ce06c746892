package detect

import "slices"

// rings keeps the timestamps (Unix microseconds) of all pairs in blocks without
// pointers, in rings of 2, 8, 32 … slots that grow with their owner.
type rings struct {
	blocks [][]int64
	free   [ringClasses][]uint32
	next   uint32 // first never used slot
	inUse  int    // slots handed out
	budget int    // slots that may be handed out
}

const (
	blockBits   = 15
	blockSlots  = 1 << blockBits
	ringClasses = 8 // the largest ring fills one block
)

// ring is one pair's share of slots, from off; n of them are used, from head.
type ring struct {
	off     uint32
	head, n uint16
	peak    uint16 // the most that were in one window
	class   uint8
}

func slotsOf(class uint8) int { return 2 << (2 * class) }

func (r *ring) slots() int { return slotsOf(r.class) }

func (rs *rings) slice(r *ring) []int64 {
	i := r.off & (blockSlots - 1)
	return rs.blocks[r.off>>blockBits][i : i+uint32(r.slots())]
}

// take returns a ring of this class, false if the budget is used up.
func (rs *rings) take(class uint8) (ring, bool) {
	size := slotsOf(class)
	if rs.inUse+size > rs.budget {
		return ring{}, false
	}
	rs.inUse += size
	if f := rs.free[class]; len(f) > 0 {
		off := f[len(f)-1]
		rs.free[class] = f[:len(f)-1]
		return ring{off: off, class: class}, true
	}
	// A ring never straddles two blocks; what is left of the last block goes
	// to the smaller classes.
	for int(rs.next&(blockSlots-1))+size > blockSlots {
		rest := blockSlots - int(rs.next&(blockSlots-1))
		c := uint8(0)
		for slotsOf(c+1) <= rest {
			c++
		}
		rs.free[c] = append(rs.free[c], rs.next)
		rs.next += uint32(slotsOf(c))
	}
	if int(rs.next>>blockBits) == len(rs.blocks) {
		rs.blocks = append(rs.blocks, make([]int64, blockSlots))
	}
	off := rs.next
	rs.next += uint32(size)
	return ring{off: off, class: class}, true
}

func (rs *rings) release(r *ring) {
	rs.inUse -= r.slots()
	rs.free[r.class] = append(rs.free[r.class], r.off)
	*r = ring{}
}

// push adds t as the newest arrival; a ring that holds limit timestamps loses
// its oldest arrival. False: the ring had to grow and the budget is used up,
// nothing was done.
func (rs *rings) push(r *ring, t int64, limit int) bool {
	if int(r.n) == min(r.slots(), limit) {
		if int(r.n) < limit {
			if !rs.grow(r) {
				return false
			}
		} else {
			r.head = uint16((int(r.head) + 1) & (r.slots() - 1))
			r.n--
		}
	}
	rs.slice(r)[(int(r.head)+int(r.n))&(r.slots()-1)] = t
	r.n++
	return true
}

func (rs *rings) grow(r *ring) bool {
	bigger, ok := rs.take(r.class + 1)
	if !ok {
		return false
	}
	rs.copyOut(r, rs.slice(&bigger)[:0])
	bigger.n, bigger.peak = r.n, r.peak
	rs.release(r)
	*r = bigger
	return true
}

// copyOut appends the timestamps in order of arrival.
func (rs *rings) copyOut(r *ring, to []int64) []int64 {
	s := rs.slice(r)
	for i := range int(r.n) {
		to = append(to, s[(int(r.head)+i)&(len(s)-1)])
	}
	return to
}

// fromEnd returns the k-th newest arrival, k from 1 to n.
func (rs *rings) fromEnd(r *ring, k int) int64 {
	s := rs.slice(r)
	return s[(int(r.head)+int(r.n)-k)&(len(s)-1)]
}

// largestWith returns the size of the largest set of timestamps that contains
// t and spans at most within, whatever their order of arrival; ordered says
// that they arrived in order of time.
func (rs *rings) largestWith(r *ring, t, within int64, scratch []int64) (largest int, ordered bool, _ []int64) {
	scratch = rs.copyOut(r, scratch[:0])
	ordered = slices.IsSorted(scratch)
	slices.Sort(scratch)
	from := 0
	for to, last := range scratch {
		for last-scratch[from] > within {
			from++
		}
		if scratch[from] <= t && t <= last {
			largest = max(largest, to-from+1)
		}
	}
	return largest, ordered, scratch
}
