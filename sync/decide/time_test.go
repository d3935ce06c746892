package decide

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"fwsync/cloudfw"
	"fwsync/ledger"
	"fwsync/policies"
)

const forget = 30 * 24 * time.Hour

// block is an automatic one of the bruteforce rule that began before and lasted so long.
func block(attempt int, before, lasted time.Duration) ledger.Decision {
	start := now.Add(-before)
	return ledger.Decision{
		ID: int64(attempt), Verdict: ledger.Block, Prefix: attacker, Author: Author, Rule: "sasl-bruteforce",
		Attempt: attempt, Start: start, FirstSeen: start, LastSeen: start, End: start.Add(lasted), Count: 5, Score: 5,
	}
}

func unblocked(d ledger.Decision, ago time.Duration) ledger.Decision {
	d.RevokedAt, d.RevokedBy, d.RevokeReason = now.Add(-ago), "alice", "a customer"
	return d
}

func person(verdict ledger.Verdict, prefix string, end time.Time) ledger.Decision {
	return ledger.Decision{ID: 77, Verdict: verdict, Prefix: netip.MustParsePrefix(prefix), Author: "alice", Start: now.Add(-time.Minute), End: end, Attempt: 1}
}

func TestTheEscalationIsForgottenStepByStep(t *testing.T) {
	for _, c := range []struct {
		attempts int
		quiet    time.Duration
		want     int
	}{
		{3, time.Minute, 4},
		{3, forget - time.Minute, 4},
		{3, forget, 3},
		{3, 2 * forget, 2},
		{3, 3 * forget, 1},
		{3, 30 * forget, 1},
		{9, forget, 3}, // beyond the last step there is nothing to fall back by
		{9, 2 * forget, 2},
		{1, forget, 1},
	} {
		past := block(c.attempts, time.Hour+c.quiet, time.Hour)
		f := found("sasl-bruteforce", now)
		f.CrossedAt = now
		r := decideOne(t, Input{Found: []Found{f}, Known: []ledger.Decision{past}})
		if len(r.Decisions) != 1 || r.Decisions[0].Attempt != c.want {
			t.Errorf("%d blocks, then %s quiet: %+v, want the block to be number %d", c.attempts, c.quiet, r, c.want)
			continue
		}
		o := Offenders(attacker.Addr(), []ledger.Decision{past}, rules, now)
		if len(o) != 1 || o[0].Next != c.want {
			t.Errorf("remembered is %+v, want the next to be number %d", o, c.want)
		}
		if f := o[0].Forgotten; (c.want > 1) != f.After(now) || !f.IsZero() && (!f.Equal(past.End.Add(time.Duration(min(c.attempts, 3))*forget))) {
			t.Errorf("after %d blocks and %s it is forgotten at %s", c.attempts, c.quiet, f)
		}
	}
}

func TestWhatAPersonTookBackIsNoOffence(t *testing.T) {
	past := unblocked(block(1, 26*time.Hour, 48*time.Hour), 25*time.Hour)
	r := decideOne(t, Input{Found: []Found{found("sasl-bruteforce", now)}, Known: []ledger.Decision{past}})
	if len(r.Decisions) != 1 || r.Decisions[0].Attempt != 1 || r.Decisions[0].ID != 0 {
		t.Errorf("result = %+v, want a first block", r)
	}
}

func TestAnUnblockCoolsDown(t *testing.T) {
	in := func(ago time.Duration, prefix string) Input {
		f := found("sasl-bruteforce", now)
		f.Prefix = netip.MustParsePrefix(prefix)
		return Input{Found: []Found{f}, Known: []ledger.Decision{unblocked(block(1, 3*time.Hour, 24*time.Hour), ago)}}
	}
	withheldFor(t, decideOne(t, in(59*time.Minute, "198.51.100.7/32")), "cooling down until 2026-11-23T20:31:00Z: alice unblocked 198.51.100.7/32 at 2026-11-23T19:31:00Z (a customer)")
	withheldFor(t, decideOne(t, in(59*time.Minute, "198.51.100.0/24")), "cooling down")
	for _, c := range []Input{in(61*time.Minute, "198.51.100.7/32"), in(61*time.Minute, "198.51.100.0/24"), in(time.Minute, "198.51.100.8/32")} {
		if r := decideOne(t, c); len(r.Decisions) != 1 {
			t.Errorf("result = %+v, want a block", r)
		}
	}
	wide := unblocked(person(ledger.Block, "198.51.100.0/24", time.Time{}), time.Minute)
	withheldFor(t, decideOne(t, Input{Found: []Found{found("relay-abuse", now)}, Known: []ledger.Decision{wide}}), "cooling down")
}

