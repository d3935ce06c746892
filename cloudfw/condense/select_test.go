package condense

import (
	"cmp"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"fwsync/cloudfw"
)

var genCandidates = rapid.Custom(func(t *rapid.T) []Candidate {
	ps := rapid.SliceOfNDistinct(small(false), 1, 40, rapid.ID[netip.Prefix]).Draw(t, "prefixes")
	var all []Candidate
	for _, p := range ps {
		all = append(all, Candidate{Prefix: p, Score: rapid.IntRange(1, 4).Draw(t, "score")})
	}
	return all
})

func prefixesOf(cs []Candidate) []netip.Prefix {
	var ps []netip.Prefix
	for _, c := range cs {
		ps = append(ps, c.Prefix)
	}
	return ps
}

// addressesIn counts the addresses of the small space that some prefix holds.
func addressesIn(ps []netip.Prefix) (n int) {
	for i := range 64 {
		if slices.ContainsFunc(ps, func(p netip.Prefix) bool { return p.Contains(narrow(false, byte(i), 32).Addr()) }) {
			n++
		}
	}
	return n
}

// Whatever the terms: nobody is lost without being listed, the places and the budget
// are kept, every merge says truly what it costs, and the order of the input and
// having done it before make no difference.
func TestSelectLosesNobodySilently(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		candidates := genCandidates.Draw(t, "candidates")
		terms := Terms{Places: rapid.IntRange(0, 40).Draw(t, "places"), Margin: rapid.IntRange(0, 2).Draw(t, "margin")}
		if rapid.Bool().Draw(t, "lossy") {
			terms.Budget = Budget{Innocents: rapid.Uint64Range(1, 20).Draw(t, "innocents"), WidestIPv4: 26}
		}
		terms.Held = rapid.SliceOfN(small(false), 0, 8).Draw(t, "held")
		got := Select(candidates, terms)
		if len(got.Prefixes) > terms.Places {
			t.Fatalf("%d prefixes in %d places", len(got.Prefixes), terms.Places)
		}
		gone := map[netip.Prefix]bool{}
		for _, c := range got.Evicted {
			gone[c.Prefix] = true
		}
		for _, c := range candidates {
			held := slices.ContainsFunc(got.Prefixes, func(p netip.Prefix) bool { return p.Overlaps(c.Prefix) && p.Bits() <= c.Prefix.Bits() })
			if held == gone[c.Prefix] {
				t.Fatalf("%s: held %t, evicted %t", c.Prefix, held, gone[c.Prefix])
			}
		}
		all := prefixesOf(candidates)
		innocents := uint64(addressesIn(slices.Concat(got.Prefixes, all)) - addressesIn(all))
		listed := uint64(0)
		for _, m := range got.Merges {
			listed += m.Innocents
			if want := addressesIn(append(slices.Clone(all), m.Prefix)) - addressesIn(all); m.Innocents != uint64(want) || m.Members < 2 {
				t.Fatalf("%+v has %d innocents", m, want)
			}
		}
		if innocents != listed || innocents > terms.Budget.Innocents {
			t.Fatalf("%d innocents, %d listed, %d allowed", innocents, listed, terms.Budget.Innocents)
		}
		if len(candidates) <= terms.Places && len(got.Evicted) > 0 {
			t.Fatalf("%v evicted, though there is room", got.Evicted)
		}
		shuffled := Select(rapid.Permutation(candidates).Draw(t, "shuffled"), terms)
		if !slices.Equal(shuffled.Prefixes, got.Prefixes) || !slices.Equal(shuffled.Evicted, got.Evicted) || !slices.Equal(shuffled.Merges, got.Merges) {
			t.Fatalf("in another order: %v, not %v", shuffled, got)
		}
		if terms.Budget.Innocents == 0 {
			terms.Held = got.Prefixes
			if again := Select(candidates, terms); !slices.Equal(again.Prefixes, Select(candidates, Terms{Places: terms.Places, Margin: terms.Margin, Held: again.Prefixes}).Prefixes) {
				t.Fatalf("never comes to rest: %v", again.Prefixes)
			}
		}
	})
}

func TestANewcomerOfLowScoreChangesNothingInPlace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		candidates := genCandidates.Draw(t, "candidates")
		terms := Terms{Places: rapid.IntRange(1, 40).Draw(t, "places")}
		terms.Held = Select(candidates, terms).Prefixes
		terms.Held = Select(candidates, terms).Prefixes
		newcomer := Candidate{Prefix: small(false).Draw(t, "newcomer"), Score: rapid.IntRange(0, 1).Draw(t, "score")}
		for _, c := range candidates {
			if c.Prefix == newcomer.Prefix {
				return
			}
		}
		got := Select(append(candidates, newcomer), terms)
		for n := range 64 {
			a := narrow(false, byte(n), 32).Addr()
			holds := func(ps []netip.Prefix) bool {
				return slices.ContainsFunc(ps, func(p netip.Prefix) bool { return p.Contains(a) })
			}
			if holds(terms.Held) && !holds(got.Prefixes) {
				t.Fatalf("%s left for %v", a, newcomer)
			}
		}
	})
}

