package condense

import (
	"net/netip"
	"slices"

	"fwsync/cloudfw"
)

// Terms are what a selection has to respect.
type Terms struct {
	Places    int
	Budget    Budget         // zero: without loss
	Protected []netip.Prefix // no covering prefix overlaps them
	Held      []netip.Prefix // what is in place now
	Margin    int            // below 1 means DefaultMargin
}

// Selection is what gets a place.
type Selection struct {
	Prefixes []netip.Prefix // ascending, at most Terms.Places
	Merges   []Merge        // those of Prefixes that stand for several candidates, ascending
	Evicted  []Candidate    // held by none of Prefixes, by rank
}

// Select finds room for the candidates, all of one family and each valid; which of
// them are in place it takes from the terms. Each measure is taken only if the one
// before it does not suffice:
//
//  1. Everybody gets a place. A prefix in place that is exactly a union of
//     candidates goes on standing for them, and nothing else is touched.
//  2. Aggregate, without loss.
//  3. Cover, within the budget.
//  4. Eviction, in the order of rank: from the bottom, until the others fit; who
//     merges with them, and so needs no place, stays all the same. With a budget the
//     places are given to as long a run from the top as Cover can fit in (to within
//     a 64th), if that blocks more of the candidates.
//
// Without a budget, a newcomer that ranks below everybody displaces nobody. With
// one, who is in place has no advantage at 4: the covers of the moment would decide
// about the next ones, which need not come to rest.
func Select(candidates []Candidate, terms Terms) Selection {
	return NewPool(candidates).Select(terms)
}

// Select is the function of that name for the pool's candidates. The selection's
// Evicted is the caller's to read, not to change.
func (p *Pool) Select(terms Terms) Selection {
	if len(p.candidates) == 0 {
		return Selection{}
	}
	s := &selection{Pool: p, terms: terms}
	if len(s.keys) <= terms.Places {
		return s.result(s.settle())
	}
	if all := s.aggregated(); len(all) <= terms.Places {
		return s.result(all)
	} else if covering, ok := s.cover(all); ok {
		return s.result(covering)
	}
	inPlace := make([]bool, len(s.keys))
	if terms.Budget.Innocents == 0 {
		inPlace = held(keysOf(terms.Held, s.family), s.keys)
	}
	chosen, stays, ranked := s.settled(inPlace)
	result := s.result(chosen)
	gone := 0
	for _, r := range ranked {
		if !stays[r.entry] {
			gone++
		}
	}
	result.Evicted = make([]Candidate, 0, gone)
	for _, r := range ranked {
		if !stays[r.entry] {
			evicted := s.candidates[r.candidate]
			evicted.Held = inPlace[r.entry]
			result.Evicted = append(result.Evicted, evicted)
		}
	}
	return result
}

// settled chooses until the choice, once it is in place, would be made again: what has
// merged leaves places to others of the same rank, whom the first choice passed over.
// From one choice to the next the first class of equal scores that changes only grows,
// so this comes to rest; nearly always at once.
func (s *selection) settled(inPlace []bool) (chosen []key, stays []bool, ranked []standing) {
	ranked = s.rank(inPlace, s.terms.Margin)
	chosen = s.evict(ranked)
	stays = held(chosen, s.keys)
	if s.terms.Budget.Innocents > 0 {
		return chosen, stays, ranked // who is in place has no advantage
	}
	for range mostRounds {
		if slices.Equal(stays, inPlace) {
			break
		}
		inPlace = stays
		chosen = s.evict(s.rank(inPlace, s.terms.Margin))
		stays = held(chosen, s.keys)
	}
	return chosen, stays, ranked
}

// mostRounds bounds the work where a margin gives no guarantee.
const mostRounds = 32

// selection is one choice from a pool.
type selection struct {
	*Pool
	terms Terms
}

// settle is what takes the places when there are enough: the candidates, but those
// that a prefix in place is the union of leave their places to it.
func (s *selection) settle() []key {
	var unions []key
	for _, p := range s.terms.Held {
		k, f, ok := keyOf(p)
		if !ok || f != s.family || p.IsSingleIP() {
			continue
		}
		if first, last := within(s.keys, k); last-first > 1 && s.keys[first] != k {
			if whole := sweep(slices.Clone(s.keys[first:last])); len(whole) == 1 && whole[0] == k {
				unions = append(unions, k)
			}
		}
	}
	if len(unions) == 0 {
		return s.keys
	}
	slices.SortFunc(unions, key.compare)
	unions = slices.CompactFunc(unions, key.covers)
	settled := slices.DeleteFunc(slices.Clone(s.keys), func(k key) bool { return holds(unions, k) })
	settled = append(settled, unions...)
	slices.SortFunc(settled, key.compare)
	return settled
}

