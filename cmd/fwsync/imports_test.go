package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// imports maps each of our packages to what its non-test files import.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, "fwsync/...").Output()
	if err != nil {
		t.Fatalf("listing the packages: %v", err)
	}
	all := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		all[fields[0]] = fields[1:]
	}
	return all
}

func within(path, root string) bool { return path == root || strings.HasPrefix(path, root+"/") }

// The direction of imports, as docs/design.md §3 draws it.
func TestImportsPointOneWay(t *testing.T) {
	all := imports(t)
	for _, c := range []struct{ what, only string }{
		{"github.com/spf13/cobra", "fwsync/cmd"},
		{"github.com/spf13/viper", "fwsync/cmd"},
		{"modernc.org/sqlite", "fwsync/ledger/sqlite or fwsync/feeds"},
		{"github.com/jackc/pgx/v5", "fwsync/ledger/postgres"},
		{"github.com/wneessen/go-mail", "fwsync/notify"},
		{"github.com/oschwald/maxminddb-golang", "fwsync/detect/geo"},
		{"github.com/goccy/go-yaml", "fwsync/policies or fwsync/cmd"},
	} {
		importers := 0
		for pkg, imported := range all {
			if !slices.ContainsFunc(imported, func(i string) bool { return within(i, c.what) }) {
				continue
			}
			importers++
			if !slices.ContainsFunc(strings.Split(c.only, " or "), func(root string) bool { return within(pkg, root) }) {
				t.Errorf("%s imports %s; only %s may", pkg, c.what, c.only)
			}
		}
		if importers == 0 {
			t.Errorf("nobody imports %s: the test guards nothing", c.what)
		}
	}
	// What each shelf may import of ours; a package that is not listed may import nothing.
	allowed := map[string][]string{
		"fwsync/cmd":                 {"fwsync"},
		"fwsync/bench":               {"fwsync"},
		"fwsync/examples":            {},
		"fwsync/cloudfw":             {},
		"fwsync/cloudfw/lower":       {"fwsync/cloudfw"},
		"fwsync/cloudfw/alibaba":     {"fwsync/cloudfw"},
		"fwsync/cloudfw/simulator":   {},
		"fwsync/cloudfw/packets":     {"fwsync/cloudfw"},
		"fwsync/cloudfw/wrap":        {"fwsync/cloudfw"},
		"fwsync/cloudfw/conformance": {"fwsync/cloudfw"},
		"fwsync/detect":              {},
		"fwsync/detect/maillog":      {"fwsync/detect"},
		"fwsync/detect/sources":      {"fwsync/detect"},
		"fwsync/ledger":              {"fwsync/cloudfw"},
		"fwsync/policies":            {"fwsync/cloudfw", "fwsync/ledger"},
		"fwsync/notify":              {},
		"fwsync/sync/plan":           {"fwsync/cloudfw"},
		"fwsync/sync/gates":          {"fwsync/cloudfw", "fwsync/sync/plan"},
		"fwsync/sync/apply":          {"fwsync/cloudfw", "fwsync/ledger", "fwsync/sync/plan"},
		"fwsync/sync/verify":         {"fwsync/cloudfw"},
		"fwsync/sync/decide":         {"fwsync/cloudfw", "fwsync/detect", "fwsync/ledger", "fwsync/policies"},
		"fwsync/sync/lint":           {"fwsync/cloudfw", "fwsync/policies"},
		"fwsync/sync/daemon":         {},
		"fwsync/feeds":               {"fwsync/cloudfw"},
		"fwsync/sync/reconcile":      {"fwsync/cloudfw", "fwsync/detect", "fwsync/feeds", "fwsync/ledger", "fwsync/policies", "fwsync/sync"},
	}
	for pkg, imported := range all {
		shelf := ""
		for root := range allowed {
			if within(pkg, root) && len(root) > len(shelf) {
				shelf = root
			}
		}
		for _, i := range imported {
			if !within(i, "fwsync") || within(i, shelf) {
				continue
			}
			if !slices.ContainsFunc(allowed[shelf], func(root string) bool { return within(i, root) }) {
				t.Errorf("%s imports %s; its shelf %q may import %v of ours", pkg, i, shelf, allowed[shelf])
			}
		}
	}
	// The shelves of cloudfw stand side by side: each knows the model and no neighbour,
	// but that lowering condenses where there is no room.
	for pkg, imported := range all {
		for _, i := range imported {
			if pkg == "fwsync/cloudfw/lower" && i == "fwsync/cloudfw/condense" {
				continue
			}
			if within(pkg, "fwsync/cloudfw") && within(i, "fwsync/cloudfw") && i != "fwsync/cloudfw" {
				t.Errorf("%s imports its neighbour %s", pkg, i)
			}
		}
	}
	// The simulator and the planner do not know each other, nor the core the vendor.
	for pkg, imported := range all {
		for _, i := range imported {
			if within(pkg, "fwsync/sync") && (within(i, "fwsync/cloudfw/simulator") || within(i, "fwsync/cloudfw/alibaba")) {
				t.Errorf("%s imports %s: the core knows the account's interface only", pkg, i)
			}
		}
	}
	for _, pure := range []string{"fwsync/detect", "fwsync/detect/maillog", "fwsync/policies", "fwsync/sync/plan", "fwsync/sync/gates", "fwsync/sync/decide", "fwsync/sync/verify", "fwsync/sync/lint", "fwsync/cloudfw", "fwsync/cloudfw/lower", "fwsync/cloudfw/packets"} {
		for _, i := range all[pure] {
			if i == "log/slog" || i == "net/http" || i == "context" && pure != "fwsync/cloudfw" || i == "os" && pure != "fwsync/policies" {
				t.Errorf("%s is part of the pure middle and imports %s", pure, i)
			}
		}
	}
}
