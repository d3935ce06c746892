package detect

import (
	"slices"
	"time"
)

// noPair is the number of no pair.
const noPair = ^uint32(0)

// expire drops what no window can need any more.
func (e *Engine) expire() {
	if e.now < e.barren {
		return
	}
	before := e.pairs.live
	for i := range e.heads() {
		if e.flagged(i, crossed) == 0 && e.stale(i) {
			e.drop(i)
			e.stats.Expired++
		}
	}
	if e.pairs.live < before {
		e.pairs.index(len(e.pairs.slots))
	}
	if before-e.pairs.live < before/64 {
		e.barren = e.now + time.Minute.Microseconds()
	}
}

// forget drops all that is stale, detections too.
func (e *Engine) forget() {
	before := e.pairs.live
	for i := range e.heads() {
		if e.stale(i) {
			e.drop(i)
			e.stats.Expired++
		}
	}
	if e.pairs.live < before {
		e.pairs.index(len(e.pairs.slots))
	}
}

// makeRoom drops bundles, except keep: first what no window can need any more,
// then, if that is less than a sixteenth of the limit, the eighth that has
// been idle longest; detections only when nothing else is left, unreported
// ones never. It works in bulk, so that each dropped pair costs little; when
// there is next to nothing to drop it is not tried again for a while.
func (e *Engine) makeRoom(keep uint32) {
	if e.now < e.stuck {
		return
	}
	before := e.pairs.live
	for i := range e.heads() {
		if i != keep && e.flagged(i, crossed) == 0 && e.stale(i) {
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
		e.stuck = e.now + time.Minute.Microseconds()
	}
}

// heads yields the first pair of each bundle, in no meaningful order.
func (e *Engine) heads() func(yield func(uint32) bool) {
	return func(yield func(uint32) bool) {
		for i := range e.pairs.all() {
			if e.pairs.size(e.pairs.at(i).meter) > 0 && !yield(i) {
				return
			}
		}
	}
}

func (e *Engine) bundleAt(i uint32) []pair {
	return e.pairs.bundle(i, e.pairs.size(e.pairs.at(i).meter))
}

// flagged returns those of flags that a pair of the bundle has. The site's bundles have all.
func (e *Engine) flagged(i uint32, flags uint8) (has uint8) {
	for _, p := range e.bundleAt(i) {
		if p.meter < markLow && e.meters[p.meter].part == sitePart {
			return flags
		}
		has |= p.flags & flags
	}
	return has
}

// idleSince is when the bundle last counted anything.
func (e *Engine) idleSince(i uint32) (last int64) {
	for _, p := range e.bundleAt(i) {
		last = max(last, p.last)
	}
	return last
}

// evict drops about want pairs that have been idle longest, none with a flag of spare.
func (e *Engine) evict(keep uint32, spare uint8, want int) {
	var idle []int64
	stride := max(1, e.pairs.heads/4096)
	candidates := 0
	pairs := 0
	for i := range e.heads() {
		if i != keep && e.flagged(i, spare) == 0 {
			if candidates%stride == 0 {
				idle = append(idle, e.idleSince(i))
			}
			candidates++
			pairs += len(e.bundleAt(i))
		}
	}
	if candidates == 0 {
		return
	}
	cut := e.now
	if want < pairs {
		slices.Sort(idle)
		cut = idle[len(idle)*want/pairs]
	}
	for _, atCut := range []bool{false, true} {
		for i := range e.heads() {
			if want <= 0 {
				return
			}
			if last := e.idleSince(i); i != keep && (last < cut || atCut && last == cut) && e.flagged(i, spare) == 0 {
				want -= len(e.bundleAt(i))
				e.drop(i)
				e.stats.Evicted++
			}
		}
	}
}

// stale reports whether no window and no memory can need a bundle any more.
func (e *Engine) stale(i uint32) bool {
	if e.pairs.at(i).meter >= markLow {
		return e.now-e.pairs.at(i).last > SuccessMemory.Microseconds()
	}
	return e.now-e.idleSince(i) > e.longest
}

func (e *Engine) drop(i uint32) {
	for _, p := range e.bundleAt(i) {
		e.rings.release(&p.ring)
	}
	delete(e.samples, i)
	e.pairs.remove(i)
}
