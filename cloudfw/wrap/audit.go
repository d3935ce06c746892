package wrap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"fwsync/cloudfw"
)

// Record is what the audit keeps of one step. It holds no message of the vendor and
// no address of a request, so nothing secret (promise P14).
type Record struct {
	At        time.Time     `json:"at"` // when it was begun, UTC
	Op        cloudfw.Op    `json:"op"`
	Target    string        `json:"target,omitempty"`
	Subject   string        `json:"subject,omitempty"`
	Reason    string        `json:"reason,omitempty"`
	Outcome   string        `json:"outcome"` // Done, Failed or the error's kind
	Code      string        `json:"code,omitempty"`
	RequestID string        `json:"request_id,omitempty"` // of a failed call only: the model has none of others
	Took      time.Duration `json:"took_ns"`
}

// Outcomes beside the kinds of errors.
const (
	Done   = "done"   // the step came back without an error
	Failed = "failed" // with an error that has no kind
)

func outcome(err error) string {
	if err == nil {
		return Done
	}
	if kind := cloudfw.KindOf(err); kind != "" {
		return string(kind)
	}
	return Failed
}

// Audit is an account that hands a Record of each step to the sink, after the
// step came back and before the caller knows. The sink must be safe for concurrent
// use; what it does about its own trouble is its own business.
func Audit(a cloudfw.Account, sink func(Record)) cloudfw.Account { return &audit{a, sink} }

type audit struct {
	cloudfw.Account
	sink func(Record)
}

// Execute implements cloudfw.Writer.
func (a *audit) Execute(ctx context.Context, step cloudfw.Step) error {
	began := time.Now()
	err := a.Account.Execute(ctx, step)
	record := Record{
		At: began.UTC(), Op: step.Op, Target: step.Target, Subject: subject(step), Reason: step.Reason,
		Outcome: outcome(err), Took: time.Since(began),
	}
	if failure, ok := errors.AsType[*cloudfw.Error](err); ok {
		record.Code, record.RequestID = failure.Code, failure.RequestID
	}
	a.sink(record)
	return err
}

// Lines writes records as JSON, one a line, each in one Write. Safe for concurrent use.
type Lines struct {
	mu  sync.Mutex
	w   io.Writer
	err error
}

// NewLines writes to w, which needs no protection of its own.
func NewLines(w io.Writer) *Lines { return &Lines{w: w} }

// Write is a sink for Audit. After the first failure nothing more is written, so
// that a file has no gap in the middle.
func (l *Lines) Write(r Record) {
	text, err := json.Marshal(r)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return
	}
	if err == nil {
		_, err = l.w.Write(append(text, '\n'))
	}
	if err != nil {
		l.err = fmt.Errorf("writing the audit record of %s: %w", r.Op, err)
	}
}

// Err is the first failure, nil without one.
func (l *Lines) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}
