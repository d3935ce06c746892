package lower

import (
	"net/netip"
	"slices"

	"fwsync/cloudfw"
	"fwsync/cloudfw/condense"
)

// Condensed is a prefix that stands for several blocks in one target, as it had no
// room for each of them.
type Condensed struct {
	Target    string       `json:"target"`
	Prefix    netip.Prefix `json:"prefix"`
	Members   int          `json:"members"`             // blocks that it stands for
	Innocents uint64       `json:"innocents,omitempty"` // what it blocks besides: IPv4 addresses, or IPv6 networks of 64 bits
}

// Places is the room for one family's blocks in one target. The firewalls of an
// account share their books, and so their places.
type Places struct {
	Target string
	Family cloudfw.Family
	Before int // taken now
	After  int
	Limit  int    // the reserve left out
	Bound  string // the limit that leaves no more
}

// chooser fits blocks into places and keeps account of what that costs. Groups with
// as many places and the same blocks in them get the same answer, so they share it.
type chooser struct {
	intent     cloudfw.Intent
	protected  []netip.Prefix
	candidates map[cloudfw.Family][]condense.Candidate // their ID is the index of the block
	pools      map[cloudfw.Family]*condense.Pool
	known      map[question]condense.Selection
}

// question is all that a selection depends on beside the candidates.
type question struct {
	family cloudfw.Family
	places int
	held   string
}

func newChooser(intent cloudfw.Intent, live cloudfw.Snapshot) *chooser {
	c := &chooser{
		intent:     intent,
		candidates: map[cloudfw.Family][]condense.Candidate{},
		pools:      map[cloudfw.Family]*condense.Pool{}, known: map[question]condense.Selection{},
	}
	for _, e := range intent.Allowed {
		c.protected = append(c.protected, e.Prefix)
	}
	for _, a := range live.Assets {
		c.protected = append(c.protected, cloudfw.HostPrefix(a.Address))
	}
	for i, b := range intent.Blocked {
		f := cloudfw.FamilyOf(b.Prefix)
		if c.candidates[f] == nil {
			c.candidates[f] = make([]condense.Candidate, 0, len(intent.Blocked))
		}
		c.candidates[f] = append(c.candidates[f], condense.Candidate{Prefix: b.Prefix, Score: b.Score, ID: i})
	}
	for _, f := range cloudfw.Families {
		c.pools[f] = condense.NewPool(c.candidates[f])
	}
	return c
}

func (c *chooser) choose(f cloudfw.Family, places int, held []netip.Prefix) condense.Selection {
	collateral := c.intent.Collateral
	return c.pools[f].Select(condense.Terms{
		Places: max(places, 0),
		Budget: condense.Budget{
			Innocents:  uint64(max(collateral.Innocents, 0)),
			WidestIPv4: collateral.WidestIPv4, WidestIPv6: collateral.WidestIPv6,
		},
		Protected: c.protected,
		Held:      held,
		Margin:    condense.DefaultMargin,
	})
}

// chooseAgain is choose for one of many targets, each of few places.
func (c *chooser) chooseAgain(f cloudfw.Family, places int, held []netip.Prefix) condense.Selection {
	text := make([]byte, 0, 18*len(held))
	for _, p := range held {
		text, _ = p.AppendBinary(text) // never an error, and of one length for one family
	}
	q := question{f, places, string(text)}
	chosen, ok := c.known[q]
	if !ok {
		chosen = c.choose(f, places, held)
		c.known[q] = chosen
	}
	return chosen
}

// record lists the merges and the evictions of a selection.
func (w *Wanted) record(target string, chosen condense.Selection, blocked []cloudfw.Block, reason string, most int) {
	for _, m := range chosen.Merges {
		w.Condensed = append(w.Condensed, Condensed{target, m.Prefix, m.Members, m.Innocents})
	}
	for _, e := range chosen.Evicted[:min(len(chosen.Evicted), most)] {
		w.Shelved = append(w.Shelved, Shelved{Target: target, Block: blocked[e.ID], Reason: reason})
	}
	if more := len(chosen.Evicted) - most; more > 0 {
		w.Shelved[len(w.Shelved)-1].More = more
	}
}

// mostShelved bounds how many blocks of one kind a target lists as shelved, the worst
// of them: small targets beside a large attack shelve nearly all of it, each of them.
// Many targets share the bound, down to fewestShelved.
const (
	mostShelved   = 1000
	fewestShelved = 10
)

func shelvedFor(targets int) int { return max(mostShelved/max(targets, 1), fewestShelved) }

// overflow takes out of a selection what found no home. What is in place already of
// that, and holds blocks only, stays until there is room; the candidates that nothing
// holds then count as evicted.
func overflow(chosen condense.Selection, candidates []condense.Candidate, homeless, held []netip.Prefix) condense.Selection {
	holder := func(disjoint []netip.Prefix, p netip.Prefix) bool {
		return slices.ContainsFunc(disjoint, func(q netip.Prefix) bool { return cloudfw.Covers(q, p) })
	}
	without := func(p netip.Prefix) bool {
		_, found := slices.BinarySearchFunc(homeless, p, cloudfw.ComparePrefixes)
		return found
	}
	rest := condense.Selection{
		Prefixes: slices.DeleteFunc(slices.Clone(chosen.Prefixes), without),
		Merges:   slices.DeleteFunc(slices.Clone(chosen.Merges), func(m condense.Merge) bool { return without(m.Prefix) }),
		Evicted:  slices.Clone(chosen.Evicted),
	}
	blocked := condense.Aggregate(prefixesOf(candidates))
	for _, p := range held {
		if !holder(homeless, p) || !holder(blocked, p) {
			continue
		}
		rest.Prefixes = append(rest.Prefixes, p)
		members := 0
		for _, c := range candidates {
			if cloudfw.Covers(p, c.Prefix) {
				members++
			}
		}
		if members > 1 {
			rest.Merges = append(rest.Merges, condense.Merge{Prefix: p, Members: members})
		}
	}
	rest.Prefixes = cloudfw.SortPrefixes(rest.Prefixes)
	slices.SortFunc(rest.Merges, func(a, b condense.Merge) int { return cloudfw.ComparePrefixes(a.Prefix, b.Prefix) })
	for _, c := range candidates {
		if holder(homeless, c.Prefix) && !holder(rest.Prefixes, c.Prefix) {
			rest.Evicted = append(rest.Evicted, c)
		}
	}
	return rest
}

func prefixesOf(candidates []condense.Candidate) []netip.Prefix {
	all := make([]netip.Prefix, len(candidates))
	for i, c := range candidates {
		all[i] = c.Prefix
	}
	return all
}
