package main

import (
	"math"
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
