package decide

import (
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fwsync/ledger"
)

var feedNow = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// ledgerOf applies what is to be stored, as a ledger does.
type ledgerOf []ledger.Decision

func (l *ledgerOf) take(decisions []ledger.Decision) {
	for _, d := range decisions {
		if d.ID == 0 {
			d.ID = int64(len(*l) + 1)
			*l = append(*l, d)
			continue
		}
		(*l)[d.ID-1] = d
	}
}

func (l ledgerOf) blocked(now time.Time) (all []string) {
	for _, d := range l {
		if d.Verdict == ledger.Block && d.ActiveAt(now) {
			all = append(all, d.Prefix.String())
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func entriesOf(addresses ...string) (all []FeedEntry) {
	for _, a := range addresses {
		all = append(all, FeedEntry{Prefix: netip.MustParsePrefix(a + "/32")})
	}
	return all
}

func TestAFeedsEntriesAreBlockedForAsLongAsTheyAreListed(t *testing.T) {
	var l ledgerOf
	in := FeedInput{Name: "list", Term: 24 * time.Hour, Now: feedNow, Entries: entriesOf("198.51.100.1", "198.51.100.2")}
	read := func() int {
		in.Known = l
		out := Feed(in)
		l.take(out)
		return len(out)
	}
	if n := read(); n != 2 {
		t.Fatalf("%d decisions", n)
	}
	if n := read(); n != 0 {
		t.Errorf("an unchanged list writes %d decisions", n)
	}
	in.Now = in.Now.Add(13 * time.Hour)
	if n := read(); n != 2 || !l[0].End.Equal(in.Now.Add(24*time.Hour)) {
		t.Errorf("after half of the term %d are prolonged, the first until %s", n, l[0].End)
	}
	in.Entries = entriesOf("198.51.100.2", "198.51.100.3")
	read()
	if got := l.blocked(in.Now); !slices.Equal(got, []string{"198.51.100.2/32", "198.51.100.3/32"}) || l[0].RevokedBy != "feed list" {
		t.Errorf("blocked are %v; the one that left: %+v", got, l[0])
	}
	// A person takes one back: the feed may go on naming it.
	l[1].RevokedAt, l[1].RevokedBy = in.Now, "anna"
	if read(); len(l.blocked(in.Now)) != 1 {
		t.Errorf("blocked are %v", l.blocked(in.Now))
	}
	in.Now = l[1].End.Add(time.Minute)
	if read(); !slices.Contains(l.blocked(in.Now), "198.51.100.2/32") {
		t.Error("it is spared for ever")
	}
}

func TestWhatASickFeedSaidIsHeld(t *testing.T) {
	var l ledgerOf
	in := FeedInput{Name: "list", Term: 2 * time.Hour, Now: feedNow, Entries: entriesOf("198.51.100.1")}
	l.take(Feed(in))
	for range 10 {
		in.Now = in.Now.Add(90 * time.Minute)
		in.Known, in.Entries, in.Unchanged = l, nil, true
		l.take(Feed(in))
		if len(l.blocked(in.Now)) != 1 {
			t.Fatalf("after %s it is free", in.Now.Sub(feedNow))
		}
	}
}

func TestAFeedTouchesNobodyElsesDecisions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pool := []string{"198.51.100.1", "198.51.100.2", "198.51.100.3", "198.51.100.4"}
		var l ledgerOf
		for _, a := range rapid.SliceOfDistinct(rapid.SampledFrom(pool), rapid.ID).Draw(t, "others") {
			author := rapid.SampledFrom([]string{"anna", Author, "feed other"}).Draw(t, "author")
			l.take([]ledger.Decision{{Verdict: ledger.Block, Prefix: netip.MustParsePrefix(a + "/32"), Start: feedNow, End: feedNow.Add(90 * 24 * time.Hour), Author: author}})
		}
		others := slices.Clone(l)
		now := feedNow
		for range rapid.IntRange(1, 12).Draw(t, "readings") {
			now = now.Add(time.Duration(rapid.IntRange(1, 40).Draw(t, "hours")) * time.Hour)
			listed := rapid.SliceOfDistinct(rapid.SampledFrom(pool), rapid.ID).Draw(t, "listed")
			in := FeedInput{Name: "list", Term: 24 * time.Hour, Known: l, Now: now, Entries: entriesOf(listed...), Unchanged: rapid.IntRange(0, 3).Draw(t, "unchanged") == 0}
			out := Feed(in)
			l.take(out)
			if again := Feed(FeedInput{Name: in.Name, Term: in.Term, Known: l, Now: now, Entries: in.Entries, Unchanged: in.Unchanged}); len(again) > 0 {
				t.Fatalf("read again it writes %+v", again)
			}
			for i, d := range others {
				if !reflect.DeepEqual(l[i], d) {
					t.Fatalf("a decision of %s was changed", d.Author)
				}
			}
			if in.Unchanged {
				continue
			}
			mine := map[string]bool{}
			for _, d := range l {
				if d.Author == "feed list" && d.ActiveAt(now) {
					mine[d.Prefix.Addr().String()] = true
				}
			}
			if len(mine) != len(listed) {
				t.Fatalf("listed are %v, blocked by it %v", listed, mine)
			}
		}
	})
}

