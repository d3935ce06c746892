package reconcile_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fwsync/cloudfw/simulator"
	"fwsync/feeds"
	"fwsync/ledger"
	"fwsync/sync/decide"
	"fwsync/sync/gates"
	"fwsync/sync/reconcile"
)

// A feed with more entries than one plan may newly block is taken in by parts, and holds up
// nobody: what is detected is blocked at once, in the first pass and in each other.
func TestALongFeedHoldsUpNobody(t *testing.T) {
	folder := t.TempDir()
	few(t, 1, func(t *rapid.T) {
		b := newBench(t, folder, simulator.DefaultWorld(), stormPolicy(t), nil)
		defer b.close()
		b.settle(t)
		ctx := context.Background()
		const limit, entries = 100, 250
		b.look.Gates.NewBlocks = gates.UpTo(limit)
		block := func(author string, score int, address netip.Addr) {
			t.Helper()
			d := ledger.Decision{Verdict: ledger.Block, Prefix: netip.PrefixFrom(address, 32), Start: start, End: start.Add(time.Hour), Reason: "test", Author: author, Attempt: 1, Score: score}
			if _, err := b.store.Add(ctx, []ledger.Decision{d}); err != nil {
				t.Fatal(err)
			}
		}
		for i := range entries {
			block(decide.FeedAuthor("list"), 10, netip.AddrFrom4([4]byte{20, 1, 0, byte(i)}))
		}
		left := entries
		for pass := range 3 {
			block(decide.Author, 0, netip.AddrFrom4([4]byte{198, 51, 100, byte(pass + 1)}))
			look, err := b.look.Standing(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range look.Verification.Gaps {
				if pass == 1 && g.Subject != fmt.Sprintf("198.51.100.%d/32", pass+1) { // that was just detected
					t.Fatalf("before pass %d: gap %v", pass, g)
				}
			}
			r, err := b.look.RunOnce(ctx)
			if err != nil || len(r.Refusals) > 0 {
				t.Fatalf("pass %d: %v, refused by %v", pass, err, r.Refusals)
			}
			if len(r.Verification.Gaps) > 0 {
				t.Fatalf("pass %d: gaps %v", pass, r.Verification.Gaps)
			}
			left = max(0, left-(limit-1))
			told := ""
			if left > 0 {
				told = fmt.Sprintf("[%d blocks of the feed list wait for later runs, which take them in by parts]", left)
			}
			if got := fmt.Sprint(r.Waiting); got != "[]" && got != told || got == "[]" && told != "" || r.More() != (left > 0) {
				t.Fatalf("after pass %d: waiting %s, want %s; more: %t", pass, got, told, r.More())
			}
			if want := entries - left + pass + 1; r.Summary.Decisions != want {
				t.Fatalf("after pass %d: %d blocks in force, want %d", pass, r.Summary.Decisions, want)
			}
		}
		b.settle(t)
	})
}

// A preview has read lists whose decisions are not stored yet, and tells whose blocks wait.
func TestAPreviewTellsWhichNewFeedWaits(t *testing.T) {
	folder := t.TempDir()
	few(t, 1, func(t *rapid.T) {
		b := newBench(t, folder, simulator.DefaultWorld(), stormPolicy(t), nil)
		defer b.close()
		b.settle(t)
		list := func(name string, score, third, entries int) reconcile.Feed {
			var text strings.Builder
			for i := range entries {
				fmt.Fprintf(&text, "20.1.%d.%d\n", third, i)
			}
			path := filepath.Join(folder, name)
			if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
				t.Fatal(err)
			}
			feed := feedOf(name, feeds.File{Path: path})
			feed.Score = score
			return feed
		}
		b.look.Gates.NewBlocks = gates.UpTo(100)
		b.look.Feeds = []reconcile.Feed{list("low", 10, 1, 90), list("high", 20, 2, 80)}
		r, _, err := b.look.Preview(context.Background())
		if got, want := fmt.Sprint(r.Waiting), "[70 blocks of the feed low wait for later runs, which take them in by parts]"; err != nil || got != want {
			t.Fatalf("%s, want %s (%v)", got, want, err)
		}
	})
}

// What a rollback makes again is not stored yet either: a person's block does not wait for
// a feed's.
func TestABlockThatIsMadeAgainWaitsForNoFeed(t *testing.T) {
	folder := t.TempDir()
	few(t, 1, func(t *rapid.T) {
		b := newIncidentBench(t, folder, simulator.Options{})
		defer b.close()
		ctx := context.Background()
		add := func(author string, score int, address netip.Addr) ledger.Decision {
			made, err := b.store.Add(ctx, []ledger.Decision{{Verdict: ledger.Block, Prefix: netip.PrefixFrom(address, 32), Start: b.now, End: b.now.Add(24 * time.Hour), Reason: "test", Author: author, Attempt: 1, Score: score}})
			if err != nil {
				t.Fatal(err)
			}
			return made[0]
		}
		var prefixes []netip.Prefix
		for i := range 60 {
			prefixes = append(prefixes, add(decide.FeedAuthor("list"), 50, netip.AddrFrom4([4]byte{20, 1, 0, byte(i)})).Prefix)
		}
		person := add("test", 1, attacker.Addr()).Prefix
		b.look.Gates.NewBlocks, b.look.Gates.RemovedBlocks = gates.UpTo(1000), gates.UpTo(1000)
		b.enforce(t)
		to := b.now.Add(time.Minute)
		b.now = b.now.Add(time.Hour)
		if _, err := b.store.Revoke(ctx, ledger.Revocation{Prefixes: append(prefixes, person), Verdict: ledger.Block, At: b.now, By: "test"}); err != nil {
			t.Fatal(err)
		}
		b.enforce(t)
		b.now = b.now.Add(time.Minute)
		b.look.Gates.NewBlocks = gates.UpTo(20)
		back, err := b.look.LookBack(ctx, to, "test")
		if err != nil {
			t.Fatal(err)
		}
		r, err := b.look.Rollback(ctx, back)
		if err != nil || len(r.Refusals) > 0 {
			t.Fatalf("%v, refused by %v", err, r.Refusals)
		}
		if got := fmt.Sprint(r.Waiting); got != "[41 blocks of the feed list wait for later runs, which take them in by parts]" || len(b.drops(attacker)) != 1 {
			t.Fatalf("waiting %s; the person's block is made by %v", got, b.drops(attacker))
		}
	})
}
