package detect

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// The state of an engine, version 1: magic, the rules' fingerprints, the log
// time, the pairs worth keeping, CRC-32. Numbers are varints.
const (
	stateMagic    = "fwsync-detect/1\n"
	maxStateRules = 1 << 12
)

// MarshalBinary returns what the next run needs to read on as if there had
// been one run: pairs and success marks that a window or memory can still
// need, relative to the latest signal's time.
func (e *Engine) MarshalBinary() ([]byte, error) {
	w := stateWriter{out: []byte(stateMagic)}
	w.uint(uint64(len(e.rules)))
	for i := range e.rules {
		w.string(e.rules[i].fingerprint())
	}
	w.int(e.now)
	kept := 0
	for i := range e.pairs.all() {
		if !e.stale(e.pairs.at(i)) {
			kept++
		}
	}
	w.uint(uint64(kept))
	for i := range e.pairs.all() {
		if p := e.pairs.at(i); !e.stale(p) {
			e.writePair(&w, i, p)
		}
	}
	return binary.BigEndian.AppendUint32(w.out, crc32.ChecksumIEEE(w.out)), nil
}

func (r *Rule) fingerprint() string {
	return fmt.Sprintf("%s|%v|%d|%d|%d", r.Name, r.Signals, r.Threshold, r.Within.Microseconds(), r.legitimate())
}

func (e *Engine) writePair(w *stateWriter, i uint32, p *pair) {
	w.uint(uint64(p.rule))
	w.out = append(w.out, p.addr[:]...)
	w.out = append(w.out, p.flags&(crossed|withheld), byte(p.legitBy))
	w.int(p.last)
	if p.rule == markRule {
		return
	}
	w.int(p.first)
	w.int(p.crossed)
	w.uint(uint64(p.legitAt))
	w.uint(uint64(p.count))
	w.uint(uint64(p.ring.peak))
	e.scratch = e.rings.copyOut(&p.ring, e.scratch[:0])
	w.uint(uint64(len(e.scratch)))
	before := p.first
	for _, t := range e.scratch {
		w.int(t - before)
		before = t
	}
	x := e.samples[i]
	if x == nil {
		x = &samples{}
	}
	w.uint(uint64(x.n))
	for _, v := range x.at[:x.n] {
		w.string(v.Source)
		w.int(v.Line)
		w.int(v.Offset)
		w.string(v.Hash)
		w.string(v.Text)
	}
}

// UnmarshalBinary replaces what the engine tracks by a state that MarshalBinary
// returned. Pairs of rules that are gone or were changed since are left out,
// and so is what exceeds the limits. After an error the engine tracks nothing.
// Counters (Stats) start at zero; detections of the state are not reported
// again before they have new signals.
func (e *Engine) UnmarshalBinary(state []byte) error {
	e.reset()
	e.stats, e.byKind = Stats{}, [kindCount]int64{}
	if err := e.readState(state); err != nil {
		e.reset()
		return fmt.Errorf("reading detection state: %w", err)
	}
	return nil
}

func (e *Engine) readState(state []byte) error {
	n := len(state) - 4
	if n < len(stateMagic) || string(state[:len(stateMagic)]) != stateMagic {
		return errors.New("this is not a detection state of version 1")
	}
	if crc32.ChecksumIEEE(state[:n]) != binary.BigEndian.Uint32(state[n:]) {
		return errors.New("checksum differs, the state is damaged")
	}
	r := stateReader{in: state[len(stateMagic):n]}
	rules := make([]int, r.uint(maxStateRules))
	for i := range rules {
		rules[i] = -1
		f := r.string()
		for j := range e.rules {
			if e.rules[j].fingerprint() == f {
				rules[i] = j
			}
		}
	}
	e.now = r.int()
	for range r.uint(1 << 32) {
		if r.err != nil {
			break
		}
		e.readPair(&r, rules)
	}
	if r.err == nil && len(r.in) > 0 {
		r.err = fmt.Errorf("%d bytes are left over", len(r.in))
	}
	return r.err
}

