package condense

import (
	"net/netip"
	"slices"

	"fwsync/cloudfw"
)

// Pool is candidates that several selections are made from, each for another place:
// what depends on the candidates alone is worked out once. Not safe for concurrent use.
type Pool struct {
	candidates []Candidate
	family     cloudfw.Family
	keys       []key   // of all candidates, sorted, distinct
	entries    []int32 // of each candidate, the index of its key

	all    []key      // the keys, aggregated; nil until somebody asks
	ranked []standing // in their order when nobody is in place; likewise
	full   *counter   // of all keys; likewise
}

// NewPool takes candidates of one family, each valid. They must not change.
func NewPool(candidates []Candidate) *Pool {
	p := &Pool{candidates: candidates}
	if len(candidates) == 0 {
		return p
	}
	p.family = cloudfw.FamilyOf(candidates[0].Prefix)
	prefixes := make([]netip.Prefix, len(candidates))
	for i, c := range candidates {
		prefixes[i] = c.Prefix
	}
	p.keys = sortedKeys(prefixes, p.family)
	return p
}

// Len is the number of candidates.
func (p *Pool) Len() int { return len(p.candidates) }

// Aggregated is how many prefixes are left of the candidates without loss.
func (p *Pool) Aggregated() int { return len(p.aggregated()) }

func (p *Pool) aggregated() []key {
	if p.all == nil && len(p.keys) > 0 {
		p.all = sweep(slices.Clone(p.keys))
	}
	return p.all
}

// counter counts all the keys; it is the caller's to change.
func (p *Pool) counter() *counter {
	if p.full == nil {
		p.full = newCounter(p.keys)
	}
	return p.full.clone()
}

// rank orders the candidates. Few of them are in place, so these are
// taken out of the order of all and put back where they belong.
func (p *Pool) rank(inPlace []bool, margin int) []standing {
	if p.ranked == nil {
		p.entries = make([]int32, len(p.candidates))
		p.ranked = make([]standing, len(p.candidates))
		entry := -1
		for i, c := range p.candidates {
			k, _, _ := keyOf(c.Prefix)
			// Equal scores come in the order of their addresses.
			if entry++; entry == len(p.keys) || p.keys[entry] != k {
				entry, _ = slices.BinarySearchFunc(p.keys, k, key.compare)
			}
			p.entries[i] = int32(entry)
			p.ranked[i] = standing{int64(c.Score), 0, int32(entry), int32(i)}
		}
		slices.SortFunc(p.ranked, standing.compare)
	}
	bonus := int64(bonusOf(margin))
	var incumbents []standing
	for i, entry := range p.entries {
		if inPlace[entry] {
			incumbents = append(incumbents, standing{int64(p.candidates[i].Score) + bonus, 1, entry, int32(i)})
		}
	}
	slices.SortFunc(incumbents, standing.compare)
	ranked := make([]standing, 0, len(p.ranked))
	for _, r := range p.ranked {
		if inPlace[r.entry] {
			continue
		}
		for len(incumbents) > 0 && incumbents[0].compare(r) < 0 {
			ranked, incumbents = append(ranked, incumbents[0]), incumbents[1:]
		}
		ranked = append(ranked, r)
	}
	return append(ranked, incumbents...)
}
