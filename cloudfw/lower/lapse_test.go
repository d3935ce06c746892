package lower

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"fwsync/cloudfw"
)

// emergencyIntent blocks so many addresses, each until a half hour of its own.
func emergencyIntent(n int) cloudfw.Intent {
	var all []cloudfw.Block
	for i := range n {
		all = append(all, cloudfw.Block{Prefix: numbered(2 * i), Until: halfHour(i + 1).Add(-time.Minute), Lapses: true})
	}
	return borderIntent(all)
}

func bucketsOf(w Wanted) (names []string) {
	for _, b := range w.Books {
		if end, is := Lapse("edge", b.Name); is {
			names = append(names, end.Format("15:04"))
		}
	}
	return names
}

// What does not fit into lapse buckets is among the others, all the same blocked, and
// listed with the reason.
func TestWhatDoesNotFitIntoBucketsIsBlockedWithoutAnEnd(t *testing.T) {
	permanent := func(prefixes ...netip.Prefix) cloudfw.Snapshot {
		b := book("edge", blockedPurpose(cloudfw.IPv4)+"1", cloudfw.IPv4)
		b.Prefixes = cloudfw.SortPrefixes(prefixes)
		return cloudfw.Snapshot{Books: []cloudfw.AddressBook{b}}
	}
	for _, c := range []struct {
		name    string
		blocks  int
		others  int
		limit   func(*cloudfw.Limits)
		live    cloudfw.Snapshot
		buckets string
		endless int
		reason  string
	}{
		{"all fits", 4, 1, func(*cloudfw.Limits) {}, cloudfw.Snapshot{}, "12:30 13:00 13:30 14:00", 0, ""},
		{"too many half hours", 6, 1, func(*cloudfw.Limits) {}, cloudfw.Snapshot{}, "13:00 14:00 14:30 15:00", 0, ""},
		{"few books", 4, 1, func(l *cloudfw.Limits) { l.BooksPerAccount = 3 }, cloudfw.Snapshot{}, "13:00 14:00", 0, ""},
		{"no book to spare", 3, 1, func(l *cloudfw.Limits) { l.BooksPerAccount = 1 }, cloudfw.Snapshot{}, "", 3, "there is no room for a book of its half hour within 1 address books of 2000"},
		{"no room to be there twice", 2, 0, func(l *cloudfw.Limits) { l.SpreadUnits = 3 }, permanent(numbered(0), numbered(2)), "", 2, "no room to have it twice on the way within the policy quota of 3"},
		{"room to be there twice", 2, 0, func(l *cloudfw.Limits) { l.SpreadUnits = 4 }, permanent(numbered(0), numbered(2)), "12:30 13:00", 0, ""},
		{"no room for all", 4, 0, func(l *cloudfw.Limits) { l.SpreadUnits = 2 }, cloudfw.Snapshot{}, "12:30 13:00", 0, ""}, // others are evicted, and that is told
	} {
		limits := cloudfw.DefaultLimits()
		limits.Reserve = 0
		c.limit(&limits)
		c.live.TakenAt = lapseNoon
		intent := emergencyIntent(c.blocks)
		if c.others > 0 {
			intent.Blocked = append(intent.Blocked, cloudfw.Block{Prefix: numbered(100), Score: 1})
		}
		w := lowered(t, intent, c.live, limits)
		if got := strings.Join(bucketsOf(w), " "); got != c.buckets || len(w.Endless) != c.endless {
			t.Errorf("%s: buckets %s, endless %v", c.name, got, w.Endless)
		}
		if len(w.Endless) > 0 && !strings.Contains(w.Endless[0].Reason, c.reason) {
			t.Errorf("%s: %s", c.name, w.Endless[0].Reason)
		}
		if len(held(w))+len(w.Shelved) != c.blocks+c.others {
			t.Errorf("%s: %d held, %d shelved of %d", c.name, len(held(w)), len(w.Shelved), c.blocks)
		}
	}
}

// More addresses than the books of one half hour hold: the rest has no end.
func TestAFullBucketLeavesTheRestAmongTheOthers(t *testing.T) {
	limits := cloudfw.DefaultLimits()
	limits.AddressesPerBook = 3
	intent := emergencyIntent(8)
	for i := range intent.Blocked {
		intent.Blocked[i].Until = halfHour(1)
	}
	w := lowered(t, intent, cloudfw.Snapshot{TakenAt: lapseNoon}, limits)
	if len(bucketsOf(w)) != booksPerBucket || len(w.Endless) != 2 || len(held(w)) != 8 {
		t.Errorf("buckets %v, endless %v, %d held", bucketsOf(w), w.Endless, len(held(w)))
	}
}

// A block that shares its prefix with others, as there is no room for each, does not take
// these with it when it lapses.
func TestACondensedBlockHasNoEnd(t *testing.T) {
	limits := cloudfw.DefaultLimits()
	limits.SpreadUnits, limits.Reserve = 1, 0
	intent := borderIntent([]cloudfw.Block{{Prefix: numbered(0), Until: halfHour(1), Lapses: true}, {Prefix: numbered(1)}})
	w := lowered(t, intent, cloudfw.Snapshot{TakenAt: lapseNoon}, limits)
	if len(bucketsOf(w)) != 0 || len(w.Endless) != 1 || !strings.Contains(w.Endless[0].Reason, "shares a prefix") {
		t.Errorf("buckets %v, endless %v", bucketsOf(w), w.Endless)
	}
}

// A policy of a bucket bears its end, and goes on bearing the beginning that it has; one
// of an incident, which has an end too, bears the earlier of both.
func TestPoliciesOfABucketBearItsEnd(t *testing.T) {
	intent := emergencyIntent(1)
	intent.Rules = append([]cloudfw.Rule{intent.Rules[0]}, intent.Rules...)
	intent.Rules[0].Name, intent.Rules[0].Validity = "storm", cloudfw.Lapsing(lapseNoon.Add(-time.Hour), halfHour(9))
	live := cloudfw.Snapshot{TakenAt: lapseNoon.Add(20 * time.Minute)}
	key := cloudfw.ListKey{Direction: cloudfw.In, Family: cloudfw.IPv4}
	rules := lowered(t, intent, live, cloudfw.DefaultLimits()).Rules[key]
	for i, start := range []time.Time{lapseNoon.Add(-time.Hour), lapseNoon} {
		if want := (cloudfw.Validity{Repeat: cloudfw.Once, Start: start, End: halfHour(1)}); rules[i].Validity != want {
			t.Errorf("%+v, want %+v", rules[i].Validity, want)
		}
	}
	intent.Blocked[0].Until = halfHour(4)
	live.Rules = lowered(t, intent, live, cloudfw.DefaultLimits()).Rules[key]
	live.TakenAt = lapseNoon.Add(70 * time.Minute)
	if again := lowered(t, intent, live, cloudfw.DefaultLimits()).Rules[key]; !slices.Equal(again, live.Rules) {
		t.Errorf("an hour later %+v, was %+v", again, live.Rules)
	}
	live.Rules[1].Validity.Start = halfHour(5) // somebody has put it off
	if again := lowered(t, intent, live, cloudfw.DefaultLimits()).Rules[key]; !again[1].Validity.Start.Equal(halfHour(2)) {
		t.Errorf("it is to begin at %v", again[1].Validity.Start)
	}
}