// BenchmarkFeed takes a list of 50,000 addresses, half of them new.
func BenchmarkFeed(b *testing.B) {
	var l ledgerOf
	in := FeedInput{Name: "list", Term: 24 * time.Hour, Now: feedNow}
	for i := range 50_000 {
		in.Entries = append(in.Entries, FeedEntry{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{20, byte(i >> 16), byte(i >> 8), byte(i)}), 32)})
	}
	l.take(Feed(FeedInput{Name: in.Name, Term: in.Term, Now: in.Now, Entries: in.Entries[:25_000]}))
	in.Known = l
	for b.Loop() {
		if out := Feed(in); len(out) != 25_000 {
			b.Fatal(len(out))
		}
	}
}

// A feed is nobody who forgives: who leaves it is blocked at once if he attacks, and who
// attacks while he is listed gets a block of his own.
func TestAFeedStandsInTheWayOfNoDetection(t *testing.T) {
	seen := now.Add(-time.Minute)
	listed := ledger.Decision{ID: 1, Verdict: ledger.Block, Prefix: attacker, Author: FeedAuthor("list"), Start: now.Add(-2 * time.Hour), End: now.Add(time.Hour), Attempt: 1}
	left := listed
	left.RevokedAt, left.RevokedBy = now.Add(-10*time.Second), FeedAuthor("list")
	for name, d := range map[string]ledger.Decision{"listed": listed, "no longer listed": left} {
		r := decideOne(t, Input{Found: []Found{found("sasl-bruteforce", seen)}, Known: []ledger.Decision{d}})
		if len(r.Decisions) != 1 || r.Decisions[0].ID != 0 || len(r.Withheld) > 0 {
			t.Errorf("%s: %+v", name, r)
		}
		for _, c := range Closed([]ledger.Decision{d}, now) {
			t.Errorf("%s: what is counted against it begins anew: %+v", name, c)
		}
	}
}

// Two hosts may have read the list at once: what leaves it is free all the same.
func TestWhatLeavesAFeedIsFreeHoweverOftenItWasBlocked(t *testing.T) {
	var l ledgerOf
	first := Feed(FeedInput{Name: "list", Term: 24 * time.Hour, Now: feedNow, Entries: entriesOf("198.51.100.1")})
	l.take(first)
	l.take(first)
	l.take(Feed(FeedInput{Name: "list", Term: 24 * time.Hour, Now: feedNow, Known: l, Entries: entriesOf("198.51.100.2")}))
	if got := l.blocked(feedNow); !slices.Equal(got, []string{"198.51.100.2/32"}) {
		t.Errorf("blocked are %v", got)
	}
}
