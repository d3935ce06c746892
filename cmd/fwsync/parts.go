package main

import (
	"runtime"
	"sync"
)

// inParts does n things, each once, which several cores share: each takes a run of them. It
// returns when all are done.
func inParts(n int, do func(i int)) {
	const least = 256 // below that it is sooner done than shared
	parts := min(runtime.GOMAXPROCS(0), max(1, n/least))
	run := func(part int) {
		for i := part * n / parts; i < (part+1)*n/parts; i++ {
			do(i)
		}
	}
	var others sync.WaitGroup
	for part := 1; part < parts; part++ {
		others.Go(func() { run(part) })
	}
	run(0)
	others.Wait()
}
