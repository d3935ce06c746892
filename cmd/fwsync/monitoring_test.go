package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

const monitoring = "../../examples/monitoring"

// alertRule is one alert of examples/monitoring/fwsync-alerts.yaml.
type alertRule struct {
	Alert       string            `yaml:"alert"`
	Expr        string            `yaml:"expr"`
	Annotations map[string]string `yaml:"annotations"`
}

func alertRules(t *testing.T) []alertRule {
	t.Helper()
	var file struct {
		Groups []struct{ Rules []alertRule }
	}
	if err := yaml.Unmarshal(monitoringFile(t, "fwsync-alerts.yaml"), &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Groups) != 1 || len(file.Groups[0].Rules) < 10 {
		t.Fatalf("unexpected groups: %+v", file.Groups)
	}
	return file.Groups[0].Rules
}

func monitoringFile(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(monitoring, name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// dashboardQueries are the PromQL expressions of the dashboard, its variables set to
// something.
func dashboardQueries(t *testing.T) []string {
	t.Helper()
	var board any
	if err := json.Unmarshal(monitoringFile(t, "fwsync-dashboard.json"), &board); err != nil {
		t.Fatal(err)
	}
	var queries []string
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if expr, ok := v["expr"].(string); ok {
				queries = append(queries, expr)
			}
			if query, ok := v["definition"].(string); ok {
				selector, _, _ := strings.Cut(strings.TrimPrefix(query, "label_values("), ", ")
				queries = append(queries, selector)
			}
			for _, of := range v {
				walk(of)
			}
		case []any:
			for _, of := range v {
				walk(of)
			}
		}
	}
	walk(board)
	if len(queries) < 20 {
		t.Fatalf("only %d queries found: the test guards nothing", len(queries))
	}
	set := strings.NewReplacer("$__rate_interval", "5m", "$job", "fwsync", "$instance", ".*", "$cloud", ".*")
	for i, q := range queries {
		if queries[i] = set.Replace(q); strings.Contains(queries[i], "$") {
			t.Errorf("an unknown variable: %s", q)
		}
	}
	return queries
}

// What the dashboard and the alerts ask for are metrics and labels that there are.
func TestTheMonitoringFilesAskForMetricsThatThereAre(t *testing.T) {
	m := wholeTold(t)
	m.watched()
	families, err := m.Gather()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string][]string{"up": nil}
	for _, f := range families { // those of the process
		known[f.GetName()] = nil
	}
	for _, row := range m.all {
		known[row.name] = row.labels
		if row.kind == "histogram" {
			known[row.name+"_bucket"] = []string{"le"}
		}
	}
	queries := dashboardQueries(t)
	for _, rule := range alertRules(t) {
		queries = append(queries, rule.Expr)
	}
	series := regexp.MustCompile(`\b(fwsync_\w+|go_\w+|process_\w+|up\b)(?:\{([^}]*)\})?`)
	matcher := regexp.MustCompile(`(\w+)\s*(?:=~|!~|!=|=)`)
	grouping := regexp.MustCompile(`(?:by|without)\s*\(([^)]*)\)`)
	asked := map[string]bool{}
	for _, q := range queries {
		by := []string{"job", "instance"}
		for _, s := range series.FindAllStringSubmatch(q, -1) {
			labels, ok := known[s[1]]
			if !ok {
				t.Errorf("there is no %s: %s", s[1], q)
			}
			asked[s[1]] = true
			by = append(by, labels...)
			for _, l := range matcher.FindAllStringSubmatch(s[2], -1) {
				if !slices.Contains(labels, l[1]) && l[1] != "job" && l[1] != "instance" {
					t.Errorf("%s has no label %s: %s", s[1], l[1], q)
				}
			}
		}
		for _, g := range grouping.FindAllStringSubmatch(q, -1) {
			for _, l := range strings.Split(g[1], ",") {
				if !slices.Contains(by, strings.TrimSpace(l)) {
					t.Errorf("nothing has the label %q: %s", l, q)
				}
			}
		}
	}
	if len(asked) < 25 {
		t.Errorf("only %d metrics found: the test guards nothing", len(asked))
	}
}

// Each alert says in words what is wrong, has a chapter on what to do, and a test.
func TestEveryAlertHasAChapterAndATest(t *testing.T) {
	page, err := os.ReadFile("../../docs/run.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := string(monitoringFile(t, "fwsync-alerts.test.yaml"))
	for _, rule := range alertRules(t) {
		for _, name := range []string{"summary", "description"} {
			if len(rule.Annotations[name]) < 20 {
				t.Errorf("%s: the %s is %q", rule.Alert, name, rule.Annotations[name])
			}
		}
		if want := "docs/run.md#" + strings.ToLower(rule.Alert); rule.Annotations["runbook"] != want {
			t.Errorf("%s: the runbook is %q, want %q", rule.Alert, rule.Annotations["runbook"], want)
		}
		if !strings.Contains(string(page), "\n### "+rule.Alert+"\n") {
			t.Errorf("docs/run.md has no chapter %s", rule.Alert)
		}
		if strings.Count(tests, "alertname: "+rule.Alert+"\n") < 2 {
			t.Errorf("%s is not tested to fire and to stay quiet", rule.Alert)
		}
	}
}

// promtool is Prometheus' own checker. CI installs it; elsewhere it may be missing.
func promtool(t *testing.T, stdin string, args ...string) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("SKIPPED, NOT CHECKED: no promtool in PATH (Debian's package prometheus has it)")
	}
	cmd := exec.Command(path, args...)
	cmd.Dir, cmd.Stdin = monitoring, strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestPromtoolTakesTheAlertsAndTheirTestsPass(t *testing.T) {
	promtool(t, "", "check", "config", "prometheus.yaml") // and the rules that it names
	promtool(t, "", "test", "rules", "fwsync-alerts.test.yaml")
}

func TestPromtoolTakesTheQueriesOfTheDashboard(t *testing.T) {
	var rules strings.Builder
	rules.WriteString("groups:\n- name: dashboard\n  rules:\n")
	for i, q := range dashboardQueries(t) {
		fmt.Fprintf(&rules, "  - record: panel:%d\n    expr: %q\n", i, q)
	}
	path := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(path, []byte(rules.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "", "check", "rules", path)
}

func TestPromtoolTakesTheMetrics(t *testing.T) {
	promtool(t, exposed(t, wholeTold(t)), "check", "metrics")
}
