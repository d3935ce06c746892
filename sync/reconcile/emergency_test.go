package reconcile_test

import (
	"context"
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fwsync/cloudfw"
	"fwsync/cloudfw/simulator"
	"fwsync/ledger"
	"fwsync/sync/reconcile"
)

// attacker is an address that the bench's decisions leave alone.
var attacker = netip.MustParsePrefix("203.0.113.77/32")

// blockNow is fwsync block ADDRESS --for LENGTH --now.
func (b *incidentBench) blockNow(t *rapid.T, p netip.Prefix, length time.Duration) reconcile.Report {
	t.Helper()
	_, err := b.store.Add(context.Background(), []ledger.Decision{{
		Verdict: ledger.Block, Prefix: p, Start: b.now, End: b.now.Add(length), Reason: "test", Author: "test", Attempt: 1, Score: 1_000_000, Lapses: true,
	}})
	if err != nil {
		t.Fatal(err)
	}
	return b.enforce(t)
}

func (b *incidentBench) enforce(t *rapid.T) reconcile.Report {
	t.Helper()
	r, err := b.look.Enforce(context.Background(), reconcile.Gathered{})
	if err != nil || len(r.Verification.Gaps) > 0 || len(r.Refusals) > 0 {
		t.Fatalf("error %v, verification %+v, refusals %v", err, r.Verification, r.Refusals)
	}
	return r
}

// drops are the policies in force that drop what comes in from an address by a book of
// blocked addresses.
func (b *incidentBench) drops(p netip.Prefix) (policies []simulator.Policy) {
	engine := b.cloud.Engine()
	for _, policy := range engine.Policies {
		at := slices.IndexFunc(engine.AddressBooks, func(k simulator.AddressBook) bool { return k.Name == policy.Source })
		if policy.Direction != "in" || policy.Action != "drop" || at < 0 {
			continue
		}
		if slices.ContainsFunc(engine.AddressBooks[at].Addresses, func(a string) bool {
			return strings.TrimSuffix(a, "/32") == p.Addr().String()
		}) {
			policies = append(policies, policy)
		}
	}
	return policies
}

