package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"

	"fwsync/cloudfw"
	"fwsync/ledger"
	"fwsync/sync/daemon"
	"fwsync/sync/reconcile"
)

// pass makes one pass, as reconcile does without its sources.
func (r *runner) pass(ctx context.Context, why []string) daemon.Outcome {
	ctx = inRun(ctx)
	started := time.Now()
	done := r.health.Pass()
	report, err := r.enforce(ctx)
	outcome := daemon.Outcome{Failed: err != nil || report.Summary.Gaps > 0}
	switch {
	case ctx.Err() != nil && err != nil:
		r.log.InfoContext(ctx, "stopped between two steps", "error", err)
		done(nil)
		return outcome
	case leaseHeld(err):
		r.metrics.runs.add(1, "held")
		if !r.waiting {
			r.log.InfoContext(ctx, "another fwsync is at work", "holder", err)
		}
		r.waiting = true
		done(nil)
		// It is no failure that is to be repeated less and less often: whoever is gone is to be
		// followed as soon as its lease ends.
		return daemon.Outcome{NextAt: time.Now().Add(heldAgain)}
	}
	r.waiting = false
	if errors.Is(err, ledger.ErrUnreachable) {
		// Asking again costs the cloud nothing: it is enforced soon after the database is back.
		outcome = daemon.Outcome{NextAt: time.Now().Add(unreachableAgain)}
	}
	done(err)
	r.metrics.pass(report, err, time.Since(started))
	r.notices.pass(report, err)
	tellPass(ctx, r.log, report, err, why, time.Since(started))
	r.writeMetrics()
	status := fmt.Sprintf("%d blocks, %d gaps", report.Decisions.Active, report.Summary.Gaps)
	if err != nil {
		status = "the last run failed, see the log"
	}
	_, _ = systemd.SdNotify(false, "STATUS="+status+", as of "+started.UTC().Format(time.DateTime))
	if !report.NextEnd.IsZero() {
		// Blocks that end one after the other are lifted together.
		outcome.NextAt = later(report.NextEnd.Add(time.Second), time.Now().Add(30*time.Second))
	}
	if report.More() {
		outcome.NextAt = time.Now()
	}
	return outcome
}

// tell is the pass of a host that only detects: it says what was detected.
func (r *runner) tell(ctx context.Context, _ []string) (o daemon.Outcome) {
	defer r.health.Pass()(nil)
	report := r.watch.Report()
	r.metrics.gathered(report)
	tellDetections(inRun(ctx), r.log, report)
	r.writeMetrics()
	return o
}

func (r *runner) writeMetrics() {
	if err := r.metrics.write(r.w.config.Metrics); err != nil {
		r.log.Error("writing the metrics", "error", err)
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// enforce holds the writer lease for one pass only, so that a person at a terminal
// gets it between two.
func (r *runner) enforce(ctx context.Context) (reconcile.Report, error) {
	if err := r.w.acquire(ctx); err != nil {
		return reconcile.Report{}, err
	}
	r.metrics.lease(true)
	defer func() {
		r.w.release()
		r.metrics.lease(false)
	}()
	token := r.w.lease.Token()
	if token != r.token+1 {
		r.memory.Forget() // somebody else was at work in between
	}
	r.token = token
	if err := r.w.lookAgain(ctx); err != nil {
		return reconcile.Report{}, err
	}
	for _, c := range r.w.clouds {
		if c.config.Cloud == "simulator" {
			r.metrics.begunAnew(c.config.Name)
		}
	}
	r.policies.Lock()
	controller, err := r.w.controller(new(limitFlags).limits(r.w.config.Limits))
	policy := r.w.policy
	r.policies.Unlock()
	if err != nil {
		return reconcile.Report{}, err
	}
	if time.Since(r.compacted) > time.Hour {
		r.w.compact(ctx, policy)
		r.compacted = time.Now()
	}
	controller.Command, controller.Author, controller.Memory = "run", "fwsync run", r.memory
	controller.Progress = func(done, of int, next cloudfw.Step) {
		r.log.DebugContext(ctx, "step", "number", done+1, "of", of, "op", next.Op, "subject", next.Subject(), "reason", next.Reason)
	}
	return controller.Enforce(ctx, r.watch.Gathered())
}

// tellDetections logs what was detected.
func tellDetections(ctx context.Context, log *slog.Logger, r reconcile.Report) {
	for _, d := range r.Detections {
		switch {
		case d.Blocked && !d.Continued:
			log.InfoContext(ctx, "block", "prefix", d.Prefix, "detection", d.Rule, "count", d.Count, "until", d.Until)
		case !d.Continued:
			log.InfoContext(ctx, "detected, not blocked", "prefix", d.Prefix, "detection", d.Rule, "count", d.Count, "why", d.Withheld)
		}
	}
}

// tellPass logs what a pass came to.
func tellPass(ctx context.Context, log *slog.Logger, r reconcile.Report, err error, why []string, took time.Duration) {
	tellDetections(ctx, log, r)
	refused := false
	for _, c := range r.Each() {
		for _, refusal := range c.Refusals {
			refused = true
			log.WarnContext(ctx, "refused by a gate", "cloud", c.Name, "plan", c.Plan.ID, "gate", refusal.Gate, "why", refusal.Message, "hint", refusal.Hint)
		}
		if a := c.Applied; a != nil {
			log.InfoContext(ctx, "applied", "cloud", c.Name, "plan", c.Plan.ID, "steps", a.Done, "of", a.Of, "replies lost", a.Settled)
		}
		for _, w := range c.Waiting {
			log.InfoContext(ctx, "a feed is taken in by parts", "cloud", c.Name, "feed", w.Feed, "waiting", w.Blocks)
		}
		if c.Verification != nil {
			for _, gap := range c.Verification.Gaps[:min(len(c.Verification.Gaps), 10)] {
				log.WarnContext(ctx, "gap", "cloud", c.Name, "gap", gap.String())
			}
		}
	}
	level := slog.LevelInfo
	if err != nil || refused || r.Summary.Gaps > 0 {
		level = slog.LevelWarn
	}
	attributes := []any{"why", why, "decisions", r.Summary.Decisions, "steps", r.Summary.Steps, "gaps", r.Summary.Gaps, "took", took.Round(time.Millisecond)}
	if err != nil {
		attributes = append(attributes, "error", err)
	}
	log.Log(ctx, level, "pass", attributes...)
}
