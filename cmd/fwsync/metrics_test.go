package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fwsync/sync/gates"
	"fwsync/sync/plan"
	"fwsync/sync/reconcile"
	"fwsync/sync/verify"
)

// ranAt is a run with something of everything: one block that was detected 40 s before,
// one cloud in shape and one with a gap.
func ranAt(at time.Time) reconcile.Report {
	shape := &reconcile.CloudReport{
		Name: "home", Plan: plan.Plan{ID: "p1", Untouched: []plan.Untouched{{Where: "ipv4", Count: 3}}},
		Capacity: []plan.Use{{What: "policies in ipv4", After: 80, Limit: 100}, {What: "unbounded", After: 7}},
		Timings:  []reconcile.Timing{{Op: "observe", Outcome: "done", Count: 2, Seconds: 1.5}},
		Calls: []reconcile.Call{{
			API: "AddAddressBook", Count: 3, Outcomes: map[string]int{"done": 1, "throttled": 2}, Seconds: .5, Waited: 2.5,
		}},
		Verification: &verify.Report{},
	}
	return reconcile.Report{
		Schema: reconcile.Schema, At: at, Clouds: []*reconcile.CloudReport{shape},
		Decisions: reconcile.DecisionCount{Active: 12, New: 1},
		Ledger:    &reconcile.LedgerCount{Blocks: 12, Allows: 2, Later: 1, Ended: 30, Revoked: 4},
		Sources: []reconcile.SourceReport{{Name: "mail", Lines: 100, Signals: 20, Malformed: 3, BadAddress: 2, Overlong: 1, Health: reconcile.Health{OK: true}},
			{Name: "partner", Feed: &reconcile.FeedReport{Entries: 40, Good: at.Add(-time.Hour)}, Health: reconcile.Health{OK: true}}},
		Detections: []reconcile.DetectionReport{{Prefix: "198.51.100.7", Blocked: true, CrossedAt: at.Add(-40 * time.Second)}},
	}
}

func expect(t *testing.T, m *metrics, want ...string) {
	t.Helper()
	text := exposed(t, m)
	for _, line := range want {
		if !strings.Contains("\n"+text, "\n"+line+"\n") {
			t.Errorf("no %s in\n%s", line, text)
		}
	}
}

func exposed(t *testing.T, m *metrics) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fwsync.prom")
	if err := m.write(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheFiguresOfARun(t *testing.T) {
	m := newMetrics()
	m.lease(true)
	m.loaded("abc")
	at := time.Unix(1_800_000_000, 0)
	m.pass(ranAt(at), nil, 3*time.Second)
	expect(t, m,
		`fwsync_runs_total{outcome="done"} 1`, `fwsync_last_success_timestamp_seconds 1.8e+09`,
		`fwsync_ledger_decisions{state="block"} 12`, `fwsync_ledger_decisions{state="revoked"} 4`, `fwsync_ledger_decisions{state="later"} 1`,
		`fwsync_calls_total{api="AddAddressBook",cloud="home",outcome="throttled"} 2`, `fwsync_call_wait_seconds_total{api="AddAddressBook",cloud="home"} 2.5`,
		`fwsync_capacity_used{cloud="home",what="policies in ipv4"} 80`, `fwsync_capacity_limit{cloud="home",what="policies in ipv4"} 100`,
		`fwsync_foreign_objects{cloud="home",where="ipv4"} 3`, `fwsync_source_unreadable_lines_total{source="mail"} 6`,
		`fwsync_enforcement_seconds_bucket{le="30"} 0`, `fwsync_enforcement_seconds_bucket{le="60"} 1`,
		`fwsync_lease_held 1`, `fwsync_policy_info{hash="abc"} 1`,
	)

	// Counters go on from what they were told, and what is gone is gone.
	next := ranAt(at.Add(time.Minute))
	next.Detections, next.Clouds[0].Capacity = nil, next.Clouds[0].Capacity[1:]
	next.Clouds[0].Calls[0].Outcomes = map[string]int{"done": 5, "throttled": 2}
	m.pass(next, nil, time.Second)
	m.loaded("def")
	expect(t, m, `fwsync_runs_total{outcome="done"} 2`, `fwsync_calls_total{api="AddAddressBook",cloud="home",outcome="done"} 5`, `fwsync_source_lines_total{source="mail"} 100`, `fwsync_policy_info{hash="def"} 1`)
	if text := exposed(t, m); strings.Contains(text, "policies in ipv4") || strings.Contains(text, `hash="abc"`) {
		t.Errorf("what is gone is still told:\n%s", text)
	}

	// An account that was opened again counts from nothing.
	m.begunAnew("home")
	m.pass(next, nil, time.Second)
	expect(t, m, `fwsync_calls_total{api="AddAddressBook",cloud="home",outcome="done"} 10`, `fwsync_source_lines_total{source="mail"} 100`)
}

// A block counts from its line to the run that found everything enforced, however
// many runs failed before.
func TestABlockIsTimedUntilItIsEnforced(t *testing.T) {
	m := newMetrics()
	at := time.Unix(1_800_000_000, 0)
	failed := ranAt(at)
	failed.Clouds[0].Failed = "unreachable"
	m.pass(failed, errors.New("unreachable"), time.Second)
	gapped := ranAt(at.Add(time.Minute))
	gapped.Detections, gapped.Summary.Gaps = nil, 1
	gapped.Clouds[0].Verification = &verify.Report{Gaps: []verify.Gap{{Subject: "198.51.100.7", Target: "internet-firewall", AgeSeconds: 20}}}
	m.pass(gapped, nil, time.Second)
	refused := ranAt(at.Add(2 * time.Minute))
	refused.Detections, refused.Clouds[0].Refusals = nil, []gates.Refusal{{Gate: "blast radius"}}
	m.pass(refused, nil, time.Second)
	m.pass(reconcile.Report{}, errors.New("the ledger is damaged"), time.Second)
	expect(t, m, `fwsync_enforcement_seconds_count 0`, `fwsync_runs_total{outcome="error"} 2`, `fwsync_runs_total{outcome="gaps"} 1`, `fwsync_runs_total{outcome="refused"} 1`, `fwsync_gaps{cloud="home"} 0`)
	done := ranAt(at.Add(20 * time.Minute))
	done.Detections = nil
	m.pass(done, nil, time.Second)
	expect(t, m, `fwsync_enforcement_seconds_sum 1240`, `fwsync_enforcement_seconds_count 1`, `fwsync_cloud_failed{cloud="home"} 0`)
}

func TestTheFileOfAJobRemembersTheLastSuccess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fwsync.prom")
	if got := lastSuccessIn(path); got != 0 {
		t.Errorf("without a file: %g", got)
	}
	m := newMetrics()
	m.pass(ranAt(time.Unix(1_800_000_000, 0)), nil, time.Second)
	if err := m.write(path); err != nil {
		t.Fatal(err)
	}
	if got := lastSuccessIn(path); got != 1.8e9 {
		t.Errorf("got %g", got)
	}
}

