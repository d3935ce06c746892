package detect

import (
	"slices"
	"time"
)

// noPair is the number of no pair.
const noPair = ^uint32(0)

// expire drops what no window can need any more. It looks through all pairs, so that it is
// not done again before a sixteenth of them can go.
func (e *Engine) expire() {
	if e.now < e.barren {
		return
	}
	e.sweep(noPair, crossed)
	e.barren = max(e.now+time.Minute.Microseconds(), e.staleSoon())
}

// staleSoon is when a sixteenth of the pairs, or all of those that are no detections, will be
// stale if nothing comes, as a sample of them tells.
func (e *Engine) staleSoon() int64 {
	var needed []int64
	all := 0
	for i := uint32(0); i < e.pairs.used; i += max(1, e.pairs.used/4096) {
		p := e.pairs.at(i)
		if p.flags&inUse == 0 {
			continue
		}
		all++
		if x := e.lookAt(i - uint32(p.meter-e.headOf(p.meter))); x.flags&crossed == 0 {
			needed = append(needed, x.needed)
		}
	}
	if len(needed) == 0 {
		return e.now + time.Hour.Microseconds()
	}
	slices.Sort(needed)
	return needed[min(all/16, len(needed)-1)] + 1
}

// forget drops all that is stale, detections too.
func (e *Engine) forget() { e.sweep(noPair, 0) }

// sweep drops the bundles that are stale, but keep and those with a flag of spare.
func (e *Engine) sweep(keep uint32, spare uint8) {
	for i := range e.heads() {
		if x := e.lookAt(i); i != keep && x.flags&spare == 0 && x.stale(e.now) {
			e.drop(i)
			e.stats.Expired++
		}
	}
}

// patience lasts until a time of the log, or until so many have asked, if that is not before
// the least time.
type patience struct {
	until, least int64
	left         int
}

func (p *patience) over(now int64) bool {
	return now >= p.until || p.left <= 0 && now >= p.least
}

// makeRoom drops bundles, except keep: first what no window can need any more,
// then, if that is less than a sixteenth of the limit, the eighth that has
// been idle longest; detections only when nothing else is left, unreported
// ones never. It works in bulk, so that each dropped pair costs little; when
// there is next to nothing to drop it is not tried again for a while.
func (e *Engine) makeRoom(keep uint32) {
	e.stuck.left--
	if !e.stuck.over(e.now) {
		return
	}
	before := e.pairs.live
	e.sweep(keep, crossed)
	for _, spare := range []uint8{crossed, unreported} {
		if before-e.pairs.live >= max(1, before/16) {
			break
		}
		e.evict(keep, spare, max(1, before/8))
	}
	hour := e.now + time.Hour.Microseconds()
	e.thrift = patience{until: hour, left: e.limits.MaxSources}
	e.stuck = patience{}
	if before-e.pairs.live < before/64 {
		e.stuck = patience{until: hour, least: e.now + time.Minute.Microseconds(), left: before / 16}
	}
}

// vacant is how many more pairs there may be for whoever comes. When room was made lately a
// sixteenth is only for who has earned it, so that many who come once do not have it made
// again and again.
func (e *Engine) vacant() int {
	n := e.limits.MaxSources - e.pairs.live
	if !e.thrift.over(e.now) {
		n -= e.limits.MaxSources / 16
	}
	return n
}

// heads yields the first pair of each bundle, in no meaningful order.
func (e *Engine) heads() func(yield func(uint32) bool) {
	return func(yield func(uint32) bool) {
		for i := uint32(0); i < e.pairs.used; {
			n := uint32(1)
			if p := e.pairs.at(i); p.flags&inUse != 0 {
				n = uint32(e.pairs.size(p.meter))
				if !yield(i) {
					return
				}
			}
			i += n
		}
	}
}

func (e *Engine) bundleAt(i uint32) []pair {
	return e.pairs.bundle(i, e.pairs.size(e.pairs.at(i).meter))
}

// look is what tells whether a bundle may go.
type look struct {
	flags  uint8 // that one of its pairs has; the site's have all
	last   int64 // when it last counted anything
	needed int64 // how long a window or memory can need it
}

func (x look) stale(now int64) bool { return now > x.needed }

func (e *Engine) lookAt(i uint32) (x look) {
	ps := e.bundleAt(i)
	for j := range ps {
		x.flags |= ps[j].flags
		x.last = max(x.last, ps[j].last)
	}
	switch meter := ps[0].meter; {
	case meter >= markLow:
		x.needed = x.last + SuccessMemory.Microseconds()
	case e.meters[meter].part == sitePart:
		x.flags = ^uint8(0)
		fallthrough
	default:
		x.needed = x.last + e.longest
	}
	return x
}

// evict drops about want pairs that have been idle longest, none with a flag of spare.
func (e *Engine) evict(keep uint32, spare uint8, want int) {
	var idle []int64
	stride := max(1, e.pairs.heads/4096)
	candidates := 0
	pairs := 0
	for i := range e.heads() {
		x := e.lookAt(i)
		if i == keep || x.flags&spare != 0 {
			continue
		}
		if candidates%stride == 0 {
			idle = append(idle, x.last)
		}
		candidates++
		pairs += len(e.bundleAt(i))
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
			if x := e.lookAt(i); i != keep && x.flags&spare == 0 && (x.last < cut || atCut && x.last == cut) {
				want -= len(e.bundleAt(i))
				e.drop(i)
				e.stats.Evicted++
			}
		}
	}
}

func (e *Engine) drop(i uint32) {
	for _, p := range e.bundleAt(i) {
		e.rings.release(&p.ring)
	}
	delete(e.samples, i)
	e.pairs.remove(i)
}
