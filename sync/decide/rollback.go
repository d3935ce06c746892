package decide

import (
	"fmt"
	"slices"
	"time"

	"fwsync/ledger"
)

// Rollback returns what to store so that the decisions in force are again those of an
// earlier time, as far as that can be: what was made since is revoked, what was taken
// back since and would still hold is made again, until its own end. What has ended
// meanwhile stays ended, and what was prolonged keeps its longer end.
func Rollback(known []ledger.Decision, to, now time.Time, by string) (changes []ledger.Decision) {
	for _, d := range known {
		since := d.Start.After(to)
		switch {
		case since && d.ActiveAt(now):
			d.RevokedAt, d.RevokedBy, d.RevokeReason = now, by, "rollback to "+stamp(to)
			changes = append(changes, d)
		case !since && d.RevokedAt.After(to) && (d.End.IsZero() || d.End.After(now)):
			again := d
			again.ID = 0 // its start stays: it is of before
			again.RevokedAt, again.RevokedBy, again.RevokeReason = time.Time{}, "", ""
			again.Reason = fmt.Sprintf("%s (again by %s: rollback to %s)", d.Reason, by, stamp(to))
			if !stands(known, again, to, now) && !stands(changes, again, now, now) {
				changes = append(changes, again)
			}
		}
	}
	slices.SortStableFunc(changes, func(a, b ledger.Decision) int { return a.Prefix.Compare(b.Prefix) })
	return changes
}

// stands reports whether a decision like this, of before a time, is in force.
func stands(known []ledger.Decision, d ledger.Decision, to, now time.Time) bool {
	return slices.ContainsFunc(known, func(k ledger.Decision) bool {
		return k.Prefix == d.Prefix && k.Verdict == d.Verdict && k.Author == d.Author && k.Rule == d.Rule && k.ActiveAt(now) && !k.Start.After(to)
	})
}
