// Package reconcile is the main job on one screen: sources, detections, decisions,
// intent, plan, gates, apply, verify. It wires the other packages together and
// returns one report; it prints nothing and decides nothing by itself.
package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"fwsync/cloudfw"
	"fwsync/ledger"
	"fwsync/sync/apply"
	"fwsync/sync/plan"
)

// Controller is a Look that may also change the clouds.
type Controller struct {
	Look
	Accounts []cloudfw.Account // one for each of Clouds, in their order
	Author   string
	Command  string                                // for the report; empty means "reconcile"
	Progress func(done, of int, next cloudfw.Step) // may be nil; never called twice at a time
	// Approve is asked once, before the first step; nil means yes. False ends the
	// pass without a step and without an error.
	Approve func(Report) (bool, error)
	// begin is called after that, before the first step; its error ends the pass.
	begin func(context.Context, []*job) error
}

// RunOnce does the whole job once. What the sources say is stored before a cloud is
// touched, so a crash at any point loses nothing: the next pass goes on from what
// the ledger and the clouds say (promise P6).
//
// The clouds are worked on at the same time. One that fails, or whose plan a gate
// refuses, does not hold up the others. The report is complete up to where the pass
// got, also with an error, which names the clouds that failed. A refusal, a gap or a
// sick source is not an error but in the report.
func (c *Controller) RunOnce(ctx context.Context) (Report, error) {
	gathered, err := c.gather(ctx)
	if err != nil {
		return Report{}, err
	}
	stored, err := c.Ledger.TakeIn(ctx, gathered.Intake)
	if err != nil {
		return Report{}, fmt.Errorf("storing decisions and positions: %w", err)
	}
	gathered.Intake.Decisions, gathered.known = stored, nil // others may have decided meanwhile
	return c.Enforce(ctx, gathered)
}

// Enforce is RunOnce without the sources: it brings the clouds to what the policies and the
// ledger say, and reports what was gathered beside. A firewall that refuses policies with
// an end gets blocks without.
func (c *Controller) Enforce(ctx context.Context, gathered Gathered) (Report, error) {
	decisions, err := c.Ledger.Decisions(ctx, time.Time{})
	if err != nil {
		return Report{}, fmt.Errorf("reading the decisions: %w", err)
	}
	gathered.inLedger = countLedger(decisions, c.Now())
	if gathered.nextEnd, err = c.nextIncidentEnd(ctx, nextEnd(decisions, c.Now())); err != nil {
		return Report{}, err
	}
	jobs := c.jobs(c.Accounts)
	together(jobs, func(j *job) error {
		j.sick = gathered.sick()
		return j.look(ctx, decisions, c.Now())
	})
	recovered, err := c.recover(ctx, jobs)
	if err != nil {
		return c.finish(gathered, jobs, recovered), err
	}
	if c.Approve != nil && pending(jobs) {
		if yes, err := c.Approve(c.finish(gathered, jobs, recovered)); err != nil || !yes {
			return c.finish(gathered, jobs, recovered), errors.Join(err, failure(jobs))
		}
	}
	if err := c.keepLapsed(ctx, jobs); err != nil {
		return c.finish(gathered, jobs, recovered), err
	}
	if c.begin != nil {
		if err := c.begin(ctx, jobs); err != nil {
			return c.finish(gathered, jobs, recovered), err
		}
	}
	c.execute(ctx, jobs)
	if jobs, err = c.withoutLapses(ctx, gathered, jobs); err != nil {
		return c.finish(gathered, jobs, recovered), err
	}
	return c.finish(gathered, jobs, recovered), errors.Join(failure(jobs), c.expire(ctx, jobs))
}

// nextEnd is when the first of the decisions in force ends; zero if none does.
func nextEnd(decisions []ledger.Decision, now time.Time) (next time.Time) {
	for _, d := range decisions {
		if d.ActiveAt(now) && !d.End.IsZero() && (next.IsZero() || d.End.Before(next)) {
			next = d.End
		}
	}
	return next
}

// pending reports whether there is a step to make.
func pending(jobs []*job) bool {
	for _, j := range jobs {
		if j.err == nil && len(j.outlook.Refusals) == 0 && j.outlook.Plan.Changes() {
			return true
		}
	}
	return false
}

// recover settles what an earlier run left unfinished. The clouds have just been
// read: whatever those calls did is in the plans' view. It waits until all of them
// could be read.
func (c *Controller) recover(ctx context.Context, jobs []*job) (string, error) {
	unfinished, err := c.Ledger.Unfinished(ctx)
	if err != nil {
		return "", fmt.Errorf("reading the journal: %w", err)
	}
	if len(unfinished) == 0 || failure(jobs) != nil {
		return "", nil
	}
	last := unfinished[len(unfinished)-1]
	told := fmt.Sprintf("an earlier run stopped during step %d, %s %s; the cloud was read again and the plan starts from what is there", last.Step, last.Op, last.Subject)
	if err := c.Ledger.Settle(ctx, c.Now().UTC()); err != nil {
		return told, fmt.Errorf("settling the journal: %w", err)
	}
	return told, nil
}

// execute applies what may be applied and verifies the result, also after a failure:
// what is enforced and what is not is what a person needs to know then.
func (c *Controller) execute(ctx context.Context, jobs []*job) {
	progress := c.progress(jobs)
	together(jobs, func(j *job) error {
		if len(j.outlook.Refusals) > 0 {
			return nil
		}
		return j.execute(ctx, c.Author, c.command(), progress)
	})
}

// command is what the controller was asked for.
func (c *Controller) command() string { return cmp.Or(c.Command, "reconcile") }

func (j *job) execute(ctx context.Context, author, command string, progress func(done, of int, next cloudfw.Step)) error {
	var stopped error
	if p := j.outlook.Plan; p.Changes() {
		if _, err := j.Ledger.UsePlan(ctx, ledger.AppliedPlan{ID: p.ID, Cloud: j.Name, StartedAt: j.Now().UTC(), Author: author, Steps: len(p.Steps), Detail: detailOf(p, command, j.outlook.Live)}); err != nil {
			return fmt.Errorf("recording the plan: %w", err)
		}
		result, err := apply.Run(ctx, apply.Input{Plan: p, Account: j.account, Scope: j.policy.Scope(), Journal: j.Ledger, Now: j.Now, Progress: progress})
		j.report.Applied = &result
		if stopped = err; err != nil {
			j.report.Stopped = err.Error()
		}
	}
	if ctx.Err() != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
	}
	switch j.kind {
	case plan.Release, plan.Lifting:
		return errors.Join(stopped, j.released(ctx))
	case plan.Overlay:
		return errors.Join(stopped, j.laid(ctx))
	}
	err := j.confirm(ctx)
	if stopped == nil && err == nil {
		j.Memory.keep(j.Name, j.seen)
	}
	return errors.Join(stopped, err)
}

// progress adds up the steps of all clouds.
func (c *Controller) progress(jobs []*job) func(done, of int, next cloudfw.Step) {
	if c.Progress == nil {
		return nil
	}
	all, made := 0, -1
	for _, j := range jobs {
		all += len(j.outlook.Plan.Steps)
	}
	var mu sync.Mutex
	return func(_, _ int, next cloudfw.Step) {
		mu.Lock()
		defer mu.Unlock()
		made++
		c.Progress(made, all, next)
	}
}

func (c *Controller) finish(gathered Gathered, jobs []*job, recovered string) Report {
	r := c.report(c.command(), gathered, jobs)
	r.Recovered, r.NextEnd = recovered, gathered.nextEnd
	return r
}
