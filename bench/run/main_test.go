package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestTheMedianIsTheMiddleRun(t *testing.T) {
	got := median([]run{{wall: 9 * time.Second}, {wall: time.Second, rss: 7}, {wall: 0}})
	if got.wall != time.Second || got.rss != 7 {
		t.Errorf("got %+v", got)
	}
}

func TestTwoCommandsAreComparedAndLimitsHold(t *testing.T) {
	if _, err := exec.LookPath("grep"); err != nil {
		t.Skip("there is no grep")
	}
	log := filepath.Join(t.TempDir(), "mail.log")
	if err := os.WriteFile(log, bytes.Repeat([]byte("authentication failed\n"), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name             string
		ratio, rss       float64
		command          []string
		wantOut, wantErr string
	}{
		{"all within limits", 1e6, 1e6, []string{"cat", log}, "ratio ", ""},
		{"too slow", 1e-9, 1e6, []string{"cat", log}, "ratio ", "ratio"},
		{"too large", 1e6, 1e-9, []string{"cat", log}, "peak ", "peak"},
		{"a command that fails", 1e6, 1e6, []string{"cat", log + ".none"}, "", "exit status 1"},
		{"no command", 1e6, 1e6, nil, "", "the command to measure"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "too large" && peakOfNothing(t) == 0 {
				t.Skip("this system does not say")
			}
			var out bytes.Buffer
			err := compare(&out, log, 3, c.ratio, c.rss, c.command)
			if !strings.Contains(out.String(), c.wantOut) {
				t.Errorf("output %q", out.String())
			}
			if (err == nil) != (c.wantErr == "") || err != nil && !strings.Contains(err.Error(), c.wantErr) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func peakOfNothing(t *testing.T) int64 {
	t.Helper()
	r, err := measure([]string{"true"})
	if err != nil {
		t.Fatal(err)
	}
	return r.rss
}
