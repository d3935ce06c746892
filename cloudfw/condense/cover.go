package condense

import (
	"net/netip"
	"slices"

	"fwsync/cloudfw"
)

// What a budget that names no width allows: a subnet of one site in IPv4, the
// network of one subscriber in IPv6.
const (
	DefaultWidestIPv4 = 24
	DefaultWidestIPv6 = 64
)

// Budget is how much may be blocked that nobody asked to block. The zero value
// allows nothing.
//
// An IPv4 innocent is one address. An IPv6 innocent is one /64, the least that a
// site is given: every /64 that a covering prefix touches and that is not blocked
// as a whole counts.
type Budget struct {
	Innocents  uint64 // of all covering prefixes together
	WidestIPv4 int    // fewest bits of a covering prefix; 0 means DefaultWidestIPv4
	WidestIPv6 int    // likewise, DefaultWidestIPv6
}

func (b Budget) widest(f cloudfw.Family) int {
	switch {
	case f == cloudfw.IPv4 && b.WidestIPv4 > 0:
		return b.WidestIPv4
	case f == cloudfw.IPv4:
		return DefaultWidestIPv4
	case b.WidestIPv6 > 0:
		return b.WidestIPv6
	}
	return DefaultWidestIPv6
}

// Merge is a prefix that stands for several, and its price.
type Merge struct {
	Prefix    netip.Prefix
	Members   int    // how many of the given prefixes it stands for, at least 2
	Innocents uint64 // in the unit of Budget; 0 without loss
}

// Covering is what Cover chose.
type Covering struct {
	Prefixes  []netip.Prefix // ascending, disjoint; more than the places when the budget did not suffice
	Merges    []Merge        // those of Prefixes that were not given, ascending
	Innocents uint64
}

// Cover chooses prefixes that hold all the given ones in at most so many places and
// lose the least: the innocents are as few as possible and within the budget. When
// the budget does not suffice it saves as many places as the budget can buy. The
// given prefixes are one family's, as Aggregate returns them; no covering prefix
// overlaps a protected one or space that cloudfw.Reserved names.
//
// The choice is exact (a knapsack over the binary trie) as long as that takes
// moderate work. Beyond, the cheapest links of the trie are cut first, which yields
// optimal covers for some numbers of places, and the exact method covers the rest
// of the way from the last of them.
func Cover(given []netip.Prefix, places int, budget Budget, protected []netip.Prefix) Covering {
	return cover(given, places, budget, protected, mostWork)
}

// mostWork bounds the steps of the exact method: some 50 ms.
const mostWork = 16 << 20

func cover(given []netip.Prefix, places int, budget Budget, protected []netip.Prefix, work int) Covering {
	kept := Covering{Prefixes: slices.Clone(given)}
	need := len(given) - max(places, 0)
	if need <= 0 || budget.Innocents == 0 {
		return kept
	}
	keys := make([]key, len(given))
	family := cloudfw.FamilyOf(given[0])
	for i, p := range given {
		k, f, ok := keyOf(p)
		if !ok || f != family {
			panic("condense: Cover takes the prefixes of one family, as Aggregate returns them")
		}
		keys[i] = k
	}
	c := newCoverer(keys, family, budget, protected)
	chosen := c.choose(need, min(budget.Innocents, forbidden-1), work)

	kept.Prefixes = kept.Prefixes[:0]
	c.walk(c.root(), func(n int32) {
		if e := c.nodes[n].entry; e != none {
			kept.Prefixes = append(kept.Prefixes, given[e])
			return
		}
		m := Merge{c.nodes[n].prefix(family), int(c.leaves[n]), c.price[n]}
		kept.Prefixes = append(kept.Prefixes, m.Prefix)
		kept.Merges = append(kept.Merges, m)
		kept.Innocents += m.Innocents
	}, chosen)
	return kept
}

