package reconcile_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fwsync/cloudfw/simulator"
	"fwsync/ledger"
	"fwsync/policies"
	"fwsync/sync/reconcile"
)

// sets is what each set of blocked addresses holds: the books, and what the groups drop,
// address by address, as there is not always room for each by itself.
func (b *bench) sets() (books, drops []string) {
	s := b.cloud.Snapshot()
	for _, k := range s.AddressBooks {
		if ours(k.Description) {
			books = append(books, k.Addresses...)
		}
	}
	for _, l := range s.PrefixLists {
		for _, e := range l.Entries {
			drops = append(drops, e.CIDR)
		}
	}
	for _, g := range s.SecurityGroups {
		for _, r := range g.Rules {
			if ours(r.Description) && r.SourcePrefixListID == "" {
				drops = append(drops, r.SourceCIDR+r.IPv6SourceCIDR)
			}
		}
	}
	slices.Sort(books)
	return books, addresses(drops)
}

func addresses(prefixes []string) (all []string) {
	for _, text := range prefixes {
		p := netip.MustParsePrefix(text)
		for a := p.Addr(); p.Contains(a); a = a.Next() {
			all = append(all, a.String())
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// A pass about one address blocks it, or frees it, and leaves all that is pending of others
// as it is, however much; a pass about everything then comes to what it comes to anyway.
func TestAPassAboutOneAddressChangesNoOther(t *testing.T) {
	folder := t.TempDir()
	few(t, 8, func(t *rapid.T) {
		b := newBench(t, folder, genWorld(t), genPolicy(t), genDecisions(t))
		defer b.close()
		b.settle(t)
		ctx := context.Background()
		known, err := b.store.Decisions(ctx, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		block := func(n int) ledger.Decision {
			return ledger.Decision{
				Verdict: ledger.Block, Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{203, 0, 113, byte(100 + n)}), 32), Start: start.Add(-time.Minute), End: start.Add(time.Hour),
				Reason: "test", Author: "test", Attempt: 1, Score: rapid.IntRange(0, 200).Draw(t, "score"),
			}
		}
		var pending []ledger.Decision
		for n := range rapid.IntRange(0, 130).Draw(t, "to come") {
			pending = append(pending, block(n))
		}
		if _, err := b.store.Add(ctx, pending); err != nil {
			t.Fatal(err)
		}
		gone := known[:rapid.IntRange(0, len(known)-1).Draw(t, "to go")]
		var prefixes []netip.Prefix
		for _, d := range gone {
			prefixes = append(prefixes, d.Prefix)
		}
		revoke := func(all []netip.Prefix) []ledger.Decision {
			t.Helper()
			if len(all) == 0 {
				return nil
			}
			revoked, err := b.store.Revoke(ctx, ledger.Revocation{Prefixes: all, Verdict: ledger.Block, At: start, By: "test"})
			if err != nil {
				t.Fatal(err)
			}
			return revoked
		}
		revoke(prefixes)
		asked := block(140)
		asked.Score = 1000
		books, dropped := b.sets()
		pass := func(just []ledger.Decision) {
			t.Helper()
			b.look.Just = just
			defer func() { b.look.Just = nil }()
			r, err := b.look.RunOnce(ctx)
			if err != nil || len(r.Refusals) > 0 {
				t.Fatalf("%v, refused by %v", err, r.Refusals)
			}
			if len(r.Verification.Gaps) > 0 || r.Beside() > 0 || r.Narrowed.Left != len(pending)+len(gone) {
				t.Fatalf("gaps %v, %+v, pending %d and %d", r.Verification.Gaps, r.Narrowed, len(pending), len(gone))
			}
		}
		made, err := b.store.Add(ctx, []ledger.Decision{asked})
		if err != nil {
			t.Fatal(err)
		}
		pass(made)
		want := append(slices.Clone(books), asked.Prefix.String())
		slices.Sort(want)
		got, drops := b.sets()
		if !slices.Equal(got, want) || !slices.Contains(drops, asked.Prefix.Addr().String()) {
			t.Fatalf("blocked in books are %v, want %v; in the group %v", got, want, drops)
		}
		pass(revoke([]netip.Prefix{asked.Prefix}))
		if got, drops := b.sets(); !slices.Equal(got, books) || !slices.Equal(drops, dropped) {
			t.Fatalf("taken back, blocked in books are %v, want %v; in the group %v, want %v", got, books, drops, dropped)
		}
		b.look.Gates.NewBlocks.Floor = 200
		b.settle(t)
	})
}

// Steps about rules cannot be left out: they are counted, so that a person is asked.
func TestAPassAboutOneAddressTellsWhatItCannotLeave(t *testing.T) {
	folder := t.TempDir()
	few(t, 2, func(t *rapid.T) {
		b := newBench(t, folder, genWorld(t), stormPolicy(t), genDecisions(t))
		defer b.close()
		b.settle(t)
		changed, err := policies.Parse([]policies.File{{Name: "p.yaml", Data: []byte(fmt.Sprint(storm, "  calm:\n    summary: x\n    rules:\n      - { name: calm, from: any, to: 192.0.2.25, protocol: tcp, ports: [26], action: drop }\n"))}}, policies.Options{})
		if err != nil {
			t.Fatal(err)
		}
		b.look.Policy, b.look.Just = changed, []ledger.Decision{{ID: 1 << 40, Prefix: netip.MustParsePrefix("203.0.113.250/32")}}
		if r, err := b.look.Standing(context.Background()); err != nil || r.Beside() != 0 {
			t.Fatalf("an incident more in the policies: %v, %d steps beside", err, r.Beside())
		}
		changed.Rules = changed.Rules[:len(changed.Rules)-1]
		r, err := b.look.Standing(context.Background())
		if err != nil || r.Beside() == 0 || r.Beside() != len(r.Plan.Steps) {
			t.Fatalf("a rule less in the policies: %v, %d steps beside of %d", err, r.Beside(), len(r.Plan.Steps))
		}
	})
}

// An emergency block that has ended, and that the firewall itself ends at the next half
// hour, stays where it is while a pass is about others; when the firewall has ended it,
// what clears that away is nothing to ask a person about.
func TestAPassAboutOneAddressLeavesLapseBucketsAlone(t *testing.T) {
	folder := t.TempDir()
	for _, vanish := range []bool{false, true} {
		few(t, 2, func(t *rapid.T) {
			world := genWorld(t)
			b := newIncidentBench(t, folder, simulator.Options{World: &world, Assume: simulator.Assumptions{LapsedPoliciesVanish: vanish}})
			defer b.close()
			b.settle(t)
			blockJust := func(last byte) reconcile.Report {
				t.Helper()
				made, err := b.store.Add(context.Background(), []ledger.Decision{{
					Verdict: ledger.Block, Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{203, 0, 113, last}), 32), Start: b.now, End: b.now.Add(40 * time.Minute),
					Reason: "test", Author: "test", Attempt: 1, Score: 1_000_000, Lapses: true,
				}})
				if err != nil {
					t.Fatal(err)
				}
				b.look.Just = made
				defer func() { b.look.Just = nil }()
				r := b.enforce(t)
				if r.Beside() != 0 {
					t.Fatalf("%d steps beside of %v", r.Beside(), r.Plan.Steps)
				}
				return r
			}
			blockJust(77) // 12:07 to 12:47
			b.now = start.Add(50 * time.Minute)
			if r := blockJust(78); r.Narrowed.Left != 1 {
				t.Fatalf("%+v", r.Narrowed)
			}
			if at := b.drops(attacker); len(at) != 1 || at[0].EndTime != start.Add(time.Hour).Unix() {
				t.Fatalf("the first one is blocked by %+v", at)
			}
			b.now = start.Add(65 * time.Minute)
			blockJust(79)
			if at := b.drops(attacker); len(at) != 0 {
				t.Fatalf("after its end it is blocked by %+v", at)
			}
		})
	}
}
