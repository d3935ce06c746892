package sources

import (
	"bufio"
	"context"
	"io"
	"strconv"
)

// PerLine reads src from its start and writes one JSON object for every line,
// in order:
//
//	{"line":7,"ip":"192.0.2.1","signal":"smtp.auth_failed"}
//	{"line":8,"ip":null,"signal":null}
//
// ip is the client address that the daemon wrote, and null without a signal.
func PerLine(ctx context.Context, src Source, w io.Writer) (Report, error) {
	out := bufio.NewWriterSize(w, 1<<16)
	var text []byte
	names := src.Declared.Catalogue()
	next := int64(1)
	silent := func(until int64) {
		for ; next < until; next++ {
			text = append(text[:0], `{"line":`...)
			text = strconv.AppendInt(text, next, 10)
			text = append(text, `,"ip":null,"signal":null}`...)
			out.Write(append(text, '\n'))
		}
	}
	rep, err := read(ctx, src, Position{}, func(k *chunk, firstLine int64) error {
		for i := range k.signals {
			s := &k.signals[i]
			silent(firstLine - 1 + s.Line)
			text = append(text[:0], `{"line":`...)
			text = strconv.AppendInt(text, next, 10)
			text = append(text, `,"ip":"`...)
			text = s.Addr.AppendTo(text)
			text = append(text, `","signal":"`...)
			text = append(text, names.Name(s.Kind)...)
			next++
			out.Write(append(text, '"', '}', '\n'))
		}
		silent(firstLine + k.stats.Lines)
		return out.Flush()
	})
	if err == nil {
		err = out.Flush()
	}
	return rep, err
}