// forbidden is the price of a covering prefix that must not be: above every budget,
// and small enough for two of them to be added.
const forbidden = uint64(1) << 62

// coverer is a trie over disjoint keys with what each node costs and saves.
type coverer struct {
	*trie
	leaves []int32  // given prefixes at or below the node
	price  []uint64 // innocents if the node becomes one prefix; 0 for a leaf
}

func newCoverer(keys []key, family cloudfw.Family, budget Budget, protected []netip.Prefix) *coverer {
	t := newTrie(keys)
	c := &coverer{t, make([]int32, len(t.nodes)), make([]uint64, len(t.nodes))}
	shield := keysOf(protected, family)
	inside := make([]uint64, len(t.nodes)) // blocked units, modulo 2^64
	for _, n := range t.order {
		node := &t.nodes[n]
		if node.entry != none {
			c.leaves[n], inside[n] = 1, units(node.bits, family)
			continue
		}
		c.leaves[n] = c.leaves[node.left] + c.leaves[node.right]
		inside[n] = inside[node.left] + inside[node.right]
		c.price[n] = forbidden
		if node.bits < budget.widest(family) || c.price[node.left] == forbidden || c.price[node.right] == forbidden {
			continue
		}
		price := uint64(1) // within one /64
		if family == cloudfw.IPv4 || node.bits < 64 {
			price = units(node.bits, family) - inside[n]
		}
		if price > budget.Innocents || overlaps(shield, node.key) {
			continue
		}
		if _, reserved := cloudfw.Reserved(node.prefix(family)); !reserved {
			c.price[n] = price
		}
	}
	return c
}

// units is how many addresses, or whole networks of 64 bits, a prefix holds, modulo
// 2^64: differences between a prefix and what is in it are right all the same.
func units(bits int, family cloudfw.Family) uint64 {
	if family == cloudfw.IPv4 {
		return 1 << (32 - bits)
	}
	if bits > 64 {
		return 0
	}
	return 1 << (64 - bits) // 0 for ::/0
}

// keysOf are the keys of one family, sorted and disjoint.
func keysOf(prefixes []netip.Prefix, family cloudfw.Family) []key {
	var keys []key
	for _, p := range prefixes {
		if k, f, ok := keyOf(p); ok && f == family {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, key.compare)
	return sweep(keys)
}

// overlaps reports whether k shares an address with one of the sorted, disjoint keys.
func overlaps(disjoint []key, k key) bool {
	at, _ := slices.BinarySearchFunc(disjoint, k, key.compare)
	return at < len(disjoint) && k.covers(disjoint[at]) || at > 0 && disjoint[at-1].covers(k)
}

// holds reports whether one of the sorted, disjoint keys holds all of k.
func holds(disjoint []key, k key) bool {
	at, found := slices.BinarySearchFunc(disjoint, k, key.compare)
	return found || at > 0 && disjoint[at-1].covers(k)
}

// held is holds for many sorted keys in one pass.
func held(disjoint, sorted []key) []bool {
	all := make([]bool, len(sorted))
	at := 0
	for i, k := range sorted {
		for at < len(disjoint) && disjoint[at].compare(k) <= 0 {
			at++
		}
		all[i] = at > 0 && disjoint[at-1].covers(k)
	}
	return all
}

// walk visits what is in place: chosen nodes, and the leaves that none of them holds.
func (c *coverer) walk(n int32, visit func(int32), chosen map[int32]bool) {
	if c.nodes[n].entry != none || chosen[n] {
		visit(n)
		return
	}
	c.walk(c.nodes[n].left, visit, chosen)
	c.walk(c.nodes[n].right, visit, chosen)
}

// choose returns the nodes that become one prefix each.
func (c *coverer) choose(need int, budget uint64, work int) map[int32]bool {
	if chosen, ok := c.exact(map[int32]bool{}, need, budget, work); ok {
		return chosen
	}
	return c.cut(need, budget, work)
}
