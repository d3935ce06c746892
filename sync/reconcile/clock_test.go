package reconcile_test

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"fwsync/cloudfw"
	"fwsync/ledger"
	"fwsync/ledger/sqlite"
	"fwsync/policies"
	"fwsync/sync/gates"
	"fwsync/sync/reconcile"
)

// A clock that is set back lifts nothing: not by little, as what was decided since then
// still holds, and not by far, as lifting so much at once is refused. Set forward, it
// lifts what ends meanwhile, and blocks it again when it is set right.
func TestAClockThatIsSetLiftsNothingForGood(t *testing.T) {
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	policy, err := policies.Parse([]policies.File{{Name: "p.yaml", Data: []byte(`
rules:
  - { name: drop-attackers, from: $blocked, to: any, action: drop }
targets:
  - internet-firewall: { rules: all }
`)}}, policies.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const many = 60
	var decisions []ledger.Decision
	for i := range many {
		decisions = append(decisions, ledger.Decision{
			Verdict: ledger.Block, Prefix: netip.MustParsePrefix(fmt.Sprintf("198.51.100.%d/32", i+1)),
			Start: start, End: start.Add(time.Hour), Reason: "test", Author: "test", Attempt: 1, Score: 5,
		})
	}
	if _, err := store.Add(t.Context(), decisions); err != nil {
		t.Fatal(err)
	}
	now, account := start, &replayed{}
	c := reconcile.Controller{
		Look: reconcile.Look{
			Policy: policy, Owner: "edge", Ledger: store, Gates: gates.DefaultLimits(), Now: func() time.Time { return now },
			Clouds: []reconcile.Cloud{{
				Title: "replayed", Reader: account, Limits: cloudfw.DefaultLimits(),
				Traffic: func() cloudfw.Traffic { return cloudfw.Traffic{} }, Calls: func() []reconcile.Call { return nil },
			}},
		},
		Accounts: []cloudfw.Account{account}, Author: "test",
	}
	for _, step := range []struct {
		what    string
		at      time.Time
		blocked int
		refused string
	}{
		{"at first", start.Add(time.Minute), many, ""},
		{"five seconds before they were decided", start.Add(-5 * time.Second), many, ""},
		{"an hour back", start.Add(-time.Hour), many, ""},
		{"back in 1970", time.Unix(1000, 0), many, "blast-radius"},
		{"set right", start.Add(2 * time.Minute), many, ""},
		{"two hours ahead", start.Add(2 * time.Hour), 0, ""},
		{"set right again", start.Add(3 * time.Minute), many, ""},
		{"when they end", start.Add(time.Hour), 0, ""},
	} {
		now = step.at
		r, err := c.RunOnce(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", step.what, err)
		}
		refused := ""
		for _, refusal := range r.Refusals {
			refused += refusal.Gate
		}
		if account.blocked() != step.blocked || refused != step.refused {
			t.Errorf("%s: %d are blocked, want %d; refused by %q, want %q", step.what, account.blocked(), step.blocked, refused, step.refused)
		}
	}
}
