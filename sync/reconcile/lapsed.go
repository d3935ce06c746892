package reconcile

import (
	"context"
	"fmt"
	"time"

	"fwsync/ledger"
	"fwsync/sync/decide"
	"fwsync/sync/plan"
)

// Lapsed is a decision in force that the policies bear no longer. A plan leaves it out;
// the ledger learns of it when the plan may be applied. If a gate refuses, because it
// is too much at a time, nothing is lost: with the old policies it holds as before.
type Lapsed struct {
	Decision int64     `json:"decision"`
	Prefix   string    `json:"prefix"`
	Rule     string    `json:"rule"`
	Was      time.Time `json:"was"` // its end
	End      time.Time `json:"end"`
	Reason   string    `json:"reason"`
}

// without is what is known, with the lapsed decisions as they would be.
func without(known []ledger.Decision, lapsed []decide.Lapsed) []ledger.Decision {
	if len(lapsed) == 0 {
		return known
	}
	return merge(known, lapsedDecisions(lapsed))
}

func lapsedDecisions(lapsed []decide.Lapsed) []ledger.Decision {
	all := make([]ledger.Decision, len(lapsed))
	for i, l := range lapsed {
		all[i] = l.Decision
	}
	return all
}

// lapses are what the policies end, the same in every cloud; nothing when a cloud
// could not be looked at or a gate refuses, or for plans that block and unblock nobody.
func lapses(jobs []*job) []decide.Lapsed {
	if len(jobs) == 0 || jobs[0].kind != "" && jobs[0].kind != plan.Reconcile || refused(jobs) || failure(jobs) != nil {
		return nil
	}
	return jobs[0].lapsed
}

// keepLapsed writes into the ledger what the policies end, before the first step.
func (c *Controller) keepLapsed(ctx context.Context, jobs []*job) error {
	lapsed := lapses(jobs)
	if len(lapsed) == 0 {
		return nil
	}
	if _, err := c.Ledger.TakeIn(ctx, ledger.Intake{Decisions: lapsedDecisions(lapsed)}); err != nil {
		return fmt.Errorf("storing what the policies end: %w", err)
	}
	return nil
}

func lapsedReports(jobs []*job) []Lapsed {
	var all []Lapsed
	if len(jobs) == 0 {
		return nil
	}
	for _, l := range jobs[0].lapsed {
		d := l.Decision
		all = append(all, Lapsed{Decision: d.ID, Prefix: d.Prefix.String(), Rule: d.Rule, Was: l.Was, End: decide.Ended(d), Reason: l.Reason})
	}
	return all
}
