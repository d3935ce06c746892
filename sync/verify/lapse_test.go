package verify

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"fwsync/cloudfw"
	"fwsync/cloudfw/lower"
)

// A block in a lapse bucket is enforced until the firewall's own clock has ended it, and
// the trace says when that is.
func TestALapseBucketEnforcesUntilItsEnd(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 7, 0, 0, time.UTC)
	end := now.Truncate(cloudfw.HalfHour).Add(time.Hour)
	intent := cloudfw.Intent{
		Owner: "edge", Targets: []cloudfw.Target{{Kind: cloudfw.InternetFirewall}},
		Rules: []cloudfw.Rule{{Name: "drop", Direction: cloudfw.In, From: cloudfw.Side{Blocked: true}, To: cloudfw.Side{Any: true}, Protocol: cloudfw.AnyProtocol, Application: "ANY", Action: cloudfw.Drop}},
		Blocked: []cloudfw.Block{
			{Prefix: netip.MustParsePrefix("198.51.100.7/32"), Until: end.Add(-time.Minute), Lapses: true},
			{Prefix: netip.MustParsePrefix("198.51.100.8/32"), Until: end.Add(-time.Minute)},
		},
	}
	live := cloudfw.Snapshot{TakenAt: now}
	wanted, err := lower.Lower(intent, live, cloudfw.DefaultLimits(), nil)
	if err != nil {
		t.Fatal(err)
	}
	live.Books = wanted.Books
	for _, rules := range wanted.Rules {
		for i, r := range rules {
			r.ID, r.Order = r.Description, i+1
			live.Rules = append(live.Rules, r)
		}
	}
	report := Check(intent, wanted, live)
	if len(report.Gaps) > 0 || report.Enforced != 2 {
		t.Fatalf("report %+v", report)
	}
	for i, want := range []time.Time{end, {}} {
		if got := report.Traces[i].FirewallEnd; !got.Equal(want) {
			t.Errorf("%s ends at %v, want %v", report.Traces[i].Prefix, got, want)
		}
	}
	live.TakenAt = end
	report = Check(intent, wanted, live)
	if len(report.Gaps) != 2 || report.Enforced != 1 || !strings.Contains(report.Gaps[0].Reason+report.Gaps[1].Reason, "the firewall's own clock has ended rule #2") {
		t.Errorf("at its end: %+v", report.Gaps)
	}
}
