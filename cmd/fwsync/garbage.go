package main

import (
	"math"
	"os"
	"runtime/debug"
	heap "runtime/metrics"

	"fwsync/cmd/fwsync/hugeheap"
)

// garbage keeps the collector quiet while there is little to collect: an analysis begins
// with nothing and keeps nearly all that it makes, so that each collection on the way finds as
// good as nothing. From quietUntil on it collects at a quarter more: nearly all of the
// memory is tables without pointers, to look through them often costs little, and a third
// of the peak is saved.
type garbage struct {
	usual  int
	limit  int64
	quiet  bool
	sample [1]heap.Sample
}

const (
	quietUntil = 32 << 20
	hugeUntil  = 96 << 20 // what an analysis of 20,000 attackers takes
	hugeFrom   = 4 << 20  // so long are the logs for which that is worth its 5 ms
)

// quietGarbage begins an analysis of logs of so many bytes.
func quietGarbage(size int64) *garbage {
	g := &garbage{usual: debug.SetGCPercent(-1), quiet: true, sample: [1]heap.Sample{{Name: "/memory/classes/heap/objects:bytes"}}}
	if size >= hugeFrom {
		hugeheap.Grow(hugeUntil)
	}
	g.limit = debug.SetMemoryLimit(-1)
	debug.SetMemoryLimit(min(g.limit, 2*quietUntil)) // for who allocates and never looks
	return g
}

// look is to be called now and then.
func (g *garbage) look() {
	if !g.quiet {
		return
	}
	if heap.Read(g.sample[:]); g.sample[0].Value.Uint64() >= quietUntil {
		g.quiet = false
		debug.SetGCPercent(25)
		debug.SetMemoryLimit(g.limit)
	}
}

// end goes back to what was before.
func (g *garbage) end() {
	debug.SetGCPercent(g.usual)
	debug.SetMemoryLimit(g.limit)
}

// sizeOf is how many bytes logs have; of what is no file, as many as there may be.
func sizeOf(logs []string) (size int64) {
	for _, path := range logs {
		info, err := os.Stat(path)
		if err != nil || !info.Mode().IsRegular() {
			return math.MaxInt64
		}
		size += info.Size()
	}
	return size
}
