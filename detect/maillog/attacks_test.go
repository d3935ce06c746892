package maillog_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fwsync/detect/maillog"
)

// TestP12WrittenAttacks reads lines whose hostile parts imitate the daemon's.
func TestP12WrittenAttacks(t *testing.T) {
	files, err := filepath.Glob("testdata/attacks/*.txt")
	if err != nil || len(files) < 5 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
			if strings.HasPrefix(row, "#") {
				continue
			}
			want, line, ok := strings.Cut(row, "\t")
			if !ok || !strings.Contains(line, "198.51.100.77") && !strings.Contains(line, "x y[") {
				t.Fatalf("%s:%d is no attack", name, i+1)
			}
			s, v := parseAlone(line)
			got := "-"
			switch v {
			case maillog.Signal:
				got = fmt.Sprintf("%s %s", s.Addr, s.Kind)
			case maillog.BadAddress:
				got = "bad address"
			case maillog.Malformed:
				got = "malformed"
			}
			if got != want {
				t.Errorf("%s:%d: %s, want %s: %s", filepath.Base(name), i+1, got, want, line)
			}
		}
	}
}
