package detect

import (
	"math/bits"
	"slices"
)

// reached is what arrive returns of the newest arrival of a ring, of which only the latest
// so many are p's.
func (e *Engine) reached(p *pair, m *meter, r *ring, own int, t int64) int {
	// One more arrival makes the largest window at most one larger, and none that
	// is larger than the largest can hold.
	peak := int(p.ring.peak)
	if larger := min(peak+1, m.limit); own >= larger {
		switch e.holds(p, m, r, t, larger) {
		case yes:
			p.ring.peak = max(p.ring.peak, uint16(larger))
			return larger
		case unclear:
			return e.look(p, m, r, own, t)
		}
	}
	if p.flags&(crossed|withheld) == crossed && m.part != networkPart && m.part != halfPart && m.part != sitePart {
		return 0 // nobody asks any more
	}
	if peak >= m.need && own >= m.need {
		switch e.holds(p, m, r, t, m.need) {
		case yes:
			return m.need
		case unclear:
			return e.look(p, m, r, own, t)
		}
	}
	return 0
}

// look counts what holds cannot tell.
func (e *Engine) look(p *pair, m *meter, r *ring, own int, t int64) (largest int) {
	// A window no larger than the peak that crosses nothing is all the same.
	known := min(int(p.ring.peak), m.need-1)
	largest, e.scratch = e.rings.largestWith(r, m.distinct, min(own, m.limit), t, m.within, known, e.scratch)
	p.ring.peak = max(p.ring.peak, uint16(largest))
	return largest
}

// held is whether arrivals lie in one window.
type held uint8

const (
	no held = iota
	yes
	unclear // they are too disordered
)

// holds tells whether k of a ring's arrivals lie in one window with the newest, which was at
// t. If they came in order of time it is the latest k that may. Else whatever came after the
// k-th latest is at most the ring's disorder before it, and whatever came before it at most
// as much after it.
func (e *Engine) holds(p *pair, m *meter, r *ring, t int64, k int) held {
	n := int(r.n)
	switch {
	case k > n:
		return no
	case k == n && uint32(k) == p.count && m.part == ownPart && !m.distinct:
		return heldIf(p.last-p.first <= m.within) // all there ever were: the oldest need not be fetched
	}
	oldest := e.rings.fromEnd(r, m.distinct, k)
	if r.late == 0 {
		return heldIf(t-oldest <= m.within)
	}
	disorder := r.disorder()
	switch {
	case t-(oldest+disorder) > m.within:
		return no
	case r.latest(t, e.now)-(oldest-disorder) <= m.within:
		return yes
	}
	return unclear
}

func heldIf(b bool) held {
	if b {
		return yes
	}
	return no
}

// largestWith returns the size of the largest set of timestamps that contains
// t and spans at most within, whatever their order of arrival, among the latest limit, of
// which t is one; or, where that is no more than known, a number from 0 to known.
// Now and then it finds out how disordered the ring still is.
func (rs *rings) largestWith(r *ring, distinct bool, limit int, t, within int64, known int, scratch []int64) (largest int, _ []int64) {
	if distinct || r.head%64 == 0 {
		rs.measure(r, distinct)
	}
	near, oldest, newest := scratch[:0], t, t
	first := t - within - r.disorder()        // all that arrived before an earlier time than this is too far away
	spare := min(limit, int(r.n)) - known - 1 // so many may be too far away
	older, newer, step := rs.arrivals(r, distinct, limit)
scan:
	for _, part := range [...][]int64{newer, older} {
		for i := len(part) - step; i >= 0; i -= step {
			at := part[i]
			switch {
			case uint64(at-t+within) <= uint64(2*within):
				near = append(near, at)
				oldest, newest = min(oldest, at), max(newest, at)
			case at < first:
				break scan
			default:
				spare--
			}
			if spare <= 0 && (spare < 0 || newest-oldest > within) {
				return 0, near
			}
		}
	}
	if len(near) <= known {
		return 0, near
	}
	if newest-oldest <= within {
		return len(near), near
	}
	if mostWithin(near, t, within) <= known {
		return 0, near
	}
	slices.Sort(near)
	from := 0
	for to, last := range near {
		for last-near[from] > within {
			from++
		}
		if near[from] <= t && t <= last {
			largest = max(largest, to-from+1)
		}
	}
	return largest, near
}

// mostWithin bounds how many of near, which are at most within from t, span at most within
// together with t. It takes a part of the time that sorting them would.
func mostWithin(near []int64, t, within int64) (most int) {
	const middle = 32                                  // t's part
	shift := max(bits.Len64(uint64(within))-5, 0) & 63 // a part is within/32 to within/16 long
	span := int(within>>shift) + 2                     // so many parts may be touched
	var parts [2*middle + 1]int
	for _, at := range near {
		parts[(at-t)>>shift+middle]++
	}
	for i, sum := 0, 0; i < min(middle+span, len(parts)); i++ {
		sum += parts[i]
		if i >= span {
			sum -= parts[i-span]
		}
		if i >= middle {
			most = max(most, sum)
		}
	}
	return most
}
