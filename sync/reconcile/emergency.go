package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"fwsync/cloudfw"
	"fwsync/cloudfw/lower"
	"fwsync/ledger"
)

// lapseRefused says which policy of a lapse bucket a firewall took for a wrong call, as
// it has an end. One whose end has come meanwhile proves nothing.
func (j *job) lapseRefused() (*cloudfw.FirewallRule, bool) {
	r, refused := endRefused(j)
	if !refused || !r.Validity.End.After(j.Now()) {
		return nil, false
	}
	for _, peer := range []cloudfw.Peer{r.Source, r.Destination} {
		if _, lapses := lower.Lapse(j.Owner, peer.Value); lapses && peer.Kind == cloudfw.Book {
			return r, true
		}
	}
	return nil, false
}

// withoutLapses makes good what failed because a firewall refuses policies with an end:
// the blocks in force get none, in all clouds, and each cloud is looked at and brought
// into shape once more. The ledger keeps that, so that the next pass does not try again.
// Where nothing was refused, the jobs are as they were.
func (c *Controller) withoutLapses(ctx context.Context, gathered Gathered, jobs []*job) ([]*job, error) {
	if !slices.ContainsFunc(jobs, func(j *job) bool { _, refused := j.lapseRefused(); return refused }) {
		return jobs, nil
	}
	if err := c.endlessFromNow(ctx); err != nil {
		return jobs, errors.Join(failure(jobs), err)
	}
	decisions, err := c.Ledger.Decisions(ctx, time.Time{})
	if err != nil {
		return jobs, fmt.Errorf("reading the decisions: %w", err)
	}
	jobs = c.jobs(c.Accounts)
	together(jobs, func(j *job) error {
		j.sick = gathered.sick()
		return j.look(ctx, decisions, c.Now())
	})
	c.execute(ctx, jobs)
	for _, j := range jobs {
		j.report.Plan.Notes = append(slices.Clip(j.report.Plan.Notes), "a firewall refused policies with an end: the blocks that it was to end itself have none, and stay until fwsync takes them away")
	}
	return jobs, nil
}

// endlessFromNow takes from the blocks in force that the firewall itself ends them.
func (c *Controller) endlessFromNow(ctx context.Context) error {
	now := c.Now().UTC()
	inForce, err := c.Ledger.Decisions(ctx, now)
	if err != nil {
		return fmt.Errorf("reading the decisions: %w", err)
	}
	inForce = slices.DeleteFunc(inForce, func(d ledger.Decision) bool { return !d.Lapses })
	for i := range inForce {
		inForce[i].Lapses = false
	}
	if _, err := c.Ledger.TakeIn(ctx, ledger.Intake{Decisions: inForce}); err != nil {
		return fmt.Errorf("storing that a firewall refused the end of blocks: %w", err)
	}
	return nil
}
