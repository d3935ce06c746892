package detect

import (
	"encoding/binary"
	"fmt"
)

type stateWriter struct{ out []byte }

func (w *stateWriter) uint(v uint64) { w.out = binary.AppendUvarint(w.out, v) }
func (w *stateWriter) int(v int64)   { w.out = binary.AppendVarint(w.out, v) }
func (w *stateWriter) bool(v bool) {
	w.uint(0)
	if v {
		w.out[len(w.out)-1] = 1
	}
}
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

func (r *stateReader) bool() bool { return r.uint(1) == 1 }

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
