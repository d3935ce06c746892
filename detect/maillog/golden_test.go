package maillog_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fwsync/detect"
	"fwsync/detect/maillog"
)

var update = flag.Bool("update", false, "rewrite goldens and docs/signals.md")

// TestGoldens reads the lines of each daemon as one log.
func TestGoldens(t *testing.T) {
	logs, err := filepath.Glob("testdata/*/lines.log")
	if err != nil || len(logs) != 7 {
		t.Fatalf("logs %v, %v", logs, err)
	}
	for _, path := range logs {
		t.Run(filepath.Base(filepath.Dir(path)), func(t *testing.T) {
			log, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := golden(log)
			name := strings.TrimSuffix(path, "log") + "golden"
			if *update {
				if err := os.WriteFile(name, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				g, w := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
				for i := range max(len(g), len(w)) {
					if i >= len(g) || i >= len(w) || g[i] != w[i] {
						t.Fatalf("line %d:\n got %s\nwant %s", i+1, g[min(i, len(g)-1)], w[min(i, len(w)-1)])
					}
				}
			}
		})
	}
}

// golden says of each line what it counts as, in the order of the log.
func golden(log []byte) []byte {
	p := maillog.New(maillog.Options{Reference: reference})
	sessions := maillog.Sessions{Reference: reference}
	// Lines without a stamp are a log of their own.
	bare := maillog.Sessions{Reference: reference}
	var out bytes.Buffer
	for i, line := range bytes.Split(bytes.TrimSuffix(log, []byte("\n")), []byte("\n")) {
		s, v := p.Parse(line)
		dated := s.Time.Format(time.RFC3339Nano)
		if s.Time.IsZero() {
			dated = "no time"
		}
		left := []detect.Signal{}
		if v == maillog.Signal {
			if s.Time.IsZero() {
				left = bare.Settle([]detect.Signal{s})
			} else {
				left = sessions.Settle([]detect.Signal{s})
			}
		}
		switch {
		case len(left) == 1:
			fmt.Fprintf(&out, "%d %s %s ×%d", i+1, left[0].Kind, left[0].Addr, left[0].Times())
			if left[0].Account != nil {
				fmt.Fprintf(&out, " account %q", left[0].Account)
			}
			fmt.Fprintf(&out, " (%s)\n", dated)
		case v == maillog.Signal:
			fmt.Fprintf(&out, "%d told before\n", i+1)
		default:
			fmt.Fprintf(&out, "%d %s\n", i+1, [...]string{maillog.Uninteresting: "-", maillog.Malformed: "malformed", maillog.BadAddress: "bad address"}[v])
		}
	}
	return out.Bytes()
}
