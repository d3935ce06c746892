package detect

import "fwsync/detect/fetch"

// rings keeps the timestamps (Unix microseconds) of all pairs in blocks without
// pointers, in rings of 2, 8, 32 … slots that grow with their owner.
type rings struct {
	blocks []*[blockSlots]int64
	free   [ringClasses][]uint32
	next   uint32 // first never used slot
	inUse  int    // slots handed out
	budget int    // slots that may be handed out
}

const (
	blockBits   = 15
	blockSlots  = 1 << blockBits
	ringClasses = 8 // the largest ring fills one block
	noRing      = 0xff
)

// ring is one pair's share of slots, from off, if it has any (noRing): n times, from
// head. Of a meter that counts different items it is a list of n times, each
// followed by its item, from off, the latest last.
type ring struct {
	off     uint32
	head, n uint16
	peak    uint16 // the most that were in one window
	class   uint8
	late    uint8 // how disordered it is: see disorder
}

// The mask changes no class; with it the compiler need not ask whether it shifts too far.
func slotsOf(class uint8) int { return 2 << (2 * class & 31) }

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
		block := new([blockSlots]int64)
		fetch.Pages(block[:])
		rs.blocks = append(rs.blocks, block)
	}
	off := rs.next
	rs.next += uint32(size)
	return ring{off: off, class: class}, true
}

func (rs *rings) release(r *ring) {
	if r.class == noRing {
		return
	}
	rs.inUse -= r.slots()
	rs.free[r.class] = append(rs.free[r.class], r.off)
	*r = ring{class: noRing}
}

// push adds t as the newest arrival; a ring that holds limit timestamps loses
// its oldest arrival. No arrival was later than now. False: the ring had to grow and the
// budget is used up, nothing was done.
func (rs *rings) push(r *ring, t, now int64, limit int) bool {
	if t < now && r.n > 0 {
		r.arrives(t, rs.fromEnd(r, false, 1), now)
	}
	switch {
	case r.class == noRing:
		if !rs.grow(r, 0) {
			return false
		}
	case int(r.n) == limit:
		r.head = uint16((int(r.head) + 1) & (r.slots() - 1))
		r.n--
	case int(r.n) == r.slots():
		if !rs.grow(r, r.class+1) {
			return false
		}
	}
	*rs.slot(r, int(r.head)+int(r.n)) = t
	r.n++
	return true
}

// pushForgetting is push, but where there is no room to grow the oldest arrival is forgotten
// instead. False: there is no room for any.
func (rs *rings) pushForgetting(r *ring, t, now int64, limit int) bool {
	return rs.push(r, t, now, limit) || r.n > 0 && rs.push(r, t, now, int(r.n))
}

// slot is a place in a ring, from its start on and round.
func (rs *rings) slot(r *ring, at int) *int64 {
	return &rs.blocks[r.off>>blockBits][(r.off+uint32(at&(r.slots()-1)))&(blockSlots-1)]
}

// touch makes item the newest of a list of different items, at time t; a list
// that holds limit of them loses the one not seen for longest. Now and false are as of push.
func (rs *rings) touch(r *ring, t, item, now int64, limit int) bool {
	if r.class == noRing && !rs.grow(r, 0) {
		return false
	}
	s, n := rs.slice(r), 2*int(r.n)
	if t < now && n > 0 {
		r.arrives(t, s[n-2], now)
	}
	for j := n - 2; j >= 0; j -= 2 {
		if s[j+1] == item {
			copy(s[j:], s[j+2:n])
			s[n-2], s[n-1] = t, item
			return true
		}
	}
	switch {
	case int(r.n) >= limit:
		copy(s, s[2:n])
		n -= 2
	case n == len(s):
		if !rs.grow(r, r.class+1) {
			return false
		}
		s = rs.slice(r)
		fallthrough
	default:
		r.n++
	}
	s[n], s[n+1] = t, item
	return true
}

// touchForgetting is touch as pushForgetting is push.
func (rs *rings) touchForgetting(r *ring, t, item, now int64, limit int) bool {
	return rs.touch(r, t, item, now, limit) || r.n > 0 && rs.touch(r, t, item, now, int(r.n))
}

// grow moves what a ring holds to one of another class.
func (rs *rings) grow(r *ring, class uint8) bool {
	bigger, ok := rs.take(class)
	if !ok {
		return false
	}
	bigger.peak, bigger.n, bigger.late = r.peak, r.n, r.late
	if r.class != noRing {
		old, to := rs.slice(r), rs.slice(&bigger)
		copy(to[copy(to, old[r.head:]):], old[:r.head])
		rs.release(r)
	}
	*r = bigger
	return true
}

// copyOut appends the timestamps of the latest arrivals, at most so many, in order of arrival.
func (rs *rings) copyOut(r *ring, distinct bool, most int, to []int64) []int64 {
	if r.n == 0 {
		return to
	}
	older, newer, step := rs.arrivals(r, distinct, most)
	for _, part := range [...][]int64{older, newer} {
		for i := 0; i < len(part); i += step {
			to = append(to, part[i])
		}
	}
	return to
}

// fromEnd returns the k-th newest arrival, k from 1 to n.
func (rs *rings) fromEnd(r *ring, distinct bool, k int) int64 {
	at := int(r.n) - k
	if distinct {
		at *= 2
	} else {
		at += int(r.head)
	}
	return *rs.slot(r, at)
}

// arrivals are the latest arrivals of a ring, at most so many: the earlier and the later
// ones, each in order, a time at every step.
func (rs *rings) arrivals(r *ring, distinct bool, most int) (older, newer []int64, step int) {
	s, n := rs.slice(r), int(r.n)
	from := max(0, n-most)
	if distinct {
		return nil, s[2*from : 2*n], 2
	}
	from, n = from+int(r.head), n+int(r.head)
	switch {
	case from >= len(s):
		return nil, s[from-len(s) : n-len(s)], 1
	case n > len(s):
		return s[from:], s[:n-len(s)], 1
	}
	return nil, s[from:n], 1
}
