package decide

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"fwsync/ledger"
)

// FeedAuthor marks the decisions of a feed.
func FeedAuthor(name string) string { return "feed " + name }

// OfFeed reports whether a feed made the decision.
func OfFeed(d ledger.Decision) bool { return strings.HasPrefix(d.Author, "feed ") }

// FeedEntry is what a feed says of one prefix.
type FeedEntry struct {
	Prefix netip.Prefix
	Until  time.Time // zero: for the feed's term, again and again
	Reason string
}

// FeedInput is what a reading of a feed came to.
type FeedInput struct {
	Name    string
	Term    time.Duration
	Score   int
	Entries []FeedEntry
	// Unchanged says that the feed holds what it held: Entries are not known. It is also
	// said of a sick feed that is held.
	Unchanged bool
	// Delta says that Entries are new ones only, and Gone those that left.
	Delta bool
	Gone  []netip.Prefix
	Known []ledger.Decision
	Now   time.Time
}

// Feed returns the decisions to store: new ones without an ID, prolonged ones with
// theirs, and ended ones, revoked by the feed. What is in the feed stays blocked: its
// decision is prolonged when half of the term has passed, so that an unchanged feed
// seldom writes. What has left it is ended. What a person took back stays so until its
// block would have ended, whatever the feed says.
func Feed(in FeedInput) []ledger.Decision {
	author := FeedAuthor(in.Name)
	current, spared := map[netip.Prefix]ledger.Decision{}, map[netip.Prefix]bool{}
	for _, d := range in.Known {
		switch {
		case d.Author != author || d.Verdict != ledger.Block:
		case d.ActiveAt(in.Now):
			if d.ID > current[d.Prefix].ID {
				current[d.Prefix] = d
			}
		case !d.RevokedAt.IsZero() && d.RevokedBy != author && (d.End.IsZero() || d.End.After(in.Now)):
			spared[d.Prefix] = true
		}
	}
	var out []ledger.Decision
	prolong := func(d ledger.Decision, until time.Time) {
		if until.IsZero() {
			if d.End.Sub(in.Now) > in.Term/2 {
				return
			}
			until = in.Now.Add(in.Term)
		}
		if d.End.IsZero() || !until.After(d.End.Add(time.Second)) {
			return
		}
		d.End, d.LastSeen = until, in.Now
		out = append(out, d)
	}
	if in.Unchanged {
		for _, d := range current {
			prolong(d, time.Time{})
		}
		return byPrefix(out)
	}
	listed := make(map[netip.Prefix]bool, len(in.Entries))
	for _, e := range in.Entries {
		listed[e.Prefix] = true
		if d, there := current[e.Prefix]; there {
			prolong(d, e.Until)
			continue
		}
		end := e.Until
		if end.IsZero() {
			end = in.Now.Add(in.Term)
		}
		if spared[e.Prefix] || !end.After(in.Now) {
			continue
		}
		reason := fmt.Sprintf("listed by the feed %s", in.Name)
		if e.Reason != "" {
			reason += ": " + e.Reason
		}
		out = append(out, ledger.Decision{
			Verdict: ledger.Block, Prefix: e.Prefix, Start: in.Now, End: end, Reason: reason, Author: author,
			Attempt: 1, Score: in.Score, FirstSeen: in.Now, LastSeen: in.Now,
		})
	}
	gone := map[netip.Prefix]bool{}
	for _, p := range in.Gone {
		gone[p] = !listed[p]
	}
	for p, d := range current {
		if in.Delta && gone[p] || !in.Delta && !listed[p] {
			d.RevokedAt, d.RevokedBy, d.RevokeReason = in.Now, author, "no longer in the feed"
			out = append(out, d)
		}
	}
	return byPrefix(out)
}

func byPrefix(decisions []ledger.Decision) []ledger.Decision {
	slices.SortFunc(decisions, func(a, b ledger.Decision) int { return a.Prefix.Compare(b.Prefix) })
	return decisions
}