// What a label may be: named by the configuration, by the policies or by the vendor.
var labels = []string{"cloud", "target", "what", "where", "op", "api", "outcome", "source", "state", "kind", "part", "hash", "version", "revision", "goversion"}

const metricsIntro = `<!-- written by "make golden"; edit cmd/fwsync/metrics.go and metrics_test.go -->

# Metrics

` + "`fwsync run`" + ` answers them on ` + "`/metrics`" + ` of the address ` + "`listen`" + `; the key ` + "`metrics`" + ` of ` + "`fwsync.yaml`" + ` names a file that
` + "`run`, `reconcile` and `apply`" + ` rewrite as a whole, for the textfile collector of Prometheus' node exporter. In the file of a
scheduled job counters hold what one run did, so take them as they are there, without ` + "`rate`" + `; ` + "`run`" + ` adds those of its process
(` + "`go_…`, `process_…`" + `). A figure that a run could not find out keeps its value in ` + "`run`" + ` and is missing from the file.

` + "`cloud`" + ` is the name in ` + "`clouds`" + `, empty with a single one. No label holds an address: what an attacker sends makes no series.

[fwsync-dashboard.json](../examples/monitoring/fwsync-dashboard.json) shows them in Grafana, [fwsync-alerts.yaml](../examples/monitoring/fwsync-alerts.yaml) has
alert rules with their tests, [prometheus.yaml](../examples/monitoring/prometheus.yaml) scrapes them, and [run.md](run.md#when-an-alert-fires) says what to do.

| metric | type | labels | meaning |
| --- | --- | --- | --- |
`

func TestTheDocumentedMetricsAreAllThereAre(t *testing.T) {
	m := newMetrics()
	doc := bytes.NewBufferString(metricsIntro)
	for _, row := range m.all {
		for _, label := range row.labels {
			if !slices.Contains(labels, label) {
				t.Errorf("%s has the label %s: is it bounded, whatever an attacker sends?", row.name, label)
			}
		}
		if strings.HasSuffix(row.name, "_total") != (row.kind == "counter") {
			t.Errorf("the name %s does not suit a %s", row.name, row.kind)
		}
		names := ""
		if len(row.labels) > 0 {
			names = "`" + strings.Join(row.labels, "`, `") + "`"
		}
		fmt.Fprintf(doc, "| `%s` | %s | %s | %s |\n", row.name, row.kind, names, row.help)
	}
	const page = "../../docs/metrics.md"
	if *update {
		if err := os.WriteFile(page, doc.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if have, err := os.ReadFile(page); err != nil || !bytes.Equal(have, doc.Bytes()) {
		t.Errorf("%s is stale (%v): go test ./cmd/fwsync -update", page, err)
	}
}

// wholeTold are metrics of which every one has been told something.
func wholeTold(t *testing.T) *metrics {
	t.Helper()
	m := newMetrics()
	m.lease(false)
	m.loaded("abc")
	m.trouble.set(0, "ledger")
	m.reloads.add(1, "loaded")
	m.pass(ranAt(time.Unix(1_800_000_000, 0)), nil, time.Second)
	m.lastVerified.set(1, "home", "internet-firewall") // targets come from the intent, which a made-up report lacks
	return m
}

func TestEveryMetricIsTold(t *testing.T) {
	m := wholeTold(t)
	families, err := m.Gather()
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	for _, f := range families {
		told[f.GetName()] = true
	}
	for _, row := range m.all {
		if !told[row.name] {
			t.Errorf("%s is declared and never told", row.name)
		}
	}
}
