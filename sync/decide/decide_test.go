package decide

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"fwsync/cloudfw"
	"fwsync/detect"
	"fwsync/ledger"
	"fwsync/policies"
)

var (
	now      = time.Date(2026, 11, 23, 20, 30, 0, 0, time.UTC)
	attacker = netip.MustParsePrefix("198.51.100.7/32")
	rules    = []policies.Detection{
		{Name: "sasl-bruteforce", Block: &policies.Penalty{For: time.Hour, Escalate: []time.Duration{time.Hour, 24 * time.Hour, 7 * 24 * time.Hour}}},
		{Name: "relay-abuse", Block: &policies.Penalty{For: 24 * time.Hour}},
		{Name: "watch-only"},
	}
)

func found(rule string, lastSeen time.Time) Found {
	return Found{Source: "mail", Detection: detect.Detection{
		Rule: rule, Prefix: attacker, Count: 7, Score: detect.Score{Total: 7, Count: 7, Weight: 1}, FirstSeen: lastSeen.Add(-time.Minute), CrossedAt: lastSeen.Add(-time.Second), LastSeen: lastSeen,
		Evidence: []detect.Evidence{{Source: "mail", Line: 12, Hash: "0011223344556677", Text: "a line"}},
	}}
}

func decideOne(t *testing.T, in Input) Result {
	t.Helper()
	in.Now, in.Rules = now, rules
	return Decide(in)
}

func withheldFor(t *testing.T, r Result, reason string) {
	t.Helper()
	if len(r.Decisions) > 0 || len(r.Withheld) != 1 || !strings.Contains(r.Withheld[0].Reason, reason) {
		t.Errorf("result = %+v, want it withheld because %q", r, reason)
	}
}

func TestADecisionRunsFromTheLogsTime(t *testing.T) {
	seen := now.Add(-20 * time.Minute)
	r := decideOne(t, Input{Found: []Found{found("sasl-bruteforce", seen)}})
	if len(r.Decisions) != 1 {
		t.Fatalf("result = %+v", r)
	}
	d := r.Decisions[0]
	if !d.End.Equal(seen.Add(time.Hour)) || d.Attempt != 1 || d.Author != Author || len(d.Evidence) != 1 || d.Evidence[0].Line != 12 {
		t.Errorf("decision = %+v", d)
	}
}

func TestOldAttacksBlockNobody(t *testing.T) {
	withheldFor(t, decideOne(t, Input{Found: []Found{found("sasl-bruteforce", now.AddDate(0, -1, 0))}}), "over")
}

func TestADemonstrationClockShiftsTheDecision(t *testing.T) {
	f := found("sasl-bruteforce", now.AddDate(0, -1, 0))
	f.Shift = now.Sub(f.LastSeen)
	r := decideOne(t, Input{Found: []Found{f}})
	if len(r.Decisions) != 1 || !r.Decisions[0].End.Equal(now.Add(time.Hour)) {
		t.Errorf("result = %+v", r)
	}
}

func TestABlockEscalatesWithEachTime(t *testing.T) {
	past := func(attempt int) ledger.Decision {
		return ledger.Decision{ID: int64(attempt), Verdict: ledger.Block, Prefix: attacker, Author: Author, Rule: "sasl-bruteforce", Attempt: attempt, Start: now.Add(-48 * time.Hour), End: now.Add(-47 * time.Hour)}
	}
	for _, c := range []struct {
		known []ledger.Decision
		want  time.Duration
	}{
		{nil, time.Hour},
		{[]ledger.Decision{past(1)}, 24 * time.Hour},
		{[]ledger.Decision{past(1), past(2)}, 7 * 24 * time.Hour},
		{[]ledger.Decision{past(1), past(2), past(3)}, 7 * 24 * time.Hour},
	} {
		r := decideOne(t, Input{Found: []Found{found("sasl-bruteforce", now)}, Known: c.known})
		if len(r.Decisions) != 1 || r.Decisions[0].End.Sub(now) != c.want {
			t.Errorf("after %d blocks: %+v, want %s", len(c.known), r, c.want)
		}
	}
}

func TestAnAttackThatGoesOnProlongsItsDecision(t *testing.T) {
	active := ledger.Decision{ID: 9, Verdict: ledger.Block, Prefix: attacker, Author: Author, Rule: "relay-abuse", Attempt: 1, Start: now.Add(-time.Hour), End: now.Add(23 * time.Hour), Count: 3, Score: 3}
	r := decideOne(t, Input{Found: []Found{found("relay-abuse", now)}, Known: []ledger.Decision{active}})
	if len(r.Decisions) != 1 {
		t.Fatalf("result = %+v", r)
	}
	if d := r.Decisions[0]; d.ID != 9 || d.Attempt != 1 || !d.End.Equal(now.Add(24*time.Hour)) || !d.Start.Equal(active.Start) || d.Count != 7 {
		t.Errorf("decision = %+v", d)
	}
}

