package main

import (
	"math"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"testing"
)

func TestGarbageIsCollectedAsBeforeInTheEnd(t *testing.T) {
	percent := debug.SetGCPercent(70)
	defer debug.SetGCPercent(percent)
	limit := debug.SetMemoryLimit(1 << 40)
	defer debug.SetMemoryLimit(limit)
	now := func() (percent int, limit int64) {
		percent = debug.SetGCPercent(-1)
		debug.SetGCPercent(percent)
		return percent, debug.SetMemoryLimit(-1)
	}
	g := quietGarbage(0)
	if percent, limit := now(); percent != -1 || limit != 2*quietUntil {
		t.Errorf("quiet: %d %%, limit %d", percent, limit)
	}
	kept := make([]byte, 2*quietUntil)
	g.look()
	runtime.KeepAlive(kept)
	if percent, limit := now(); percent != 25 || limit != 1<<40 {
		t.Errorf("with %d bytes: %d %%, limit %d", len(kept), percent, limit)
	}
	g.end()
	if percent, limit := now(); percent != 70 || limit != 1<<40 {
		t.Errorf("in the end: %d %%, limit %d", percent, limit)
	}
	g = quietGarbage(0) // and without ever having looked
	g.end()
	if percent, limit := now(); percent != 70 || limit == math.MaxInt64 {
		t.Errorf("unused: %d %%, limit %d", percent, limit)
	}
}

func TestSizeOfLogs(t *testing.T) {
	dir := t.TempDir()
	one, other := filepath.Join(dir, "one.log"), filepath.Join(dir, "other.log")
	for path, size := range map[string]int64{one: 7, other: 5 << 20} {
		if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		logs []string
		want int64
	}{
		{[]string{one}, 7}, {[]string{one, other}, 7 + 5<<20},
		{[]string{one, "-"}, math.MaxInt64}, {[]string{dir}, math.MaxInt64}, {[]string{filepath.Join(dir, "none.log")}, math.MaxInt64},
	} {
		if got := sizeOf(c.logs); got != c.want {
			t.Errorf("%q: %d, want %d", c.logs, got, c.want)
		}
	}
}
