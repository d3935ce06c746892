package reconcile_test

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fwsync/cloudfw/simulator"
	"fwsync/ledger"
	"fwsync/sync/decide"
	"fwsync/sync/gates"
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
