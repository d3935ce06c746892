package detect

// sketch counts the signals of those that there is no room to count exactly: a
// count-min sketch of four rows, updated conservatively, in two generations. It
// never decides anything but whom to make room for, so that its error costs
// room and not innocents.
//
// A generation ends after a quarter as many signals as a row is wide, or after the
// longest window. So a source that sends 3 of the latest width/4 signals is found;
// what another one has is overrated, by a whole signal or more with a probability
// below e^-4 (1.8 %) in each generation.
type sketch struct {
	rows  [2][sketchRows][]uint8 // this generation, and the one before
	mask  uint64
	added int
	since int64
}

const sketchRows = 4

// newSketch has rows at least four times as wide as the exact counters are many.
func newSketch(pairs int) *sketch {
	width := 1024
	for width < 4*pairs {
		width *= 2
	}
	k := &sketch{mask: uint64(width - 1)}
	for g := range k.rows {
		for r := range k.rows[g] {
			k.rows[g][r] = make([]uint8, width)
		}
	}
	return k
}

// add counts n signals of the one with this hash and returns how many it has at
// the most.
func (k *sketch) add(hash uint64, n int, now, longest int64) int {
	if k.since == 0 {
		k.since = now
	}
	if k.added > int(k.mask)/4 || now-k.since > longest {
		k.rows[0], k.rows[1] = k.rows[1], k.rows[0]
		for r := range k.rows[0] {
			clear(k.rows[0][r])
		}
		k.added, k.since = 0, now
	}
	k.added++
	step := hash>>32 | 1
	least := [2]int{255, 255}
	for g := range k.rows {
		for r := range k.rows[g] {
			least[g] = min(least[g], int(k.rows[g][r][(hash+uint64(r)*step)&k.mask]))
		}
	}
	after := uint8(min(255, least[0]+min(n, 255)))
	for r := range k.rows[0] {
		if c := &k.rows[0][r][(hash+uint64(r)*step)&k.mask]; *c < after {
			*c = after
		}
	}
	return int(after) + least[1]
}

// write writes the counters as pairs of a distance and a value.
func (k *sketch) write(w *stateWriter) {
	w.uint(k.mask)
	w.int(int64(k.added))
	w.int(k.since)
	for g := range k.rows {
		for _, row := range k.rows[g] {
			before := -1
			for i, c := range row {
				if c > 0 {
					w.uint(uint64(i - before))
					w.out = append(w.out, c)
					before = i
				}
			}
			w.uint(0)
		}
	}
}

// read takes a state over if its rows are as wide; else it begins afresh.
func (k *sketch) read(r *stateReader) {
	same := r.uint(1<<32) == k.mask
	added, since := int(r.int()), r.int()
	if same {
		k.added, k.since = added, since
	}
	for g := range k.rows {
		for _, row := range k.rows[g] {
			at := uint64(0)
			for {
				step := r.uint(1 << 32)
				if step == 0 {
					break
				}
				at += step
				c := r.bytes(1)
				if len(c) == 1 && same && at <= uint64(len(row)) {
					row[at-1] = c[0]
				}
			}
		}
	}
}
