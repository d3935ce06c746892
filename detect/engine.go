package detect

import (
	"fmt"
	"math/bits"
	"net/netip"
	"slices"
	"time"
)

// Engine counts signals in sliding windows of log time, of addresses, networks,
// accounts and the site. Its memory is bounded by its Limits. Not safe for
// concurrent use.
type Engine struct {
	rules   []Rule
	meters  []meter
	sizes   []uint8 // by meter: of the bundle that it is the first of, or 0
	levels  []level
	wants   [kindCount]wants
	limits  Limits
	longest int64 // the longest window, in microseconds
	known   []netip.Prefix
	names   *Catalogue
	country func(netip.Addr) string

	redactor Redactor

	seed    seed
	pairs   pairs
	rings   rings
	sketch  *sketch
	phases  phases
	samples map[uint32]*samples // by the first pair of the bundle
	fresh   []uint32            // pairs that are unreported
	now     int64               // the latest signal's time
	barren  int64               // looking for what has expired is no use before this time
	stuck   patience            // with making room
	thrift  patience            // with those who came once or twice, since room was made
	scratch []int64
	line    *record // of the signal that is being observed, once it was needed

	accountKey key // likewise its account's
	keyed      bool

	byKind [kindCount]int64
	stats  Stats
}

// New returns an engine for rules. Errors name the rule.
func New(rules []Rule, limits Limits) (*Engine, error) {
	limits, err := limits.filled()
	if err != nil {
		return nil, err
	}
	e := &Engine{limits: limits, rules: slices.Clone(rules)}
	seen := map[string]bool{}
	for i := range e.rules {
		r := &e.rules[i]
		if err := r.check(); err != nil {
			return nil, fmt.Errorf("detection %q: %w", r.Name, err)
		}
		if seen[r.Name] {
			return nil, fmt.Errorf("detection %q: two rules have this name", r.Name)
		}
		seen[r.Name] = true
		r.Signals = slices.Compact(slices.Sorted(slices.Values(r.Signals)))
		e.longest = max(e.longest, r.Within.Microseconds())
	}
	if err := e.plan(); err != nil {
		return nil, err
	}
	for k := range e.wants {
		e.wants[k].phase = uint8(phaseOf(Kind(k)))
	}
	e.reset(newSeed(limits.Seed))
	return e, nil
}

// Know declares addresses that are good by themselves: it lowers their scores.
func (e *Engine) Know(prefixes []netip.Prefix) { e.known = slices.Clone(prefixes) }

func (e *Engine) reset(s seed) {
	e.seed = s
	e.pairs = newPairs(s, e.sizes)
	e.rings = rings{budget: max(8*e.limits.MaxSources, 1<<16)}
	e.samples = map[uint32]*samples{}
	e.sketch, e.phases = nil, phases{}
	e.fresh, e.now, e.barren, e.stuck, e.thrift = nil, 0, 0, patience{}, patience{}
}

// Observe takes one signal. Signals come in the order of the log; a clock that
// jumps back costs nothing but precision: a window is any set of the latest
// LegitimateThreshold signals (of different things: of their latest signals)
// that spans at most Within. An invalid signal is counted and otherwise ignored.
func (e *Engine) Observe(s Signal) { e.observe(&s, keyOf(s.Addr), noPair) }

// observe takes one signal, its address's key, and a guess where that is counted.
func (e *Engine) observe(s *Signal, addr key, hint uint32) {
	t := s.Time.UnixMicro()
	if !s.Kind.Valid() || !s.Addr.IsValid() || t <= 0 || t >= lastTime || s.Addr.Is6() && s.Addr.Zone() != "" {
		e.stats.Invalid++
		return
	}
	e.now = max(e.now, t)
	e.byKind[s.Kind] += int64(s.Times())
	w := &e.wants[s.Kind]
	e.line, e.keyed = nil, false
	if s.Kind.Success() {
		if e.succeed(addr, s.Kind, t, hint) {
			e.phases.observe(Exploitation, s.Kind, addr, t, s.Times())
		}
	} else {
		e.phases.observe(Phase(w.phase), s.Kind, addr, t, s.Times())
	}
	if !w.anybody {
		return
	}
	dealt := false
	v6 := !addr.isV4()
	for i, b := range w.own {
		if i > 0 {
			hint = noPair
		}
		detected, acted := e.tally(b, addr, t, s, hint)
		dealt = dealt || acted
		if v6 {
			if e.network(w.half[i], addr.half(), int64(bits.ReverseBytes64(addr.high)), detected, t, s) {
				dealt = true
			}
		}
	}
	if !dealt {
		for _, b := range w.networks {
			e.network(b, e.levels[b.level].network(addr), addr.unit(), 0, t, s)
		}
	}
	if len(w.accounts) > 0 && len(s.Account) > 0 {
		for _, b := range w.accounts {
			e.account(b, addr, dealt, t, s)
		}
	}
	for i := range w.site {
		e.site(&w.site[i], t, s)
	}
}

