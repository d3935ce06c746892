package reconcile

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fwsync/detect/sources"
	"fwsync/ledger/sqlite"
	"fwsync/policies"
)

// Two hosts that see the same attack at the same moment, neither of which knows of the
// other's decision, leave one: the next attack is the second, not the third.
func TestHostsThatDecideTheSameLeaveOneDecision(t *testing.T) {
	dir := t.TempDir()
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	policy, err := policies.Parse([]policies.File{{Name: "p.yaml", Data: []byte(`
detections:
  - { name: sasl, signal: smtp.auth_failed, threshold: 5, within: 10m, block: { for: 1h, escalate: [1h, 24h] } }
rules:
  - { name: drop, from: $blocked, to: any, action: drop }
targets:
  - internet-firewall: { rules: all }
`)}}, policies.Options{})
	if err != nil {
		t.Fatal(err)
	}
	hosts := map[string]*Watch{}
	for _, name := range []string{"mx1", "mx2"} {
		store, err := sqlite.Open(t.Context(), filepath.Join(dir, "ledger.db"), sqlite.Options{Instance: name})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = store.Close() })
		log := sources.Source{Path: filepath.Join(dir, name+".log"), Reference: now}
		if hosts[name], err = NewWatch(t.Context(), Look{Policy: policy, Ledger: store, Now: func() time.Time { return now }, Sources: []Source{{Name: "mail", Log: log}}}); err != nil {
			t.Fatal(err)
		}
	}
	for name, w := range hosts { // each has learned before the other stored
		var text strings.Builder
		for i := range 6 {
			fmt.Fprintf(&text, "Mar  2 11:59:%02d %s postfix/smtpd[1]: warning: unknown[203.0.113.9]: SASL LOGIN authentication failed: UGFzc3dvcmQ6\n", i, name)
		}
		log := w.look.Sources[0].Log
		if err := os.WriteFile(log.Path, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := sources.Read(t.Context(), log, sources.Position{}, w.engine.ObserveAll); err != nil {
			t.Fatal(err)
		}
		if err := w.store(t.Context(), false); err != nil {
			t.Fatal(err)
		}
	}
	all, err := hosts["mx1"].look.Ledger.Decisions(t.Context(), time.Time{})
	if err != nil || len(all) != 1 {
		t.Fatalf("%d decisions, error %v, want one:\n%+v", len(all), err, all)
	}
	for _, name := range []string{"mx1", "mx2"} {
		if evidence := fmt.Sprint(all[0].Evidence); !strings.Contains(evidence, name) {
			t.Errorf("nothing of %s is in the evidence %s", name, evidence)
		}
	}
}