// cover is Cover on keys; it is false when the places do not suffice.
func (s *selection) cover(disjoint []key) ([]key, bool) {
	if s.terms.Budget.Innocents == 0 || s.terms.Places == 0 {
		return nil, false
	}
	covering := Cover(s.prefixes(disjoint), s.terms.Places, s.terms.Budget, s.terms.Protected)
	return sortedKeys(covering.Prefixes, s.family), len(covering.Prefixes) <= s.terms.Places
}

// evict chooses what the places hold when they cannot hold everybody.
func (s *selection) evict(ranked []standing) []key {
	count, places := s.counter(), max(s.terms.Places, 0)
	in := make([]bool, len(s.keys))
	top := len(ranked)
	for ; top > 0 && count.all() > places; top-- {
		count.dismiss(int(ranked[top-1].entry))
	}
	for _, r := range ranked[:top] {
		in[r.entry] = true
	}
	for first := top; first < len(ranked); {
		last := first + 1
		for last < len(ranked) && ranked[last].weight == ranked[first].weight && ranked[last].incumbent == ranked[first].incumbent {
			last++
		}
		count.admitAll(ranked[first:last], in, places)
		first = last
	}
	lossless := sweep(s.those(in))
	if s.terms.Budget.Innocents == 0 || places == 0 {
		return lossless
	}
	var best []key
	fits := func(top int) bool {
		if top > len(ranked) {
			return false
		}
		in := make([]bool, len(s.keys))
		for _, r := range ranked[:top] {
			in[r.entry] = true
		}
		covering, ok := s.cover(sweep(s.those(in)))
		if ok {
			best = covering
		}
		return ok
	}
	low, high := places, 2*places // the first `places` always fit
	for fits(high) {
		low, high = high, 2*high
	}
	for high-low > places/64+1 {
		if middle := (low + high) / 2; fits(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	if s.reach(best) > s.reach(lossless) {
		return best
	}
	return lossless
}

// those are the marked keys, sorted as all are.
func (s *selection) those(marked []bool) []key {
	var keys []key
	for i, k := range s.keys {
		if marked[i] {
			keys = append(keys, k)
		}
	}
	return keys
}

// reach is how many candidates the chosen prefixes hold.
func (s *selection) reach(chosen []key) int {
	n := 0
	for _, k := range chosen {
		first, last := within(s.keys, k)
		n += last - first
	}
	return n
}

func (s *selection) result(chosen []key) Selection {
	r := Selection{Prefixes: s.prefixes(chosen)}
	if len(chosen) == len(s.keys) {
		return r // they are the candidates themselves: fewer places are needed for every merge
	}
	for i, k := range chosen {
		if first, last := within(s.keys, k); last-first > 1 {
			r.Merges = append(r.Merges, Merge{r.Prefixes[i], last - first, s.innocents(k)})
		}
	}
	return r
}

// innocents is the price of a chosen prefix among all candidates, evicted ones too.
func (s *selection) innocents(k key) uint64 {
	all := s.aggregated()
	if holds(all, k) {
		return 0
	}
	if s.family == cloudfw.IPv6 && k.bits >= 64 {
		return 1
	}
	n := units(k.bits, s.family)
	first, last := within(all, k)
	for _, blocked := range all[first:last] {
		n -= units(blocked.bits, s.family)
	}
	return n
}

func (s *selection) prefixes(keys []key) []netip.Prefix {
	ps := make([]netip.Prefix, len(keys))
	for i, k := range keys {
		ps[i] = k.prefix(s.family)
	}
	return ps
}

// within is the range of the sorted keys that k holds.
func within(sorted []key, k key) (first, last int) {
	first, _ = slices.BinarySearchFunc(sorted, k, key.compare)
	for last = first; last < len(sorted) && k.covers(sorted[last]); last++ {
	}
	return first, last
}

// sortedKeys are the distinct keys of one family's prefixes.
func sortedKeys(prefixes []netip.Prefix, family cloudfw.Family) []key {
	keys := make([]key, 0, len(prefixes))
	if family == cloudfw.IPv4 {
		four := make([]packed, 0, len(prefixes))
		for _, p := range prefixes {
			if k, f, ok := keyOf(p); ok && f == family {
				four = append(four, packed(k.hi>>32)<<lengthBits|packed(k.bits))
			}
		}
		for _, p := range slices.Compact(sortPacked(four)) {
			keys = append(keys, key{hi: uint64(p.addr()) << 32, bits: p.length()})
		}
		return keys
	}
	for _, p := range prefixes {
		if k, f, ok := keyOf(p); ok && f == family {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, key.compare)
	return slices.Compact(keys)
}