func TestWhatIsNotBlockedSaysWhy(t *testing.T) {
	office := cloudfw.Exempt{Prefix: netip.MustParsePrefix("198.51.100.0/28"), Reason: "group office"}
	withheldFor(t, decideOne(t, Input{Found: []Found{found("sasl-bruteforce", now)}, Exempt: []cloudfw.Exempt{office}}), "group office")
	withheldFor(t, decideOne(t, Input{Found: []Found{found("watch-only", now)}}), "only reports")

	lab := found("sasl-bruteforce", now)
	lab.Prefix = netip.MustParsePrefix("127.66.1.1/32")
	withheldFor(t, decideOne(t, Input{Found: []Found{lab}}), "loopback")

	customer := found("sasl-bruteforce", now)
	customer.Withheld, customer.Legitimate = true, true
	withheldFor(t, decideOne(t, Input{Found: []Found{customer}}), "success")

	network := customer
	network.Prefix = netip.MustParsePrefix("198.51.100.0/24")
	withheldFor(t, decideOne(t, Input{Found: []Found{network}}), "innocent members")

	storm := found("sasl-bruteforce", now)
	storm.Prefix, storm.Of = netip.Prefix{}, detect.OfSite
	withheldFor(t, decideOne(t, Input{Found: []Found{storm}}), "all sources together")
}

func TestADecisionHasTheScoreAndTheCountersOfItsDetection(t *testing.T) {
	network := found("sasl-bruteforce", now)
	network.Of, network.Prefix, network.Count, network.Members = detect.OfNetwork, netip.MustParsePrefix("198.51.100.0/24"), 190, 64
	network.Score = detect.Score{Total: 380, Count: 190, Weight: 2}
	r := decideOne(t, Input{Found: []Found{network}})
	if len(r.Decisions) != 1 || r.Decisions[0].Score != 380 || r.Decisions[0].Count != 190 || r.Decisions[0].Reason != "sasl-bruteforce: 190 signals by 64 addresses" {
		t.Errorf("result = %+v", r)
	}
}

func TestALogThatRunsAheadStillBlocksNow(t *testing.T) {
	r := decideOne(t, Input{Found: []Found{found("sasl-bruteforce", now.Add(10*time.Minute))}})
	if len(r.Decisions) != 1 || !r.Decisions[0].ActiveAt(now) {
		t.Errorf("result = %+v", r)
	}
}

func TestADecisionKeepsWhatItWasCountedFrom(t *testing.T) {
	f := found("sasl-bruteforce", now)
	f.Threshold, f.LegitimateThreshold, f.Within, f.Peak, f.Account = 5, 20, 10*time.Minute, 6, "bob"
	f.Evidence = []detect.Evidence{{Source: "mail", File: "/var/log/mail.log.1", Line: 3, Offset: 41, Hash: "00"}, {Source: "imap", File: "/var/log/imap.log", Line: 1}}
	first := decideOne(t, Input{Found: []Found{f}}).Decisions[0]
	want := ledger.Counters{Threshold: 5, WithinSeconds: 600, Peak: 6, Account: "bob", CrossedAt: f.CrossedAt, Signals: 7, Weight: 1}
	if first.Counters == nil || *first.Counters != want {
		t.Errorf("counters %+v, want %+v", first.Counters, want)
	}
	if e := first.Evidence; len(e) != 2 || e[0].File != "/var/log/mail.log.1" || e[0].Offset != 41 || e[1].Source != "imap" {
		t.Errorf("evidence %+v", e)
	}
	f.Legitimate, f.LegitimateBy = true, detect.SMTPAuthOK
	if c := decideOne(t, Input{Found: []Found{f}}).Decisions[0].Counters; c.LegitimateThreshold != 20 || c.Success != "smtp.auth_ok" {
		t.Errorf("with a success: %+v", c)
	}

	// Prolonged at a lower score it keeps the numbers that its score comes from.
	first.ID = 9
	f.Legitimate, f.Score = false, detect.Score{Total: 2, Count: 2, Weight: 1}
	if d := decideOne(t, Input{Found: []Found{f}, Known: []ledger.Decision{first}}).Decisions[0]; d.Score != 7 || d.Counters.Signals != 7 {
		t.Errorf("score %d, counters %+v", d.Score, d.Counters)
	}
	f.Score = detect.Score{Total: 11, Count: 11, Weight: 1}
	if d := decideOne(t, Input{Found: []Found{f}, Known: []ledger.Decision{first}}).Decisions[0]; d.Score != 11 || d.Counters.Signals != 11 {
		t.Errorf("score %d, counters %+v", d.Score, d.Counters)
	}
}
