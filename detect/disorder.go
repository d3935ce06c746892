package detect

import "math/bits"

// disorder bounds by how much, in microseconds, a time may be before one that arrived
// earlier; 0 if the ring is in order. So that one byte is enough it is kept as four to seven
// quarters of a power of two: late is one more than four times the power plus the quarters
// above four.
func (r *ring) disorder() int64 {
	if r.late == 0 {
		return 0
	}
	return (4 + int64(r.late-1)&3) << ((r.late - 1) >> 2 & 63)
}

// setDisorder sets it to at least by, and to at most a quarter more, or 4.
func (r *ring) setDisorder(by int64) {
	r.late = 0
	if by > 0 {
		shift := max(bits.Len64(uint64(by))-3, 0)
		quarters := max((by+1<<shift-1)>>shift, 4)
		r.late = uint8(4*shift + int(quarters) - 3)
	}
}

// arrives notes that t comes after newest; no time is later than now.
func (r *ring) arrives(t, newest, now int64) {
	if by := r.latest(newest, now) - t; by > r.disorder() {
		r.setDisorder(by)
	}
}

// latest bounds the times of a ring whose latest arrival is newest.
func (r *ring) latest(newest, now int64) int64 { return min(now, newest+r.disorder()) }

// measure finds out how disordered a ring is.
func (rs *rings) measure(r *ring, distinct bool) {
	latest, by := int64(0), int64(0)
	older, newer, step := rs.arrivals(r, distinct, int(r.n))
	for _, part := range [...][]int64{older, newer} {
		for i := 0; i < len(part); i += step {
			latest = max(latest, part[i])
			by = max(by, latest-part[i])
		}
	}
	r.setDisorder(by)
}