func TestOldSignalsDoNotBlockAgain(t *testing.T) {
	// Of before a person's unblock, by any rule.
	old := found("relay-abuse", now)
	old.CrossedAt, old.Continued = now.Add(-5*time.Hour), true
	taken := unblocked(block(1, 5*time.Hour, 24*time.Hour), 4*time.Hour)
	withheldFor(t, decideOne(t, Input{Found: []Found{old}, Known: []ledger.Decision{taken}}), "only new ones block again")

	// Of before the policy ended it.
	lapsed := block(1, 5*time.Hour, 24*time.Hour)
	lapsed.RevokedAt, lapsed.RevokedBy = now.Add(-4*time.Hour), Author
	old.Rule = "sasl-bruteforce"
	withheldFor(t, decideOne(t, Input{Found: []Found{old}, Known: []ledger.Decision{lapsed}}), "only new ones block again")

	// Those that made the block, once it is over.
	made := found("sasl-bruteforce", now.Add(-2*time.Hour))
	withheldFor(t, decideOne(t, Input{Found: []Found{made}, Known: []ledger.Decision{block(1, 2*time.Hour, time.Hour)}}), "over")
}

// The attack went on while the block held; whether the pass came a minute before its
// end or after makes no difference.
func TestAnAttackThatWentOnProlongsItsDecisionAlsoAfterItsEnd(t *testing.T) {
	past := block(2, 25*time.Hour, 24*time.Hour)
	f := found("sasl-bruteforce", past.End.Add(-time.Minute))
	r := decideOne(t, Input{Found: []Found{f}, Known: []ledger.Decision{past}})
	if len(r.Decisions) != 1 {
		t.Fatalf("result = %+v", r)
	}
	if d := r.Decisions[0]; d.ID != past.ID || d.Attempt != 2 || !d.End.Equal(f.LastSeen.Add(24*time.Hour)) {
		t.Errorf("decision = %+v", d)
	}
}

func TestAPersonsBlockStandsAlone(t *testing.T) {
	end := now.Add(10 * time.Minute)
	for _, prefix := range []string{"198.51.100.7/32", "198.51.100.0/28"} {
		in := Input{Found: []Found{found("sasl-bruteforce", now)}, Known: []ledger.Decision{person(ledger.Block, prefix, end)}}
		withheldFor(t, decideOne(t, in), "alice blocks "+prefix+" already (decision 77, until 2026-11-23T20:40:00Z)")
	}
	for _, other := range []ledger.Decision{person(ledger.Block, "198.51.100.8/32", end), person(ledger.Block, "198.51.100.7/32", now.Add(-time.Second))} {
		if r := decideOne(t, Input{Found: []Found{found("sasl-bruteforce", now)}, Known: []ledger.Decision{other}}); len(r.Decisions) != 1 {
			t.Errorf("beside %+v: %+v, want a block", other, r)
		}
	}
}

// What is exempt within a network is cut out of it by the compiler, not by holding the
// whole network back.
func TestAnAllowOfAPartLeavesTheRest(t *testing.T) {
	f := found("sasl-bruteforce", now)
	f.Prefix = netip.MustParsePrefix("198.51.100.0/24")
	partner := cloudfw.Exempt{Prefix: netip.MustParsePrefix("198.51.100.9/32"), Reason: "partner"}
	r := decideOne(t, Input{Found: []Found{f}, Exempt: []cloudfw.Exempt{partner}})
	if len(r.Decisions) != 1 {
		t.Fatalf("result = %+v", r)
	}
	stored := r.Decisions
	stored[0].ID = 1
	policy := policies.Policy{Allowlist: []cloudfw.Exempt{partner}}
	compiled, err := policy.Compile(stored, "test", now)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range compiled.Intent.Blocked {
		if b.Prefix.Contains(partner.Prefix.Addr()) {
			t.Errorf("%s is blocked with the partner in it", b.Prefix)
		}
	}
	if len(compiled.Intent.Blocked) != 8 || len(compiled.Withheld) != 1 {
		t.Errorf("compiled %+v", compiled)
	}
}

