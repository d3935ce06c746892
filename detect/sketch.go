package detect

import "fwsync/detect/fetch"

// sketch counts the signals of those that there is no room to count exactly: a
// count-min sketch of four rows, updated conservatively, in two generations. It
// never decides anything but whom to make room for, so that its error costs
// room and not innocents.
//
// What counts one source lies in one line of the processor's cache: each row has sixteen
// counters there. A generation ends after four times as many signals as there are lines, or
// after the longest window. So a source that sends 3 of so many latest signals is found; what
// another one has is overrated, by a whole signal or more with a probability below 1 % in
// each generation.
type sketch struct {
	lines [2][]sketchLine // this generation, and the one before
	added int
	since int64
}

type sketchLine [sketchRows * sketchCells]uint8

const (
	sketchRows  = 4
	sketchCells = 16
)

// newSketch has at least as many counters in each row as four times the exact ones.
func newSketch(pairs int) *sketch {
	n := 64
	for n*sketchCells < 4*pairs {
		n *= 2
	}
	return &sketch{lines: [2][]sketchLine{fetch.Pages(make([]sketchLine, n)), fetch.Pages(make([]sketchLine, n))}}
}

// linesOf is where the one with this hash is counted, in each generation.
func (k *sketch) linesOf(hash uint64) (fresh, before *sketchLine) {
	at := hash & uint64(len(k.lines[0])-1)
	return &k.lines[0][at], &k.lines[1][at]
}

// add counts n signals of the one with this hash and returns how many it has at
// the most.
func (k *sketch) add(hash uint64, n int, now, longest int64) int {
	if k.since == 0 {
		k.since = now
	}
	if k.added > 4*len(k.lines[0]) || now-k.since > longest {
		k.lines[0], k.lines[1] = k.lines[1], k.lines[0]
		clear(k.lines[0])
		k.added, k.since = 0, now
	}
	k.added++
	fresh, before := k.linesOf(hash)
	var cells [sketchRows]uint8
	least, leastBefore := uint8(255), uint8(255)
	for r := range cells {
		cells[r] = uint8(r)*sketchCells + uint8(hash>>(40+4*r))%sketchCells
		least, leastBefore = min(least, fresh[cells[r]]), min(leastBefore, before[cells[r]])
	}
	after := uint8(min(255, int(least)+min(n, 255)))
	for _, c := range cells {
		fresh[c] = max(fresh[c], after)
	}
	return int(after) + int(leastBefore)
}

// write writes the counters as pairs of a distance and a value.
func (k *sketch) write(w *stateWriter) {
	w.uint(uint64(len(k.lines[0])))
	w.int(int64(k.added))
	w.int(k.since)
	for _, lines := range k.lines {
		zeros := uint64(1)
		for i := range lines {
			for _, c := range lines[i] {
				if c > 0 {
					w.uint(zeros)
					w.out = append(w.out, c)
					zeros = 0
				}
				zeros++
			}
		}
		w.uint(0)
	}
}

// read takes a state over if it has as many lines; else it begins afresh. Earlier versions
// had other rows, and wrote an odd number.
func (k *sketch) read(r *stateReader) {
	size, rows := r.uint(1<<32), 1
	if size%2 == 1 {
		rows = sketchRows
	}
	same := size == uint64(len(k.lines[0]))
	added, since := int(r.int()), r.int()
	if same {
		k.added, k.since = added, since
	}
	for _, lines := range k.lines {
		for range rows {
			at := uint64(0)
			for {
				step := r.uint(1 << 32)
				if step == 0 {
					break
				}
				at += step
				c := r.bytes(1)
				if len(c) == 1 && same && at <= sketchRows*sketchCells*size {
					lines[(at-1)/(sketchRows*sketchCells)][(at-1)%(sketchRows*sketchCells)] = c[0]
				}
			}
		}
	}
}
