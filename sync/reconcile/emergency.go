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

// lapseRefused reports whether a firewall took a policy of a lapse bucket for a wrong
// call, as it has an end, and whether that was its own word. A policy whose end has come
// meanwhile proves nothing.
func (j *job) lapseRefused() (refused, judged bool) {
	r, is := endRefused(j)
	if !is || !r.Validity.End.After(j.Now()) {
		return false, false
	}
	for _, peer := range []cloudfw.Peer{r.Source, r.Destination} {
		_, lapses := lower.Lapse(j.Owner, peer.Value)
		refused = refused || lapses && peer.Kind == cloudfw.Book
	}
	failure, known := errors.AsType[*cloudfw.Error](j.err)
	return refused, refused && known && failure.Judged
}

// withoutLapses makes good what failed because a firewall refuses policies with an end:
// the blocks in force get none, in all clouds, and each cloud is looked at and brought
// into shape once more. If it was the firewall's own word the ledger keeps it, so that no
// pass tries again. Where nothing was refused, the jobs are as they were.
func (c *Controller) withoutLapses(ctx context.Context, gathered Gathered, jobs []*job) ([]*job, error) {
	anywhere, judged := false, false
	for _, j := range jobs {
		is, own := j.lapseRefused()
		anywhere, judged = anywhere || is, judged || own
	}
	if !anywhere {
		return jobs, nil
	}
	decisions, err := c.endless(ctx, judged)
	if err != nil {
		return jobs, errors.Join(failure(jobs), err)
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

// endless are all decisions, of which those in force do not lapse; kept in the ledger, or
// for this pass only.
func (c *Controller) endless(ctx context.Context, keep bool) ([]ledger.Decision, error) {
	all, err := c.Ledger.Decisions(ctx, time.Time{})
	if err != nil {
		return nil, fmt.Errorf("reading the decisions: %w", err)
	}
	now := c.Now().UTC()
	var changed []ledger.Decision
	for _, d := range all {
		if d.Lapses && d.RevokedAt.IsZero() && now.Before(d.End) {
			d.Lapses = false
			changed = append(changed, d)
		}
	}
	if keep {
		if changed, err = c.Ledger.TakeIn(ctx, ledger.Intake{Decisions: changed}); err != nil {
			return nil, fmt.Errorf("storing that a firewall refused the end of blocks: %w", err)
		}
	}
	return merge(all, changed), nil
}
