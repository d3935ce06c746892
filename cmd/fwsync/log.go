package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"io"
	"log/slog"
)

type runKey struct{}

// inRun gives one run an id, which stands in every line that is logged within the
// context, down to the calls of the vendor.
func inRun(ctx context.Context) context.Context {
	var b [4]byte
	_, _ = rand.Read(b[:])
	return context.WithValue(ctx, runKey{}, hex.EncodeToString(b[:]))
}

// newLog is what all of fwsync logs with.
func newLog(w io.Writer, level slog.Level, asJSON bool) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if asJSON {
		return slog.New(runNaming{slog.NewJSONHandler(w, options)})
	}
	return slog.New(runNaming{slog.NewTextHandler(w, options)})
}

// runNaming adds the id of the run to what is logged within one.
type runNaming struct{ slog.Handler }

func (h runNaming) Handle(ctx context.Context, r slog.Record) error {
	if id, ok := ctx.Value(runKey{}).(string); ok {
		r.AddAttrs(slog.String("run", id))
	}
	return h.Handler.Handle(ctx, r)
}

func (h runNaming) WithAttrs(attrs []slog.Attr) slog.Handler {
	return runNaming{h.Handler.WithAttrs(attrs)}
}

func (h runNaming) WithGroup(name string) slog.Handler { return runNaming{h.Handler.WithGroup(name)} }
