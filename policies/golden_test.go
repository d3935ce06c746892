package policies

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// signals are those of the mail parsers, as the command passes them in.
var (
	signals = strings.Fields(`smtp.auth_failed smtp.auth_ok smtp.relay_denied smtp.rejected_recipient
		smtp.rejected_helo smtp.pipelining smtp.non_smtp_command smtp.too_many_errors smtp.rate_limited
		smtp.scan smtp.tls_failed smtp.pregreet smtp.delivered imap.auth_failed imap.auth_ok`)
	successes = []string{"smtp.auth_ok", "smtp.delivered", "imap.auth_ok"}
	strict    = Options{Signals: signals, Successes: successes}
)

// Each *.yaml in testdata/bad, and each folder, is refused with exactly the text of
// the .golden file beside it.
func TestBadPoliciesAreRefusedWithTheExactPlace(t *testing.T) {
	t.Chdir(filepath.Join("testdata", "bad"))
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	cases := 0
	for _, e := range entries {
		name := e.Name()
		if !e.IsDir() && filepath.Ext(name) != ".yaml" {
			continue
		}
		cases++
		t.Run(name, func(t *testing.T) {
			policy, err := Load(name, strict)
			refused, ok := errors.AsType[*Error](err)
			if policy != nil || !ok {
				t.Fatalf("got %v, %v, want findings", policy, err)
			}
			for _, f := range refused.Findings {
				checkCaret(t, f)
			}
			golden := strings.TrimSuffix(name, ".yaml") + ".golden"
			got := err.Error() + "\n"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
	if cases < 30 {
		t.Errorf("%d cases, where are the others?", cases)
	}
}

// checkCaret holds what is true of every finding, whatever the file.
func checkCaret(t testing.TB, f Finding) {
	t.Helper()
	if f.File == "" || f.Message == "" {
		t.Errorf("finding without file or message: %+v", f)
	}
	if f.Line == 0 {
		return
	}
	if f.Column < 1 || f.Caret < 1 || f.Caret > len([]rune(f.Source))+1 {
		t.Errorf("the caret of %+v is outside the line", f)
	}
	if strings.ContainsFunc(f.String(), func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f || r == 0x1b }) {
		t.Errorf("control characters in %q", f.String())
	}
}
