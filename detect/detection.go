package detect

import (
	"cmp"
	"net/netip"
	"slices"
	"time"
)

// Detection is one rule's threshold that one source crossed, with what is
// known about it. Times are log time in UTC, to the microsecond.
type Detection struct {
	Rule string
	// Prefix is the source: a /32 or a /128.
	Prefix netip.Prefix
	// Count is all signals of the rule by the source while it was tracked;
	// Peak the most of them in any window, exact up to the rule's legitimate
	// threshold and not counted beyond it.
	Count int
	Peak  int
	// FirstSeen and LastSeen are the earliest and latest signal; CrossedAt is
	// the signal that crossed the threshold which applied to the source.
	FirstSeen, LastSeen, CrossedAt time.Time
	// Legitimate says that the source had a success (LegitimateBy, the latest
	// one at LegitimateAt, a whole second) in the 24 hours before it crossed.
	Legitimate   bool
	LegitimateBy Kind
	LegitimateAt time.Time
	// Withheld says that the source crossed the threshold but, being
	// legitimate, not the legitimate threshold: nothing to act on yet.
	Withheld bool
	// Continued says that this detection was reported before, by an earlier
	// drain or an earlier run, and went on since.
	Continued bool
	// Evidence is up to 3 of the lines: the first two signals and the crossing.
	Evidence []Evidence
}

// Evidence says where one log line is and what it said.
type Evidence struct {
	Source string
	// Line counts from 1, Offset is in bytes from the start of the source.
	Line   int64
	Offset int64
	// Hash is the first 16 hex digits of the line's SHA-256, without newline.
	Hash string
	// Text is the line, at most MaxEvidenceText bytes of valid UTF-8, what is
	// not printable replaced by '?'. It is still text that a stranger chose.
	Text string
}

func sortDetections(ds []Detection) {
	slices.SortFunc(ds, func(a, b Detection) int {
		return cmp.Or(a.CrossedAt.Compare(b.CrossedAt), a.Prefix.Addr().Compare(b.Prefix.Addr()), cmp.Compare(a.Rule, b.Rule))
	})
}