func TestTheMarginDecidesWhoIsDisplaced(t *testing.T) {
	held := narrow(false, 9, 32)
	for _, c := range []struct {
		margin, score int
		displaced     bool
	}{{0, 5, false}, {0, 6, true}, {1, 5, false}, {1, 6, true}, {3, 7, false}, {3, 8, true}} {
		got := Select([]Candidate{{Prefix: narrow(false, 1, 32), Score: c.score}, {Prefix: held, Score: 5}}, Terms{Places: 1, Held: []netip.Prefix{held}, Margin: c.margin})
		if len(got.Prefixes) != 1 || len(got.Evicted) != 1 || (got.Evicted[0].Prefix == held) != c.displaced {
			t.Errorf("margin %d, newcomer %d against 5: %+v", c.margin, c.score, got)
		}
	}
	if got := Select([]Candidate{{Prefix: held, Score: 5}}, Terms{}); len(got.Prefixes) != 0 || len(got.Evicted) != 1 {
		t.Errorf("no places: %+v", got)
	}
}

func TestAUnionInPlaceStaysWhenThereIsRoomAgain(t *testing.T) {
	pair := []Candidate{{Prefix: narrow(false, 2, 32)}, {Prefix: narrow(false, 3, 32)}, {Prefix: narrow(false, 9, 32)}}
	union := narrow(false, 2, 31)
	got := Select(pair, Terms{Places: 9, Held: []netip.Prefix{union}})
	if want := []netip.Prefix{union, narrow(false, 9, 32)}; !slices.Equal(got.Prefixes, want) || len(got.Merges) != 1 {
		t.Errorf("%v and merges %v, want %v", got.Prefixes, got.Merges, want)
	}
	got = Select(pair[1:], Terms{Places: 9, Held: []netip.Prefix{union}})
	if want := []netip.Prefix{narrow(false, 3, 32), narrow(false, 9, 32)}; !slices.Equal(got.Prefixes, want) {
		t.Errorf("with one of the pair gone: %v, want %v", got.Prefixes, want)
	}
	got = Select(pair, Terms{Places: 9})
	if len(got.Prefixes) != 3 || len(got.Merges) != 0 {
		t.Errorf("%v: aggregated though there is room", got.Prefixes)
	}
}

// inOrder sorts candidates, those that stay longest first: the plain way to do what a
// pool does quickly.
func inOrder(candidates []Candidate, margin int) {
	weight := func(c Candidate) int {
		if c.Held {
			return c.Score + bonusOf(margin)
		}
		return c.Score
	}
	slices.SortFunc(candidates, func(a, b Candidate) int {
		first := 0
		switch {
		case a.Held && !b.Held:
			first = -1
		case b.Held && !a.Held:
			first = 1
		}
		return cmp.Or(cmp.Compare(weight(b), weight(a)), first, cloudfw.ComparePrefixes(a.Prefix, b.Prefix))
	})
}

func TestAPoolRanksInOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		candidates := genCandidates.Draw(t, "candidates")
		margin := rapid.IntRange(0, 3).Draw(t, "margin")
		live := keysOf(rapid.SliceOfN(small(false), 0, 8).Draw(t, "held"), cloudfw.IPv4)
		for i := range candidates {
			k, _, _ := keyOf(candidates[i].Prefix)
			candidates[i].Held = holds(live, k)
		}
		var got []Candidate
		keys := sortedKeys(prefixesOf(candidates), cloudfw.IPv4)
		pool := NewPool(slices.Clone(candidates))
		pool.rank(make([]bool, len(keys)), 2) // what it remembers is of no consequence
		for _, r := range pool.rank(held(live, keys), margin) {
			got = append(got, candidates[r.candidate])
		}
		inOrder(candidates, margin)
		if !slices.Equal(got, candidates) {
			t.Fatalf("%v, want %v", got, candidates)
		}
	})
}

// Selections from one pool are those from pools of their own.
func TestSelectionsFromOnePoolAreIndependent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		candidates := genCandidates.Draw(t, "candidates")
		pool := NewPool(candidates)
		for range 4 {
			terms := Terms{Places: rapid.IntRange(0, 40).Draw(t, "places"), Held: rapid.SliceOfN(small(false), 0, 8).Draw(t, "held")}
			got, want := pool.Select(terms), Select(candidates, terms)
			if !slices.Equal(got.Prefixes, want.Prefixes) || !slices.Equal(got.Evicted, want.Evicted) || !slices.Equal(got.Merges, want.Merges) {
				t.Fatalf("%+v, alone %+v", got, want)
			}
		}
	})
}

// What is chosen, once it is in place, is chosen again: runs come to rest.
func TestSelectComesToRest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		candidates := genCandidates.Draw(t, "candidates")
		terms := Terms{Places: rapid.IntRange(0, 12).Draw(t, "places"), Margin: DefaultMargin}
		terms.Held = rapid.SliceOfN(small(false), 0, 8).Draw(t, "held")
		first := Select(candidates, terms)
		terms.Held = first.Prefixes
		if again := Select(candidates, terms); !slices.Equal(again.Prefixes, first.Prefixes) {
			t.Fatalf("%v, then %v", first.Prefixes, again.Prefixes)
		}
	})
}
