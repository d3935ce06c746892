// Package apply executes a plan step by step and keeps the journal. It knows
// the account's interface and the ledger's journal, not why a step is there: what
// may be applied has been decided before.
package apply

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"fwsync/cloudfw"
	"fwsync/ledger"
	"fwsync/sync/plan"
)

// DefaultGrace is enough for one attempt of a call and its reply.
const DefaultGrace = 30 * time.Second

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
	// Grace is how long the step under way may go on once ctx has ended; 0 means
	// DefaultGrace. The account's own limit of a call holds all the same.
	Grace time.Duration
}

// Result says how far the plan got.
type Result struct {
	Done    int `json:"done"`    // steps whose effect is in the cloud
	Of      int `json:"of"`      // steps of the plan
	Settled int `json:"settled"` // of Done: reply lost, effect seen by reading again
}

// Run executes the steps in order. It stops at the first that fails, and says so
// with *Stopped; what comes after is not tried. When ctx ends it stops between two
// steps: the call under way is not broken off, but has the grace to come back.
//
// A write whose reply was lost is settled by reading the cloud again (promise P6):
// when its effect is there the plan goes on; when it is not, the step is made once
// more, unless ctx has ended. A journal that cannot be written stops the plan before
// the call.
func Run(ctx context.Context, in Input) (Result, error) {
	result := Result{Of: len(in.Plan.Steps)}
	for i, step := range in.Plan.Steps {
		stopped := &Stopped{Step: i + 1, Of: result.Of, What: fmt.Sprintf("%s %s", step.Op, step.Subject())}
		if ctx.Err() != nil {
			stopped.Requested, stopped.Err = true, cloudfw.Canceled
			return result, stopped
		}
		if in.Progress != nil {
			in.Progress(i, result.Of, step)
		}
		settled, err := in.step(ctx, i+1, step)
		if err != nil {
			stopped.Err = err
			return result, stopped
		}
		result.Done++
		if settled {
			result.Settled++
		}
	}
	return result, nil
}

// step makes one step, with its two entries in the journal.
func (in Input) step(ctx context.Context, number int, step cloudfw.Step) (settled bool, err error) {
	entry := ledger.JournalEntry{PlanID: in.Plan.ID, Step: number, At: in.Now().UTC(), Op: string(step.Op), Subject: step.Subject(), Outcome: ledger.Started}
	// From here on the step is whole or not at all, whatever happens to ctx.
	journal := context.WithoutCancel(ctx)
	if err := in.Journal.Record(journal, entry); err != nil {
		return false, fmt.Errorf("writing the journal: %w", err)
	}
	var receipt cloudfw.Receipt
	settled, err = in.settle(cloudfw.WithReceipt(ctx, &receipt), step)
	entry.At, entry.Outcome, entry.RequestID = in.Now().UTC(), ledger.Finished, receipt.RequestID
	if err != nil {
		entry.Outcome = err.Error()
	}
	// An unknown outcome stays open in the journal.
	if !errors.Is(err, cloudfw.UnknownOutcome) {
		if failed := in.Journal.Record(journal, entry); failed != nil {
			return settled, errors.Join(err, fmt.Errorf("writing the journal: %w", failed))
		}
	}
	return settled, err
}

// settle executes the step; settled says that the effect had to be looked up.
func (in Input) settle(request context.Context, step cloudfw.Step) (settled bool, err error) {
	ctx, release := graced(request, cmp.Or(in.Grace, DefaultGrace))
	defer release()
	for attempt := 1; ; attempt++ {
		err = in.Account.Execute(ctx, step)
		if !errors.Is(err, cloudfw.UnknownOutcome) {
			return false, err
		}
		live, readErr := in.Account.Observe(cloudfw.WithReceipt(ctx, nil), in.Scope)
		if readErr != nil {
			return false, fmt.Errorf("%w (and reading the cloud again failed: %w)", err, readErr)
		}
		switch {
		case cloudfw.Done(step, live):
			return true, nil
		case request.Err() != nil:
			return false, fmt.Errorf("no effect is to be seen, and on request it was not made again: %w", err)
		case attempt == 2:
			return false, fmt.Errorf("twice without effect: %w", err)
		}
	}
}

// graced returns a context that ends the given time after ctx has. The caller must
// release it.
func graced(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	unhook := context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(grace, cancel)
		context.AfterFunc(longer, func() { timer.Stop() })
	})
	return longer, func() { unhook(); cancel() }
}