// firewall is what it holds, to the byte: who has a place in a small security group may
// depend on who had one before.
func (b *incidentBench) firewall(t *rapid.T) string {
	s := b.cloud.Snapshot()
	text, err := json.MarshalIndent([]any{s.Policies, s.AddressBooks}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// With fwsync gone the firewall lets go of an emergency block at the half hour that is not
// before its end, and of nothing else; whoever comes later finds no gap and clears up.
func TestTheFirewallEndsAnEmergencyBlockByItself(t *testing.T) {
	folder := t.TempDir()
	for _, vanish := range []bool{false, true} {
		few(t, 3, func(t *rapid.T) {
			world := genWorld(t)
			b := newIncidentBench(t, folder, simulator.Options{World: &world, Assume: simulator.Assumptions{LapsedPoliciesVanish: vanish}})
			defer b.close()
			b.settle(t)
			before, idle := b.firewall(t), len(b.cloud.Engine().Policies)
			r := b.blockNow(t, attacker, 40*time.Minute) // 12:07 to 12:47
			end := start.Add(time.Hour)
			if !r.Plan.Proof.Safe || strings.Contains(strings.Join(r.Plan.Notes, "\n"), "end") {
				t.Fatalf("plan %+v", r.Plan)
			}
			for _, trace := range r.Verification.Traces {
				if inGroup := strings.HasPrefix(trace.Target, "security-group"); trace.Prefix == attacker && !inGroup && !trace.FirewallEnd.Equal(end) {
					t.Fatalf("%+v, want an end at %s", trace, end)
				}
			}
			if at := b.drops(attacker); len(at) != 1 || at[0].RepeatType != "None" || at[0].EndTime != end.Unix() {
				t.Fatalf("blocked by %+v", at)
			}
			b.now = b.now.Add(30 * time.Minute) // another half hour
			if !b.calm(t) {
				t.Fatal("half an hour later there is something to do")
			}
			b.now = end.Add(-time.Second)
			if len(b.drops(attacker)) != 1 {
				t.Fatal("it passes before its end")
			}
			b.now = end
			if left := b.cloud.Engine().Policies; len(b.drops(attacker)) != 0 || len(left) != idle {
				t.Fatalf("%d policies are in force after the end, want %d", len(left), idle)
			}
			status, err := b.look.Standing(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			for _, gap := range status.Verification.Gaps {
				// In a full group the address still has the place of another one.
				if !strings.HasPrefix(gap.Target, "security-group") {
					t.Fatalf("status: %+v", status.Verification)
				}
			}
			b.settle(t)
			if after := b.firewall(t); after != before {
				t.Fatalf("after a reconcile\n%s\nwant\n%s", after, before)
			}
		})
	}
}

// A firewall that takes no policy whose start is over gets the block without an end, in
// the same pass: late is worse than long. The report says so, and nobody tries again.
func TestAFirewallThatRefusesEndTimesBlocksWithout(t *testing.T) {
	folder := t.TempDir()
	few(t, 3, func(t *rapid.T) {
		b := newIncidentBench(t, folder, simulator.Options{Assume: simulator.Assumptions{PastStartRefused: true}})
		defer b.close()
		b.settle(t)
		before := b.firewall(t)
		r := b.blockNow(t, attacker, 40*time.Minute)
		if !strings.Contains(strings.Join(r.Plan.Notes, "\n"), "refused policies with an end") {
			t.Fatalf("notes %v", r.Plan.Notes)
		}
		if at := b.drops(attacker); len(at) != 1 || at[0].RepeatType == "None" {
			t.Fatalf("blocked by %+v", at)
		}
		for _, k := range b.cloud.Snapshot().AddressBooks {
			if strings.Contains(k.Name, "until") {
				t.Fatalf("book %s is left", k.Name)
			}
		}
		b.cloud.ResetCalls()
		if b.enforce(t); slices.ContainsFunc(b.cloud.Calls(), func(c simulator.Call) bool { return c.Write }) {
			t.Fatalf("the next pass writes: %v", b.cloud.Calls())
		}
		b.now = start.Add(2 * time.Hour)
		b.settle(t)
		if after := b.firewall(t); after != before {
			t.Fatalf("after a reconcile\n%s\nwant\n%s", after, before)
		}
	})
}

// What a gateway refuses, once, says nothing about ends: it is blocked at once all the
// same, and the next passes give it its end.
func TestAGatewaysWordTakesNoEndForGood(t *testing.T) {
	folder := t.TempDir()
	few(t, 2, func(t *rapid.T) {
		b := newIncidentBench(t, folder, simulator.Options{})
		defer b.close()
		b.settle(t)
		b.cloud.Inject(simulator.Fault{Action: "AddControlPolicy", Kind: simulator.FaultCode, Code: "InvalidTimeStamp.Expired", Count: 1})
		b.blockNow(t, attacker, 40*time.Minute)
		if at := b.drops(attacker); len(at) != 1 || at[0].RepeatType == "None" {
			t.Fatalf("blocked by %+v", at)
		}
		b.settle(t)
		if at := b.drops(attacker); len(at) != 1 || at[0].RepeatType != "None" {
			t.Fatalf("blocked by %+v", at)
		}
	})
}

// An emergency block that is extended moves on without a moment in which it passes, also
// under an incident that names the blocked; taken back it is gone at once.
func TestAnEmergencyBlockIsExtendedAndTakenBack(t *testing.T) {
	folder := t.TempDir()
	few(t, 3, func(t *rapid.T) {
		b := newIncidentBench(t, folder, simulator.Options{})
		defer b.close()
		b.settle(t)
		before := b.firewall(t)
		b.blockNow(t, attacker, 20*time.Minute)
		b.start(t, "storm", 2*time.Hour)
		r := b.blockNow(t, attacker, 3*time.Hour)
		if !r.Plan.Proof.Safe {
			t.Fatalf("unsafe: %+v", r.Plan.Proof)
		}
		took := slices.IndexFunc(r.Plan.Steps, func(s cloudfw.Step) bool { return s.Op == cloudfw.DeleteRule || s.Op == cloudfw.RemoveAddresses })
		put := slices.IndexFunc(r.Plan.Steps, func(s cloudfw.Step) bool { return s.Op == cloudfw.InsertRule })
		if put < 0 || took < put {
			t.Fatalf("steps %v", r.Plan.Steps)
		}
		if at := b.drops(attacker); len(at) != 1 || at[0].EndTime != start.Add(3*time.Hour+30*time.Minute).Unix() {
			t.Fatalf("blocked by %+v", at)
		}
		if r := b.undo(t, "storm"); len(r.Each()[0].Refusals) > 0 {
			t.Fatalf("refused: %+v", r.Each()[0].Refusals)
		}
		ended, err := b.store.Revoke(context.Background(), ledger.Revocation{Prefixes: []netip.Prefix{attacker}, Verdict: ledger.Block, At: b.now})
		if err != nil || len(ended) != 2 {
			t.Fatalf("revoked %v, %v", ended, err)
		}
		b.enforce(t)
		if len(b.drops(attacker)) != 0 {
			t.Fatal("it is blocked after it was taken back")
		}
		if after := b.firewall(t); after != before {
			t.Fatalf("after it was taken back\n%s\nwant\n%s", after, before)
		}
	})
}
