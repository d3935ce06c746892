package condense

import (
	"cmp"
	"net/netip"
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

// bonusOf is what being in place adds to a score.
func bonusOf(margin int) int { return cmp.Or(max(margin, 0), DefaultMargin) - 1 }

// standing is a candidate's place among all, those first that stay longest: by score,
// where what is in place counts margin-1 more; among equals what is in place, then by
// prefix. So a newcomer stands above what is in place if and only if its score is
// higher by the margin.
type standing struct {
	weight    int64 // so wide that the bonus cannot overflow a score of 32 bits
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
