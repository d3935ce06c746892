package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"fwsync/ledger"
	"fwsync/policies"
	"fwsync/sync/verify"
)

// The exit codes, as documented in docs/design.md.
const (
	exitDone    = 0
	exitError   = 1
	exitPending = 2 // changes pending: plan
	exitRefused = 3 // refused by a gate
	exitGap     = 4 // something demanded is not enforced
	exitSick    = 5 // a source is sick, the rest is done
	exitHeld    = 6 // another process holds the lease
)

// outcome ends a command whose answer is on stdout already with a code of its own.
// say may be empty.
type outcome struct {
	code int
	say  string
	hint string
}

func (o *outcome) Error() string { return o.say }
func (o *outcome) Hint() string  { return o.hint }

// gapped is the outcome of a run that leaves gaps: their number, the oldest first.
func gapped(gaps []verify.Gap) *outcome {
	oldest := slices.MaxFunc(gaps, func(a, b verify.Gap) int { return int(a.AgeSeconds - b.AgeSeconds) })
	return &outcome{exitGap, plural(len(gaps), "gap") + ": " + oldest.String(), "run fwsync reconcile again; if it stays, fwsync explain ADDRESS shows the rules in the way"}
}

// hinted is an error that knows what to do next.
type hinted struct {
	error
	hint string
}

func (h *hinted) Hint() string  { return h.hint }
func (h *hinted) Unwrap() error { return h.error }

func withHint(err error, hint string, args ...any) error {
	return &hinted{err, fmt.Sprintf(hint, args...)}
}

// interruptible returns a context that ends with the first interrupt: the work stops
// between two steps and says where. The second one ends the process as usual. The
// caller must call stop.
func interruptible() (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case <-signals:
			signal.Stop(signals)
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, func() { signal.Stop(signals); cancel() }
}

// announceStop says on the interrupt of a command that applies a plan what it waits
// for. The caller must call the result when there is nothing left to wait for.
func announceStop(ctx context.Context, talk io.Writer) func() bool {
	return context.AfterFunc(ctx, func() {
		fmt.Fprintln(talk, "fwsync: stopping as soon as no call is under way; interrupt again to end at once")
	})
}

// report prints the error for a person and maps it to the exit code.
func report(w io.Writer, err error) int {
	if err == nil {
		return exitDone
	}
	if text := err.Error(); text != "" {
		fmt.Fprintf(w, "fwsync: error: %s\n", strings.TrimRight(text, "\n"))
	}
	if hint := hintFor(err); hint != "" {
		fmt.Fprintf(w, "hint: %s\n", hint)
	}
	if o, ok := errors.AsType[*outcome](err); ok {
		return o.code
	}
	if _, held := errors.AsType[*ledger.HeldError](err); held || errors.Is(err, ledger.ErrFenced) {
		return exitHeld
	}
	return exitError
}

func hintFor(err error) string {
	var own interface{ Hint() string }
	if errors.As(err, &own) && own.Hint() != "" {
		return own.Hint()
	}
	if files, ok := errors.AsType[*policies.Error](err); ok {
		return policyHint(files.Findings[len(files.Findings)-1])
	}
	switch {
	case errors.Is(err, context.Canceled):
		return "nothing after this point was done; run the command again to go on"
	case errors.Is(err, ledger.ErrLocked):
		return "wait for the other fwsync to end, or find it with: fuser -v FILE"
	case errors.Is(err, ledger.ErrFenced):
		return "this process was stopped or cut off for longer than its lease lasts, and another went on; nothing more was changed, run the command again"
	case errors.Is(err, ledger.ErrCorrupt):
		return "the ledger was left as it is; restore it from a backup, or move it away to start with an empty one (the cloud keeps its rules)"
	case errors.Is(err, os.ErrNotExist):
		return "check the path; relative paths in fwsync.yaml start at the file's own folder"
	case errors.Is(err, os.ErrPermission):
		return "check who may read the file, or run as the user who may"
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EISDIR):
		return "check the path: it takes a file for a folder, or a folder for a file"
	}
	return ""
}

// policyHint is for the last thing that is wrong with policies, if it has no hint itself.
func policyHint(f policies.Finding) string {
	switch {
	case f.Hint != "":
		return ""
	case f.Line == 0:
		return "check the path and who may read it: policies in fwsync.yaml, or the command, names a folder or a file"
	}
	return "policies/policy.schema.json has the form of every key, docs/detection.md explains the kinds"
}
