package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
)

// rows is a list whose elements are put together when they are asked for, also by several
// goroutines if it is for different ones.
type rows[T any] struct {
	n        int
	at, bare func(i int) T // bare is without what takes long and only some show
}

func (r rows[T]) MarshalJSON() ([]byte, error) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	all := make([]T, r.n)
	for i := range all {
		all[i] = r.at(i)
	}
	err := enc.Encode(all)
	return text.Bytes(), err
}

// longList is one of an answer's long lists: a row is written as encoding/json would.
type longList struct {
	name string
	n    int
	row  func(b []byte, i int) []byte
}

// long is the answer without its long lists, and these.
func (v *detectAnswer) long() (frame detectAnswer, lists []longList) {
	frame = *v
	frame.Detections.n, frame.Withheld.n, frame.Addresses.n = 0, 0, 0
	return frame, []longList{
		{"detections", v.Detections.n, func(b []byte, i int) []byte { return appendDetection(b, v.Detections.at(i)) }},
		{"withheld", v.Withheld.n, func(b []byte, i int) []byte { return appendDetection(b, v.Withheld.at(i)) }},
		{"addresses", v.Addresses.n, func(b []byte, i int) []byte { return v.Addresses.at(i).appendJSON(b) }},
	}
}

// writeJSON writes what encoding/json would. A report has tens of thousands of
// addresses and detections, which take a quarter of the whole analysis that way:
// these rows are put together here.
func (v *detectAnswer) writeJSON(w io.Writer) error {
	frame, lists := v.long()
	var text bytes.Buffer
	if err := writeJSON(&text, frame); err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 1<<16)
	rest := text.Bytes()
	for _, l := range lists {
		// No string of the frame holds a newline.
		empty := "\n  \"" + l.name + "\": []"
		var before []byte
		before, rest, _ = bytes.Cut(rest, []byte(empty))
		out.Write(before)
		out.WriteString(empty[:len(empty)-1])
		if err := writeBlocks(out, l.n, func(b []byte, from, to int) ([]byte, error) {
			for i := from; i < to; i++ {
				b = l.row(startRow(b, i), i)
			}
			return b, nil
		}); err != nil {
			return err
		}
		out.WriteString(endRows(l.n))
	}
	out.Write(rest)
	return out.Flush()
}

// writeYAML writes what the conversion of the whole JSON would, some rows at a time: that
// takes more than forty times the memory of what it converts.
func (v *detectAnswer) writeYAML(w io.Writer) error {
	frame, lists := v.long()
	text := bytes.NewBufferString("\n")
	if err := writeYAML(text, frame); err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 1<<16)
	rest := text.Bytes() // begins with the newline of the line before
	for _, l := range lists {
		// Only a key of the frame itself begins a line.
		before, after, found := bytes.Cut(rest, []byte("\n"+l.name+": []"))
		if !found {
			return fmt.Errorf("writing yaml: no list of %s", l.name)
		}
		rest = after
		if len(before) > 0 {
			out.Write(before[1:])
			out.WriteString("\n")
		}
		if l.n == 0 {
			out.WriteString(l.name + ": []\n")
			continue
		}
		out.WriteString(l.name + ":\n")
		if err := writeBlocks(out, l.n, func(b []byte, from, to int) ([]byte, error) {
			rows := []byte{'['}
			for i := from; i < to; i++ {
				rows = l.row(startRow(rows, i-from), i)
			}
			converted, err := toYAML(append(rows, ']'))
			return append(b, converted...), err
		}); err != nil {
			return err
		}
	}
	out.Write(rest[1:])
	return out.Flush()
}

// writeBlocks writes n rows in order, which several cores put together: some at a
// time, and no more blocks at once than twice the cores. Errors of out stay in out.
func writeBlocks(out *bufio.Writer, n int, block func(b []byte, from, to int) ([]byte, error)) error {
	const most = 16
	type made struct {
		text []byte
		err  error
	}
	workers := runtime.GOMAXPROCS(0)
	free, next := make(chan []byte, 2*workers), make(chan chan made, 2*workers)
	for range cap(free) {
		free <- nil
	}
	go func() {
		defer close(next)
		for from := 0; from < n; from += most {
			b, done := <-free, make(chan made, 1)
			next <- done
			go func() {
				text, err := block(b[:0], from, min(from+most, n))
				done <- made{text, err}
			}()
		}
	}()
	var failed error
	for done := range next {
		m := <-done
		if failed = cmp.Or(failed, m.err); failed == nil {
			out.Write(m.text)
		}
		free <- m.text
	}
	return failed
}

func startRow(b []byte, i int) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	return append(b, "\n    "...)
}

func endRows(n int) string {
	if n == 0 {
		return "]"
	}
	return "\n  ]"
}
