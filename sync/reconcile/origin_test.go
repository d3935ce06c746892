package reconcile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fwsync/detect"
	"fwsync/detect/sources"
	"fwsync/ledger"
	"fwsync/ledger/sqlite"
)

// Whoever doubts a decision finds each line where the decision says that it is, also
// after the log was rotated between two runs.
func TestTheLinesOfADecisionAreWhereItSays(t *testing.T) {
	folder := t.TempDir()
	log := filepath.Join(folder, "mail.log")
	store, err := sqlite.Open(t.Context(), filepath.Join(folder, "ledger.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	look := &Look{Policy: replayedPolicy(t), Ledger: store, Now: func() time.Time { return replayStart.Add(10 * time.Minute) },
		Sources: []Source{{Name: "mail", Log: sources.Source{Path: log}}, {Name: "other", Log: sources.Source{Path: filepath.Join(folder, "mail"), Final: true}}}}
	write := func(path string, minutes ...int) {
		t.Helper()
		var text strings.Builder
		for _, m := range minutes {
			fmt.Fprintf(&text, "%s mx postfix/anvil[9]: statistics: ä %s\n", replayStart.Add(time.Duration(m)*time.Minute).Format(time.RFC3339), strings.Repeat("x", m*37))
			fmt.Fprintf(&text, "%s mx postfix/smtpd[1]: warning: unknown[203.0.113.7]: SASL LOGIN authentication failed: \xff%d, sasl_username=bob\n", replayStart.Add(time.Duration(m)*time.Minute).Format(time.RFC3339), m)
		}
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err == nil {
			_, err = f.WriteString(text.String())
		}
		if err == nil {
			err = f.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	pass := func() Gathered {
		t.Helper()
		g, err := look.gather(t.Context())
		if err == nil {
			_, err = store.TakeIn(t.Context(), g.Intake)
		}
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	write(filepath.Join(folder, "mail"), 0)
	write(log, 0)
	pass()
	write(log, 1)
	if err := os.Rename(log, log+".1"); err != nil {
		t.Fatal(err)
	}
	write(log, 2)
	g := pass()

	decisions, err := store.Decisions(t.Context(), time.Time{})
	if err != nil || len(decisions) != 1 {
		t.Fatalf("%d decisions, %v", len(decisions), err)
	}
	d := decisions[0]
	if len(d.Evidence) != 3 || d.Counters == nil || d.Counters.Threshold != 3 || d.Counters.WithinSeconds != 300 {
		t.Fatalf("%+v, counters %+v", d, d.Counters)
	}
	for i, want := range []struct{ source, file string }{{"mail", log}, {"other", filepath.Join(folder, "mail")}, {"mail", log + ".1"}} {
		e := d.Evidence[i]
		if e.Source != want.source || e.File != want.file {
			t.Errorf("line %d is of %s in %s, want %+v", i, e.Source, e.File, want)
		}
		if i == 0 {
			e.File += ".1" // where it was read it is no more
		}
		checkLine(t, e)
		if r := g.Detections[0].Evidence[i]; r.File != d.Evidence[i].File || r.Offset != e.Offset || r.Source != e.Source {
			t.Errorf("reported as %+v", r)
		}
	}
}

// checkLine reads the line again.
func checkLine(t *testing.T, e ledger.Evidence) {
	t.Helper()
	text, err := os.ReadFile(e.File)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(text[:e.Offset], []byte("\n")); int64(n) != e.Line-1 {
		t.Errorf("%d lines before byte %d, the line is said to be %d", n, e.Offset, e.Line)
	}
	line, _, _ := bytes.Cut(text[e.Offset:], []byte("\n"))
	sum := sha256.Sum256(line)
	if hash := hex.EncodeToString(sum[:8]); hash != e.Hash {
		t.Errorf("%q has the hash %s, want %s", line, hash, e.Hash)
	}
}

func TestEvidenceIsOfTheSourceWithTheLongestPath(t *testing.T) {
	look := &Look{Sources: []Source{
		{Name: "a", Log: sources.Source{Path: "/var/log/mail"}}, {Name: "b", Log: sources.Source{Path: "/var/log/mail.log"}}, {Name: "in", Log: sources.Source{Path: "-"}},
	}}
	for file, want := range map[string]string{
		"/var/log/mail": "a", "/var/log/mail.1": "a", "/var/log/mail.log": "b", "/var/log/mail.log.2.gz": "b", "/var/log/mail.log-20261124": "b", "-": "in",
	} {
		e := []detect.Evidence{{Source: file}}
		if look.origin(e); e[0].Source != want || e[0].File != file {
			t.Errorf("%s is %+v, want it to be of %s", file, e[0], want)
		}
	}
	for _, unknown := range []string{"b", "/var/log/mailx", "/var/log/mail.", ""} {
		e := []detect.Evidence{{Source: unknown}}
		if look.origin(e); e[0].Source != unknown || e[0].File != "" {
			t.Errorf("%q became %+v", unknown, e[0])
		}
	}
}