func TestThePolicyEndsWhatItBearsNoLonger(t *testing.T) {
	day := 24 * time.Hour
	held := func(rule string) ledger.Decision {
		d := block(1, 2*time.Hour, 30*day)
		d.Rule = rule
		return d
	}
	manual := person(ledger.Block, "203.0.113.9/32", time.Time{})
	for _, c := range []struct {
		known ledger.Decision
		end   time.Time // zero: as it was
		why   string
	}{
		{held("no-such-rule"), now, "policy: detection no-such-rule is gone"},
		{held("watch-only"), now, "policy: detection watch-only only reports now"},
		{held("relay-abuse"), now.Add(22 * time.Hour), "policy: detection relay-abuse blocks for 24h now"},
		{held("sasl-bruteforce"), now, "policy: detection sasl-bruteforce blocks for 1h now"},
		{block(3, 2*time.Hour, 7*day), time.Time{}, ""},
		{block(3, 2*time.Hour, time.Hour), time.Time{}, ""},   // over
		{block(3, 2*time.Hour, 3*time.Hour), time.Time{}, ""}, // nothing gets longer
		{manual, time.Time{}, ""},
		{unblocked(held("no-such-rule"), time.Minute), time.Time{}, ""},
	} {
		got := Reconsider([]ledger.Decision{c.known}, rules, now)
		if c.why == "" {
			if len(got) > 0 {
				t.Errorf("%+v lapsed: %+v", c.known, got)
			}
			continue
		}
		if len(got) != 1 || got[0].Reason != c.why || !Ended(got[0].Decision).Equal(c.end) {
			t.Errorf("of %+v: %+v, want it to end at %s: %s", c.known, got, c.end, c.why)
			continue
		}
		after := got[0].Decision
		if again := Reconsider([]ledger.Decision{after}, rules, now); len(again) > 0 {
			t.Errorf("reconsidered once more: %+v", again)
		}
		if after.RevokedAt.IsZero() == c.end.Equal(now) || !after.RevokedAt.IsZero() && after.RevokedBy != Author {
			t.Errorf("after = %+v", after)
		}
	}
}

// The ledger rounds to milliseconds; that is no change of policy.
func TestRoundingIsNoChangeOfPolicy(t *testing.T) {
	seen := now.Add(-time.Minute + 123456789)
	d := block(1, time.Minute, time.Hour)
	d.LastSeen, d.End = seen.Truncate(time.Millisecond), seen.Add(time.Hour).Truncate(time.Millisecond).Add(time.Millisecond)
	if got := Reconsider([]ledger.Decision{d}, rules, now); len(got) > 0 {
		t.Errorf("lapsed: %+v", got)
	}
}

func BenchmarkDecideBesideManyDecisions(b *testing.B) {
	var known []ledger.Decision
	for i := range 100_000 {
		d := block(1, 3*time.Hour, time.Hour)
		d.ID, d.Prefix = int64(i+1), cloudfw.HostPrefix(netip.AddrFrom4([4]byte{203, byte(i >> 16), byte(i >> 8), byte(i)}))
		if i%10 == 0 {
			d.Author, d.Rule, d.End = fmt.Sprint("person", i), "", time.Time{}
		}
		known = append(known, d)
	}
	in := Input{Rules: rules, Known: known, Now: now}
	for i := range 1000 {
		f := found("sasl-bruteforce", now)
		f.Prefix = known[i*100+i%7].Prefix
		in.Found = append(in.Found, f)
	}
	for b.Loop() {
		Decide(in)
	}
}

// A log whose clock was years ahead, until it was set, blocks for as long as it should.
func TestALogThatRanAheadMakesNoBlockThatLastsForYears(t *testing.T) {
	r := decideOne(t, Input{Found: []Found{found("sasl-bruteforce", now.AddDate(10, 0, 0))}})
	if len(r.Decisions) != 1 || r.Decisions[0].Start.After(now) || !r.Decisions[0].End.Equal(now.Add(time.Hour)) {
		t.Errorf("%+v, want a block of an hour from now", r)
	}
}
