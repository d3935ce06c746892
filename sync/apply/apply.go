// Package apply executes a plan step by step and keeps the journal. It knows
// the account's interface and the ledger's journal, not why a step is there: what
// may be applied has been decided before.
package apply

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fwsync/cloudfw"
	"fwsync/ledger"
	"fwsync/sync/plan"
)

// Journal is where each call is written down before it is made and after.
type Journal interface {
	Record(ctx context.Context, e ledger.JournalEntry) error
}

// Input is a plan that the gates let pass and what it needs to be executed.
type Input struct {
	Plan     plan.Plan
	Account  cloudfw.Account
	Scope    cloudfw.Scope // to read again when a reply was lost
	Journal  Journal
	Now      func() time.Time
	Progress func(done, of int, next cloudfw.Step) // may be nil
}

// Result says how far the plan got.
type Result struct {
	Done    int `json:"done"`    // steps whose effect is in the cloud
	Of      int `json:"of"`      // steps of the plan
	Settled int `json:"settled"` // of Done: reply lost, effect seen by reading again
}

// Stopped is the error of a plan that was not finished. The steps before Step are
// done; the step itself had no effect unless Unwrap says UnknownOutcome.
type Stopped struct {
	Step, Of int // from 1
	What     string
	Err      error
}

func (e *Stopped) Error() string {
	return fmt.Sprintf("the plan stopped at step %d of %d, %s: %v", e.Step, e.Of, e.What, e.Err)
}

func (e *Stopped) Unwrap() error { return e.Err }

// Run executes the steps in order. It stops at the first that fails and between two
// steps when ctx ends, and says so with *Stopped. A write whose reply was lost is
// settled by reading the cloud again (promise P6): when its effect is there the plan
// goes on; when it is not, the step is made once more. A journal that cannot be
// written stops the plan before the call.
func Run(ctx context.Context, in Input) (Result, error) {
	result := Result{Of: len(in.Plan.Steps)}
	for i, step := range in.Plan.Steps {
		stop := func(err error) (Result, error) {
			return result, &Stopped{Step: i + 1, Of: result.Of, What: fmt.Sprintf("%s %s", step.Op, step.Subject()), Err: err}
		}
		if err := ctx.Err(); err != nil {
			return stop(cloudfw.Canceled)
		}
		if in.Progress != nil {
			in.Progress(i, result.Of, step)
		}
		entry := ledger.JournalEntry{PlanID: in.Plan.ID, Step: i + 1, At: in.Now().UTC(), Op: string(step.Op), Subject: step.Subject(), Outcome: ledger.Started}
		if err := in.Journal.Record(ctx, entry); err != nil {
			return stop(fmt.Errorf("writing the journal: %w", err))
		}
		settled, err := in.settle(ctx, step)
		entry.At, entry.Outcome = in.Now().UTC(), ledger.Finished
		if err != nil {
			entry.Outcome = err.Error()
		}
		// The call has been made: its outcome is written even when ctx ended meanwhile.
		// An unknown outcome stays open in the journal.
		if !errors.Is(err, cloudfw.UnknownOutcome) {
			if journalErr := in.Journal.Record(context.WithoutCancel(ctx), entry); journalErr != nil {
				return stop(errors.Join(err, fmt.Errorf("writing the journal: %w", journalErr)))
			}
		}
		if err != nil {
			return stop(err)
		}
		result.Done++
		if settled {
			result.Settled++
		}
	}
	return result, nil
}

// settle executes the step; settled says that the effect had to be looked up.
func (in Input) settle(ctx context.Context, step cloudfw.Step) (settled bool, err error) {
	for attempt := 1; ; attempt++ {
		err = in.Account.Execute(ctx, step)
		if !errors.Is(err, cloudfw.UnknownOutcome) {
			return false, err
		}
		live, readErr := in.Account.Observe(ctx, in.Scope)
		if readErr != nil {
			return false, fmt.Errorf("%w (and reading the cloud again failed: %w)", err, readErr)
		}
		if cloudfw.Done(step, live) {
			return true, nil
		}
		if attempt == 2 {
			return false, fmt.Errorf("twice without effect: %w", err)
		}
	}
}
