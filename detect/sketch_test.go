package detect

import (
	"math/rand/v2"
	"testing"
)

// Nobody is underrated, and few are overrated, when a generation is as full as it gets.
func TestTheSketchOverratesFew(t *testing.T) {
	k := newSketch(100_000)
	random := rand.New(rand.NewPCG(1, 2))
	n := 4 * len(k.lines[0])
	hashes := make([]uint64, n)
	for i := range hashes {
		hashes[i] = random.Uint64()
		k.add(hashes[i], 1, 1, 1)
	}
	over := 0
	for range n / 10 {
		switch got := k.add(random.Uint64(), 1, 1, 1); {
		case got < 1:
			t.Fatalf("a newcomer has %d", got)
		case got > 1:
			over++
		}
		k.added-- // the generation does not end here
	}
	if share := float64(over) / float64(n/10); share > 0.01 || share == 0 {
		t.Errorf("%.2f %% of the newcomers are overrated", 100*share)
	}
	for _, h := range hashes[:1000] {
		if got := k.add(h, 2, 1, 1); got < 3 {
			t.Fatalf("one that sent three has %d", got)
		}
	}
}

// A state of before has four rows in each generation: it is read over, and counts nothing.
func TestASketchOfBeforeIsReadOver(t *testing.T) {
	w := &stateWriter{}
	w.uint(1<<18 - 1)
	w.int(7)
	w.int(5)
	for range 2 * sketchRows {
		w.uint(3)
		w.out = append(w.out, 200)
		w.uint(0)
	}
	w.uint(42) // what follows
	k, r := newSketch(1000), &stateReader{in: w.out}
	k.read(r)
	if next := r.uint(100); next != 42 || r.err != nil || len(r.in) != 0 {
		t.Fatalf("read %d, %v", next, r.err)
	}
	if k.added != 0 || k.since != 0 || k.lines[0][0] != (sketchLine{}) {
		t.Error("it counts on")
	}
}
