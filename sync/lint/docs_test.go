package lint

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite docs/lint.md")

// docs/lint.md says what each check finds, in the order in which they run.
func TestTheDocumentationListsTheChecks(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "lint.md")
	var b strings.Builder
	b.WriteString(`# What lint looks for

` + "`fwsync validate`" + ` says what is wrong, ` + "`fwsync lint`" + ` what is allowed and probably not meant. An error fails
(exit code 1), a warning fails with ` + "`--strict`" + `, a note never does. What is blocked at the moment makes no
difference, and neither do rules that others keep in the cloud, but for the checks that need ` + "`--live`" + `.

A rule is judged over all the lists that it stands in: one that decides packets of one family, or at one
firewall, is not called dead.

| check | severity | finds |
| --- | --- | --- |
`)
	for _, c := range Checks() {
		says := c.Says
		if c.Live {
			says += " (`--live`)"
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", c.Name, c.Severity, says)
	}
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != b.String() {
		t.Errorf("%s is not what the checks say; go test ./sync/lint -run Documentation -update writes it", path)
	}
}