func (e *Engine) readPair(r *stateReader, rules []int) {
	var p pair
	rule := int(r.uint(markRule))
	copy(p.addr[:], r.bytes(16))
	if b := r.bytes(2); len(b) == 2 {
		p.flags, p.legitBy = b[0]&(crossed|withheld), Kind(b[1])
	}
	p.last = r.int()
	p.rule = markRule
	var times []int64
	x := &samples{}
	if rule != markRule {
		if rule >= len(rules) {
			r.fail("rule %d of %d", rule, len(rules))
			return
		}
		p.first, p.crossed, p.legitAt = r.int(), r.int(), uint32(r.uint(1<<32-1))
		p.count, p.ring.peak = uint32(r.uint(1<<32-1)), uint16(r.uint(4*MaxThreshold))
		times = e.scratch[:0]
		before := p.first
		for range r.uint(4 * MaxThreshold) {
			before += r.int()
			times = append(times, before)
		}
		e.scratch = times
		x.n = int(r.uint(maxSamples))
		for i := range x.n {
			x.at[i] = Evidence{Source: r.string(), Line: r.int(), Offset: r.int(), Hash: r.string(), Text: r.string()}
		}
		if rules[rule] < 0 {
			return
		}
		p.rule = uint16(rules[rule])
	}
	if r.err != nil || (p.rule != markRule && len(times) == 0) || (p.legitBy != 0 && !p.legitBy.Valid()) {
		r.fail("a pair is damaged")
		return
	}
	e.restore(p, times, x)
}

func (e *Engine) restore(p pair, times []int64, x *samples) {
	if _, _, known := e.pairs.find(&p.addr, p.rule); known || e.pairs.live >= e.limits.MaxSources {
		return
	}
	if p.rule != markRule {
		empty, ok := e.rings.take(0)
		if !ok {
			return
		}
		empty.peak = p.ring.peak
		p.ring = empty
		for i, t := range times {
			if i > 0 && t < times[i-1] {
				p.flags |= disordered
			}
			if !e.rings.push(&p.ring, t, e.rules[p.rule].legitimate()) {
				e.rings.push(&p.ring, t, int(p.ring.n))
			}
		}
	}
	i, q := e.pairs.insert(&p.addr, p.rule)
	p.flags |= inUse
	if p.flags&crossed != 0 {
		p.flags |= reported
	}
	*q = p
	if x.n > 0 && len(e.samples) < e.limits.MaxEvidence {
		e.samples[i] = x
	}
}

type stateWriter struct{ out []byte }

func (w *stateWriter) uint(v uint64) { w.out = binary.AppendUvarint(w.out, v) }
func (w *stateWriter) int(v int64)   { w.out = binary.AppendVarint(w.out, v) }
func (w *stateWriter) string(s string) {
	w.uint(uint64(len(s)))
	w.out = append(w.out, s...)
}

// stateReader reads zeros after its first error.
type stateReader struct {
	in  []byte
	err error
}

func (r *stateReader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
	r.in = nil
}

func (r *stateReader) uint(most uint64) uint64 {
	v, n := binary.Uvarint(r.in)
	if n <= 0 || v > most {
		r.fail("a number is damaged")
		return 0
	}
	r.in = r.in[n:]
	return v
}

func (r *stateReader) int() int64 {
	v, n := binary.Varint(r.in)
	if n <= 0 {
		r.fail("a number is damaged")
		return 0
	}
	r.in = r.in[n:]
	return v
}

func (r *stateReader) bytes(n uint64) []byte {
	if uint64(len(r.in)) < n {
		r.fail("the state ends too early")
		return nil
	}
	out := r.in[:n]
	r.in = r.in[n:]
	return out
}

func (r *stateReader) string() string { return string(r.bytes(r.uint(1 << 16))) }
