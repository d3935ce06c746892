package sources_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"fwsync/detect"
	"fwsync/detect/sources"
)

// guessing is a session of smtpd with failures that it warns of and that it only sums up.
func guessing(pid, warned, silent int) string {
	var out strings.Builder
	fmt.Fprintf(&out, "Nov 23 20:17:43 mx postfix/smtpd[%d]: connect from unknown[192.0.2.1]\n", pid)
	for range warned {
		fmt.Fprintf(&out, "Nov 23 20:17:43 mx postfix/smtpd[%d]: warning: unknown[192.0.2.1]: SASL LOGIN authentication failed: x\n", pid)
	}
	fmt.Fprintf(&out, "Nov 23 20:17:44 mx postfix/smtpd[%d]: disconnect from unknown[192.0.2.1] ehlo=1 auth=0/%d commands=1/%d\n", pid, warned+silent, warned+silent+1)
	return out.String()
}

func count(t *testing.T, src sources.Source, from sources.Position) (n int, rep sources.Report) {
	t.Helper()
	src.Reference = reference
	rep, err := sources.Read(t.Context(), src, from, func(ss []detect.Signal) {
		for i := range ss {
			if ss[i].Part == detect.Aside {
				t.Errorf("%s is no signal", ss[i].Raw)
			}
			n += ss[i].Times()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return n, rep
}

func TestEachFailureOfASessionCountsOnceWhateverTheChunksAndWorkers(t *testing.T) {
	var text strings.Builder
	for i := range 20_000 { // some 6 MB
		text.WriteString(guessing(i%300, i%3, i%2))
	}
	path := write(t, filepath.Join(t.TempDir(), "mail.log"), text.String())
	for _, workers := range []int{1, 4} {
		if n, _ := count(t, sources.Source{Path: path, Workers: workers}, sources.Position{}); n != 6666*3+1+10_000 {
			t.Errorf("%d workers: %d failures", workers, n)
		}
	}
}

func TestARunThatBeginsInASessionDoesNotCountItsFailuresAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mail.log")
	text := guessing(7, 3, 1)
	warnings, summary := text[:strings.LastIndex(text[:len(text)-1], "\n")+1], text[strings.LastIndex(text[:len(text)-1], "\n")+1:]
	write(t, path, warnings)
	n, rep := count(t, sources.Source{Path: path}, sources.Position{})
	if n != 3 {
		t.Fatalf("%d failures at first", n)
	}
	appendTo(t, path, summary)
	if n, _ := count(t, sources.Source{Path: path}, rep.Position); n != 1 {
		t.Errorf("%d failures are new, 1 is", n)
	}
}

func TestLinesWithoutStampsAreBelievedOnlyInALogWithoutStamps(t *testing.T) {
	const bare = "sshd[1]: Failed password for root from 198.51.100.77 port 22 ssh2\n"
	dir := t.TempDir()
	n, rep := count(t, sources.Source{Path: write(t, filepath.Join(dir, "bare.log"), bare)}, sources.Position{})
	if n != 1 || !rep.Health.OK || !strings.Contains(strings.Join(rep.Health.Notes, ""), "no time of their own") {
		t.Errorf("%d signals, %+v", n, rep.Health)
	}
	for _, text := range []string{bare + guessing(1, 0, 1), guessing(1, 0, 1) + bare} {
		n, rep := count(t, sources.Source{Path: write(t, filepath.Join(dir, "mixed.log"), text)}, sources.Position{})
		if n != 1 || !strings.Contains(strings.Join(rep.Health.Notes, ""), "were not believed") {
			t.Errorf("%d signals, %+v", n, rep.Health)
		}
	}
}
