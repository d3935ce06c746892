// Package reconcile is the main job on one screen: sources, detections, decisions,
// intent, plan, gates, apply, verify. It wires the other packages together and
// returns one report; it prints nothing and decides nothing by itself.
package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"fwsync/cloudfw"
	"fwsync/ledger"
	"fwsync/sync/apply"
)

// Controller is a Look that may also change the cloud.
type Controller struct {
	Look
	Account  cloudfw.Account
	Author   string
	Command  string                                // for the report; empty means "reconcile"
	Progress func(done, of int, next cloudfw.Step) // may be nil
	// Approve is asked before the first step; nil means yes. False ends the pass
	// without a step and without an error.
	Approve func(Report) (bool, error)
}

// RunOnce does the whole job once. What the sources say is stored before the cloud
// is touched, so a crash at any point loses nothing: the next pass goes on from what
// the ledger and the cloud say (promise P6).
//
// The report is complete up to where the pass got, also with an error. A refusal,
// a gap or a sick source is not an error but in the report.
func (c *Controller) RunOnce(ctx context.Context) (Report, error) {
	gathered, err := c.gather(ctx)
	if err != nil {
		return Report{}, err
	}
	stored, err := c.Ledger.TakeIn(ctx, gathered.Intake)
	if err != nil {
		return Report{}, fmt.Errorf("storing decisions and positions: %w", err)
	}
	gathered.Intake.Decisions = stored
	return c.enforce(ctx, gathered)
}

// enforce plans, asks the gates, applies and verifies.
func (c *Controller) enforce(ctx context.Context, gathered Gathered) (Report, error) {
	unfinished, err := c.Ledger.Unfinished(ctx)
	if err != nil {
		return Report{}, fmt.Errorf("reading the journal: %w", err)
	}
	decisions, err := c.Ledger.Decisions(ctx, time.Time{})
	if err != nil {
		return Report{}, fmt.Errorf("reading the decisions: %w", err)
	}
	outlook, err := c.outlook(ctx, decisions)
	if err != nil {
		return c.counted(c.report(cmp.Or(c.Command, "reconcile"), gathered, outlook)), err
	}
	report := c.report(cmp.Or(c.Command, "reconcile"), gathered, outlook)
	if len(unfinished) > 0 {
		// The cloud has just been read: whatever those calls did is in the plan's view.
		last := unfinished[len(unfinished)-1]
		report.Recovered = fmt.Sprintf("an earlier run stopped during step %d, %s %s; the cloud was read again and the plan starts from what is there", last.Step, last.Op, last.Subject)
		if err := c.Ledger.Settle(ctx, c.Now().UTC()); err != nil {
			return report, fmt.Errorf("settling the journal: %w", err)
		}
	}
	if len(outlook.Refusals) > 0 {
		return c.counted(report), nil
	}
	if outlook.Plan.Changes() {
		if c.Approve != nil {
			if yes, err := c.Approve(report); err != nil || !yes {
				return c.counted(report), err
			}
		}
		if _, err := c.Ledger.UsePlan(ctx, ledger.AppliedPlan{ID: outlook.Plan.ID, StartedAt: c.Now().UTC(), Author: c.Author, Steps: len(outlook.Plan.Steps)}); err != nil {
			return report, fmt.Errorf("recording the plan: %w", err)
		}
	}
	return c.execute(ctx, report, outlook)
}

// execute applies a plan that may be applied and verifies the result, also after a
// failure: what is enforced and what is not is what a person needs to know then.
func (c *Controller) execute(ctx context.Context, report Report, outlook Outlook) (Report, error) {
	var stopped error
	if outlook.Plan.Changes() {
		result, err := apply.Run(ctx, apply.Input{Plan: outlook.Plan, Account: c.Account, Scope: c.scope(), Journal: c.Ledger, Now: c.Now, Progress: c.Progress})
		report.Applied = &result
		if stopped = err; err != nil {
			report.Stopped = err.Error()
		}
	}
	if ctx.Err() != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
	}
	verified, err := c.confirm(ctx, outlook)
	if err == nil {
		report.Verification = &verified
	}
	return c.counted(report), errors.Join(stopped, err)
}
