package detect

import (
	"fmt"
	"slices"
)

// part says which of a rule's counters a meter is. The numbers are in states.
type part uint8

const (
	ownPart     part = iota // of one address
	halfPart                // of the /64 of an IPv6 address
	networkPart             // of a network
	membersPart             // the different members of a network or /64; follows its meter
	accountPart             // the different addresses or networks of an account
	memberPart              // a detected address of an account; counts by itself nothing
	sitePart                // all sources
)

// meter is one counter of a rule; a pair is a meter at a key.
type meter struct {
	part     part
	distinct bool // it counts different items
	acts     bool
	bare     bool // success does not speak for anybody
	abroad   bool // it counts countries
	rule     uint16
	mark     uint16 // which success mark speaks for the key
	need     int    // the threshold
	limit    int    // how far it counts: the legitimate threshold
	within   int64  // µs
	member   uint16 // of accountPart: the meter of those it detects
	lends    uint8  // of ownPart: the place in the bundle of the one whose ring it looks into
}

// bundle is the meters that always count together, by kind of signal and key:
// they lie next to each other, and are found with one lookup.
type bundle struct {
	first   uint16
	n       uint8
	level   uint8  // of networks
	promote uint8  // so many signals in the sketch make room for exact counters
	hint    uint32 // of the site: the number of its first pair + 1, as it was last
}

const maxBundle = 32

// level is a width of networks.
type level struct{ ipv4, ipv6 int }

// Meters from markLow on are success marks: of an address, of the /64 of an
// IPv6 address, and one for each level of networks.
const (
	markAddress = 0xffff
	markHalf    = 0xfffe
	markLevel   = 0xfffd // minus the level's number
	markLow     = 0xff00
	maxLevels   = 8
)

// wants is who counts one kind of signal.
type wants struct {
	own, half, networks, accounts, site []bundle
	anybody                             bool
	phase                               uint8
}

// plan lays the rules' meters out.
func (e *Engine) plan() error {
	type group struct {
		subject Subject
		level   level
		signals string
		chunk   int
	}
	groups := map[group][]int{}
	var order []group
	for i := range e.rules {
		r := &e.rules[i]
		g := group{subject: r.Of, signals: fmt.Sprintf("%d", r.Signals)}
		if r.Of == OfNetwork {
			g.level.ipv4, g.level.ipv6 = r.bits()
		}
		for len(groups[g]) >= maxBundle/2 {
			g.chunk++
		}
		if groups[g] == nil {
			order = append(order, g)
		}
		groups[g] = append(groups[g], i)
	}
	e.sizes = make([]uint8, markLow)
	for _, g := range order {
		rules := groups[g]
		// Meters that count every signal come first, so that a pair at the head counts whenever its bundle does.
		slices.SortStableFunc(rules, func(a, b int) int { return int(e.rules[a].Count) - int(e.rules[b].Count) })
		signals := e.rules[rules[0]].Signals
		each := func(add func(*wants)) {
			for _, k := range signals {
				e.wants[k].anybody = true
				add(&e.wants[k])
			}
		}
		switch g.subject {
		case OfAddress:
			own := e.bundle(rules, ownPart, markAddress)
			half := e.bundle(rules, halfPart, markHalf)
			each(func(w *wants) { w.own, w.half = append(w.own, own), append(w.half, half) })
		case OfNetwork:
			at := slices.Index(e.levels, g.level)
			if at < 0 {
				if at = len(e.levels); at == maxLevels {
					return fmt.Errorf("detection %q: more than %d widths of networks", e.rules[rules[0]].Name, maxLevels)
				}
				e.levels = append(e.levels, g.level)
			}
			b := e.bundle(rules, networkPart, markLevel-uint16(at))
			b.level = uint8(at)
			each(func(w *wants) { w.networks = append(w.networks, b) })
		case OfAccount:
			b := e.bundle(rules, accountPart, markAddress)
			for j := range rules {
				m := e.bundle(rules[j:j+1], memberPart, markAddress)
				e.meters[int(b.first)+j].member = m.first
			}
			each(func(w *wants) { w.accounts = append(w.accounts, b) })
		case OfSite:
			b := e.bundle(rules, sitePart, markAddress)
			each(func(w *wants) { w.site = append(w.site, b) })
		}
	}
	if len(e.meters) >= markLow {
		return fmt.Errorf("%d rules are too many", len(e.rules))
	}
	return nil
}

func (e *Engine) bundle(rules []int, p part, mark uint16) bundle {
	b := bundle{first: uint16(len(e.meters)), promote: 3}
	for _, i := range rules {
		r := &e.rules[i]
		m := meter{
			part: p, rule: uint16(i), mark: mark, acts: r.Acts, distinct: r.Count != Signals, bare: r.Of == OfSite || r.Count.places(), abroad: r.Count == Countries,
			need: r.Threshold, limit: r.legitimate(), within: r.Within.Microseconds(),
		}
		b.promote = min(b.promote, uint8(min(m.need, 3)))
		e.meters = append(e.meters, m)
		if p == networkPart || p == halfPart {
			m.part, m.distinct, m.need, m.limit = membersPart, true, max(r.Members, HalfMembers), MaxDistinct
			e.meters = append(e.meters, m)
		}
	}
	b.n = uint8(len(e.meters) - int(b.first))
	if p == ownPart {
		lend(e.meters[b.first:])
	}
	if len(e.meters) < len(e.sizes) {
		e.sizes[b.first] = b.n
	}
	return b
}

// lend lets the meters of one address that count every signal share the arrivals of the
// one that looks back farthest: they see the same.
func lend(meters []meter) {
	far := 0
	for j := range meters {
		meters[j].lends = uint8(j)
		if !meters[j].distinct && meters[j].limit > meters[far].limit {
			far = j
		}
	}
	for j := range meters {
		if !meters[j].distinct {
			meters[j].lends = uint8(far)
		}
	}
}

// lender is the place in the bundle of the meter whose ring the one at a place looks into.
func (m *meter) lender(place int) int {
	if m.part == ownPart {
		return int(m.lends)
	}
	return place
}

// meterOf finds the meter of a rule's part.
func (e *Engine) meterOf(rule int, p part) (uint16, bool) {
	for i := range e.meters {
		if m := &e.meters[i]; int(m.rule) == rule && m.part == p {
			return uint16(i), true
		}
	}
	return 0, false
}

// headOf is the first meter of the bundle that a meter lies in.
func (e *Engine) headOf(m uint16) uint16 {
	for m > 0 && m < markLow && e.sizes[m] == 0 {
		m--
	}
	return m
}
