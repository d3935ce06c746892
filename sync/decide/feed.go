package decide

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"fwsync/ledger"
)

const feedAuthor = "feed "

// FeedAuthor marks the decisions of a feed.
func FeedAuthor(name string) string { return feedAuthor + name }

// FeedOf is the name of the feed that made the decision, if one did.
func FeedOf(d ledger.Decision) (name string, ok bool) { return strings.CutPrefix(d.Author, feedAuthor) }

func isFeed(author string) bool { return strings.HasPrefix(author, feedAuthor) }

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
	Entries []FeedEntry // each prefix once
	// Unchanged says that the feed holds what it held: Entries are not known. It is also
	// said of a sick feed that is held.
	Unchanged bool
	// Delta says that Entries are new ones only, and Gone those that left.
	Delta bool
	Gone  []netip.Prefix
	Known []ledger.Decision
	Now   time.Time
}

// Standing are the prefixes that are blocked because of a feed, or would be if a person
// had not taken them back, and when each ends by itself: the zero time, if it does not as
// long as it is listed.
func Standing(known []ledger.Decision, name string, now time.Time) map[netip.Prefix]time.Time {
	s := standing(known, FeedAuthor(name), now)
	all := make(map[netip.Prefix]time.Time, len(s.latest)+len(s.spared))
	for p := range s.spared {
		all[p] = time.Time{}
	}
	for p, i := range s.latest {
		all[p] = time.Time{}
		if d := s.active[i]; d.LastSeen.IsZero() {
			all[p] = d.End
		}
	}
	return all
}

// feedStanding is what the ledger has of a feed.
type feedStanding struct {
	active []ledger.Decision // several of one prefix, if two hosts have read the feed at once
	latest map[netip.Prefix]int
	spared map[netip.Prefix]bool // a person took them back, and they would still be blocked
}

func standing(known []ledger.Decision, author string, now time.Time) feedStanding {
	s := feedStanding{latest: map[netip.Prefix]int{}, spared: map[netip.Prefix]bool{}}
	for _, d := range known {
		switch {
		case d.Author != author || d.Verdict != ledger.Block:
		case d.ActiveAt(now):
			if i, again := s.latest[d.Prefix]; !again || d.ID > s.active[i].ID {
				s.latest[d.Prefix] = len(s.active)
			}
			s.active = append(s.active, d)
		case byPerson(d) && (d.End.IsZero() || d.End.After(now)):
			s.spared[d.Prefix] = true
		}
	}
	return s
}

// Feed returns the decisions to store: new ones without an ID, prolonged ones with
// theirs, and ended ones, revoked by the feed. What is in the feed stays blocked: its
// decision is prolonged when half of the term has passed, so that an unchanged feed
// seldom writes. What has left it is ended. What a person took back stays so until its
// block would have ended, whatever the feed says.
//
// A decision ends when the feed said of its entry that it does, and then bears no time
// at which it was last seen. All others are prolonged for as long as they are listed.
func Feed(in FeedInput) []ledger.Decision {
	s := standing(in.Known, FeedAuthor(in.Name), in.Now)
	var out []ledger.Decision
	if in.Unchanged {
		for _, i := range s.latest {
			if d := s.active[i]; !d.LastSeen.IsZero() && in.prolong(&d, time.Time{}) {
				out = append(out, d)
			}
		}
		return byPrefix(out)
	}
	listed := make(map[netip.Prefix]bool, len(in.Entries))
	for _, e := range in.Entries {
		listed[e.Prefix] = true
		if i, there := s.latest[e.Prefix]; there {
			if d := s.active[i]; in.prolong(&d, e.Until) {
				out = append(out, d)
			}
			continue
		}
		if d := in.block(e); !s.spared[e.Prefix] && d.End.After(in.Now) {
			out = append(out, d)
		}
	}
	gone := make(map[netip.Prefix]bool, len(in.Gone))
	for _, p := range in.Gone {
		gone[p] = !listed[p]
	}
	for _, d := range s.active {
		if in.Delta && gone[d.Prefix] || !in.Delta && !listed[d.Prefix] {
			d.RevokedAt, d.RevokedBy, d.RevokeReason = in.Now, d.Author, "no longer in the feed"
			out = append(out, d)
		}
	}
	return byPrefix(out)
}

// block is a new decision.
func (in FeedInput) block(e FeedEntry) ledger.Decision {
	d := ledger.Decision{
		Verdict: ledger.Block, Prefix: e.Prefix, Start: in.Now, End: e.Until, Reason: "listed by the feed " + in.Name, Author: FeedAuthor(in.Name),
		Attempt: 1, Score: in.Score, FirstSeen: in.Now,
	}
	if e.Reason != "" {
		d.Reason += ": " + e.Reason
	}
	if e.Until.IsZero() {
		d.End, d.LastSeen = in.Now.Add(in.Term), in.Now
	}
	return d
}

// prolong gives a decision a later end, and reports whether it did: a second is none.
func (in FeedInput) prolong(d *ledger.Decision, until time.Time) bool {
	listed := until.IsZero()
	if listed && d.End.Sub(in.Now) <= in.Term/2 {
		until = in.Now.Add(in.Term)
	}
	if d.End.IsZero() || !until.After(d.End.Add(time.Second)) {
		return false
	}
	if d.End = until; listed {
		d.LastSeen = in.Now
	}
	return true
}

func byPrefix(decisions []ledger.Decision) []ledger.Decision {
	slices.SortFunc(decisions, func(a, b ledger.Decision) int {
		return cmp.Or(a.Prefix.Compare(b.Prefix), cmp.Compare(a.ID, b.ID))
	})
	return decisions
}
