package condense

import (
	"cmp"
	"net/netip"
	"slices"

	"fwsync/cloudfw"
)

// DefaultMargin is how much higher the score of a newcomer must be than that of
// what is in place to push it out. Scores count failed attempts, so 1, the least
// that is a difference, already keeps equals from taking turns.
const DefaultMargin = 1

// Candidate is a prefix that wants a place.
type Candidate struct {
	Prefix netip.Prefix
	Score  int  // higher is worse, and stays longer
	Held   bool // it is in place
	ID     int  // the caller's own, carried along
}

// Rank orders candidates, those that stay longest first: by score, where what is in
// place counts margin-1 more; among equals what is in place, then by prefix. So a
// newcomer stands above what is in place if and only if its score is higher by the
// margin. A margin below 1 means DefaultMargin. The argument is sorted in place.
func Rank(candidates []Candidate, margin int) {
	bonus := bonusOf(margin)
	slices.SortFunc(candidates, func(a, b Candidate) int {
		return cmp.Or(
			cmp.Compare(weight(b, bonus), weight(a, bonus)),
			cmp.Compare(incumbent(b), incumbent(a)),
			cloudfw.ComparePrefixes(a.Prefix, b.Prefix),
		)
	})
}

// bonusOf is what being in place adds to a score.
func bonusOf(margin int) int { return cmp.Or(max(margin, 0), DefaultMargin) - 1 }

// weight is 64 bits wide, so that the bonus cannot overflow a score of 32.
func weight(c Candidate, bonus int) int64 { return int64(c.Score) + int64(incumbent(c)*bonus) }

// standing is what Rank orders by, with the prefix as its position among all.
type standing struct {
	weight    int64
	incumbent int8
	entry     int32 // index of the candidate's key
	candidate int32
}

func (a standing) compare(b standing) int {
	if a.weight != b.weight {
		return cmp.Compare(b.weight, a.weight)
	}
	if a.incumbent != b.incumbent {
		return cmp.Compare(b.incumbent, a.incumbent)
	}
	return cmp.Compare(a.entry, b.entry)
}

func incumbent(c Candidate) int {
	if c.Held {
		return 1
	}
	return 0
}

// Keep divides the candidates into those that get one of the places and those that
// do not, both in the order of Rank. The argument is sorted in place; the results
// share its memory.
func Keep(candidates []Candidate, places, margin int) (kept, evicted []Candidate) {
	Rank(candidates, margin)
	n := min(max(places, 0), len(candidates))
	return candidates[:n:n], candidates[n:]
}
