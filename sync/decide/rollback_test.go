package decide

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fwsync/ledger"
)

// Whatever is decided and taken back after a time: a rollback to it brings back what was
// in force then and has not ended, and nothing else; a second one changes nothing.
func TestARollbackBringsBackWhatWasInForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l ledgerOf
		now := feedNow
		play := func(events int) {
			for range events {
				now = now.Add(time.Duration(rapid.IntRange(1, 50).Draw(t, "minutes")) * time.Minute)
				p := netip.MustParsePrefix(fmt.Sprintf("198.51.100.%d/32", rapid.IntRange(1, 5).Draw(t, "address")))
				if rapid.Bool().Draw(t, "decide") {
					l.take([]ledger.Decision{{
						Verdict: rapid.SampledFrom([]ledger.Verdict{ledger.Block, ledger.Allow}).Draw(t, "verdict"), Prefix: p, Start: now, Author: "anna",
						End: now.Add(time.Duration(rapid.IntRange(1, 400).Draw(t, "length")) * time.Minute),
					}})
					continue
				}
				for i := range l {
					if l[i].Prefix == p && l[i].ActiveAt(now) {
						l[i].RevokedAt, l[i].RevokedBy = now, "bert"
					}
				}
			}
		}
		inForce := func(at time.Time) (all []string) {
			for _, d := range l {
				if d.ActiveAt(at) {
					all = append(all, fmt.Sprintf("%s %s until %s", d.Verdict, d.Prefix, d.End.Format(time.RFC3339)))
				}
			}
			slices.Sort(all)
			return slices.Compact(all)
		}
		play(rapid.IntRange(0, 8).Draw(t, "before"))
		to := now
		then := slices.Clone(l)
		play(rapid.IntRange(0, 8).Draw(t, "after"))
		now = now.Add(time.Minute)
		var want []string
		for _, d := range then {
			if d.ActiveAt(to) && d.End.After(now) {
				want = append(want, fmt.Sprintf("%s %s until %s", d.Verdict, d.Prefix, d.End.Format(time.RFC3339)))
			}
		}
		slices.Sort(want)
		want = slices.Compact(want)
		l.take(Rollback(l, to, now, "carol"))
		got := inForce(now)
		// Two decisions alike about one prefix are made one.
		for _, g := range got {
			if !slices.Contains(want, g) {
				t.Fatalf("in force is %q, which was not: %q", g, want)
			}
		}
		prefixes := func(lines []string) (all []string) {
			for _, line := range lines {
				var verdict, p string
				_, _ = fmt.Sscan(line, &verdict, &p)
				all = append(all, verdict+p)
			}
			slices.Sort(all)
			return slices.Compact(all)
		}
		if !slices.Equal(prefixes(got), prefixes(want)) {
			t.Fatalf("in force are %q, want %q", got, want)
		}
		if again := Rollback(l, to, now, "carol"); len(again) > 0 {
			t.Fatalf("a second rollback changes %+v", again)
		}
	})
}