// Times are after 1970 and before 2200.
const lastTime = 7258118400_000_000

// succeed remembers a success; it reports whether the address had been detected.
func (e *Engine) succeed(addr key, by Kind, t int64, hint uint32) bool {
	i := e.mark(addr, markAddress, by, t, hint)
	if !addr.isV4() {
		e.mark(addr.half(), markHalf, by, t, noPair)
	}
	for l := range e.levels {
		if addr.isV4() && e.levels[l].small() {
			continue
		}
		e.mark(e.levels[l].network(addr), markLevel-uint16(l), by, t, noPair)
	}
	return i != noPair && e.pairs.at(i).flags&hostile != 0
}

func (e *Engine) mark(key key, mark uint16, by Kind, t int64, hint uint32) uint32 {
	i, ok := e.found(key, mark, hint)
	if !ok {
		if e.pairs.live >= e.limits.MaxSources {
			e.makeRoom(noPair)
			if e.pairs.live >= e.limits.MaxSources {
				e.stats.Untracked++
				return noPair
			}
		}
		i = e.pairs.insert(key, mark)
		if mark == markAddress && e.detected(key) {
			e.pairs.at(i).flags |= hostile
		}
	}
	p := e.pairs.at(i)
	p.last = max(p.last, t)
	p.legitBy = by
	return i
}

// detected reports whether an address was detected by itself.
func (e *Engine) detected(addr key) bool {
	for m := range e.meters {
		p := e.meters[m].part
		if n := e.sizes[m]; n > 0 && (p == ownPart || p == memberPart) {
			if i, ok := e.pairs.find(addr, uint16(m)); ok {
				for _, p := range e.pairs.bundle(i, n) {
					if p.flags&(crossed|withheld) == crossed {
						return true
					}
				}
			}
		}
	}
	return false
}

// found is find with a guess.
func (e *Engine) found(key key, meter uint16, hint uint32) (uint32, bool) {
	if hint != noPair {
		if p := e.pairs.at(hint); p.meter == meter && p.flags&inUse != 0 && p.key == key {
			return hint, true
		}
	}
	return e.pairs.find(key, meter)
}

// obtain finds or makes a bundle, noPair if there is no room for it: then the
// signal goes into the sketch, unless it has been there often enough.
func (e *Engine) obtain(b bundle, key key, s *Signal, hint uint32) uint32 {
	if i, ok := e.found(key, b.first, hint); ok {
		return i
	}
	if int(b.n) > e.vacant() && !e.admit(b, key, s) {
		return noPair
	}
	return e.pairs.insert(key, b.first)
}

// admit makes room for a bundle if it has earned it.
func (e *Engine) admit(b bundle, key key, s *Signal) bool {
	e.thrift.left--
	e.expire()
	if int(b.n) <= e.vacant() {
		return true
	}
	if e.sketch == nil {
		e.sketch = newSketch(e.limits.MaxSources)
	}
	if e.sketch.add(e.seed.hash(key, b.first), s.Times(), e.now, e.longest) < int(b.promote) {
		e.stats.Sketched++
		return false
	}
	if e.pairs.live+int(b.n) > e.limits.MaxSources {
		e.makeRoom(noPair)
	}
	if e.pairs.live+int(b.n) > e.limits.MaxSources {
		e.stats.Untracked++
		return false
	}
	return true
}

// LastTime returns the latest signal's time, zero before the first one.
func (e *Engine) LastTime() time.Time {
	if e.now == 0 {
		return time.Time{}
	}
	return time.UnixMicro(e.now).UTC()
}
