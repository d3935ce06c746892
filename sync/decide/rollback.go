package decide

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"fwsync/ledger"
)

// Reversal is what brings the decisions in force back to those of an earlier time.
type Reversal struct {
	// Changes to store: what was made since, revoked, with its ID; what was taken back
	// since, again, without one.
	Changes []ledger.Decision
	Ended   int // decisions in force then that have come to their end since, and stay ended
}

// Rollback returns what to store so that the decisions in force are again those of an
// earlier time, as far as that can be: what was made since is revoked, what was taken
// back since and would still hold is made again, until its own end. What has ended
// meanwhile stays ended, and what was prolonged keeps its longer end. Once that is
// stored, the same rollback changes nothing.
func Rollback(known []ledger.Decision, to, now time.Time, by string) Reversal {
	var r Reversal
	stays := map[likeness]time.Time{} // the latest end
	gone := map[likeness]ledger.Decision{}
	copied := map[likeness][]ledger.Decision{} // may be what an earlier rollback made again
	for _, d := range known {
		k := alike(d)
		switch then := !d.Made().After(to) && (d.RevokedAt.IsZero() || d.RevokedAt.After(to)); {
		case then && !forever(d.End).After(now):
			if forever(d.End).After(to) {
				r.Ended++
			}
		case then && d.RevokedAt.IsZero():
			stays[k] = later(stays[k], forever(d.End))
		case then:
			if other, is := gone[k]; !is || forever(d.End).After(forever(other.End)) {
				gone[k] = d
			}
		case d.Made().After(to) && d.ActiveAt(now):
			copied[k] = append(copied[k], d)
		}
	}
	for k, candidates := range copied {
		for _, d := range candidates {
			if was, is := gone[k]; is && d.Start.Equal(was.Start) && d.End.Equal(was.End) {
				stays[k] = later(stays[k], forever(d.End))
				continue
			}
			d.RevokedAt, d.RevokedBy, d.RevokeReason = now, by, "rollback to "+stamp(to)
			r.Changes = append(r.Changes, d)
		}
	}
	for k, d := range gone {
		if !forever(d.End).After(stays[k]) {
			continue
		}
		d.ID, d.MadeAt = 0, now // its start is of before
		d.RevokedAt, d.RevokedBy, d.RevokeReason = time.Time{}, "", ""
		reason, _, _ := strings.Cut(d.Reason, again)
		d.Reason = fmt.Sprintf("%s%s%s: rollback to %s)", reason, again, by, stamp(to))
		r.Changes = append(r.Changes, d)
	}
	slices.SortFunc(r.Changes, func(a, b ledger.Decision) int {
		if c := a.Prefix.Compare(b.Prefix); c != 0 {
			return c
		}
		return strings.Compare(fmt.Sprintf("%d %s %s %s", a.ID, a.Verdict, a.Author, a.Rule), fmt.Sprintf("%d %s %s %s", b.ID, b.Verdict, b.Author, b.Rule))
	})
	return r
}

// again begins what a rollback adds to the reason of what it makes again.
const again = " (again by "

// likeness is what decisions have in common of which the longest one counts.
type likeness struct {
	prefix       netip.Prefix
	verdict      ledger.Verdict
	author, rule string
}

func alike(d ledger.Decision) likeness {
	return likeness{d.Prefix, d.Verdict, d.Author, d.Rule}
}
