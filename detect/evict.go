package detect

import (
	"slices"
	"time"
)

// noPair is the number of no pair.
const noPair = ^uint32(0)

// makeRoom drops pairs, except keep: first what no window can need any more,
// then, if that is less than a sixteenth of the limit, the eighth that has
// been idle longest; detections only when nothing else is left, unreported
// ones never. It works in bulk, so that each dropped pair costs little; when
// there is next to nothing to drop it is not tried again for a while.
func (e *Engine) makeRoom(keep uint32) {
	if e.now < e.barren {
		return
	}
	before := e.pairs.live
	for i := range e.pairs.all() {
		p := e.pairs.at(i)
		if i != keep && p.flags&crossed == 0 && e.stale(p) {
			e.drop(i)
			e.stats.Expired++
		}
	}
	for _, spare := range []uint8{crossed, unreported} {
		if before-e.pairs.live >= max(1, before/16) {
			break
		}
		e.evict(keep, spare, max(1, before/8))
	}
	e.pairs.index(len(e.pairs.slots))
	if before-e.pairs.live < before/64 {
		e.barren = e.now + time.Minute.Microseconds()
	}
}

// evict drops about want pairs that have been idle longest, none with a flag of spare.
func (e *Engine) evict(keep uint32, spare uint8, want int) {
	var idle []int64
	stride := uint32(max(1, e.pairs.live/4096))
	candidates := 0
	for i := range e.pairs.all() {
		if p := e.pairs.at(i); i != keep && p.flags&spare == 0 {
			if candidates++; i%stride == 0 {
				idle = append(idle, p.last)
			}
		}
	}
	if candidates == 0 {
		return
	}
	cut := e.now
	if len(idle) > 0 && want < candidates {
		slices.Sort(idle)
		cut = idle[len(idle)*want/candidates]
	}
	for _, atCut := range []bool{false, true} {
		for i := range e.pairs.all() {
			if want <= 0 {
				return
			}
			p := e.pairs.at(i)
			if i != keep && p.flags&spare == 0 && (p.last < cut || atCut && p.last == cut) {
				e.drop(i)
				e.stats.Evicted++
				want--
			}
		}
	}
}

// stale reports whether no window and no memory can need p any more.
func (e *Engine) stale(p *pair) bool {
	if p.rule == markRule {
		return e.now-p.last > SuccessMemory.Microseconds()
	}
	return e.now-p.last > e.longest
}

func (e *Engine) drop(i uint32) {
	p := e.pairs.at(i)
	if p.rule != markRule {
		e.rings.release(&p.ring)
	}
	delete(e.samples, i)
	e.pairs.remove(i)
}
