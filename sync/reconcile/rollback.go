package reconcile

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"fwsync/ledger"
	"fwsync/sync/decide"
	"fwsync/sync/plan"
)

// PlanDetail is what the ledger keeps of an applied plan beside its journal.
type PlanDetail struct {
	Kind       string `json:"kind"`
	PolicyHash string `json:"policy_hash"`
}

func detailOf(p plan.Plan) json.RawMessage {
	detail, err := json.Marshal(PlanDetail{Kind: string(cmp.Or(p.Kind, plan.Reconcile)), PolicyHash: p.PolicyHash})
	if err != nil {
		return nil // two texts: it cannot
	}
	return detail
}

// PoliciesChangedError refuses a rollback to a time at which other policies were in force.
type PoliciesChangedError struct {
	Then, Now string // hashes
	Plan      string // the last one that was applied then
}

func (e *PoliciesChangedError) Error() string {
	return fmt.Sprintf("the policies have changed since: plan %.12s was made with %.12s, now they are %.12s", e.Plan, e.Then, e.Now)
}

// Hint says what to do.
func (e *PoliciesChangedError) Hint() string {
	return "put the policy files of then back (your version control has them), see fwsync plan, and try again"
}

// ErrNoPlan says that nothing was applied up to the time that a rollback names.
var ErrNoPlan = errors.New("no plan was applied up to then")

// When is the time that a plan id, or the first letters of one, stands for: when its
// last step was made.
func When(ctx context.Context, store ledger.Store, id string) (time.Time, error) {
	p, err := FindPlan(ctx, store, id)
	if err != nil {
		return time.Time{}, err
	}
	at := p.StartedAt
	entries, err := store.Journal(ctx, p.ID)
	if err != nil {
		return time.Time{}, fmt.Errorf("reading the journal: %w", err)
	}
	for _, e := range entries {
		if e.At.After(at) {
			at = e.At
		}
	}
	return at, nil
}

// FindPlan finds the applied plan whose id begins like this; the newest page by page.
func FindPlan(ctx context.Context, store ledger.Store, id string) (ledger.AppliedPlan, error) {
	var found []ledger.AppliedPlan
	for page := (ledger.Past{}); ; {
		plans, err := store.PastPlans(ctx, page)
		if err != nil {
			return ledger.AppliedPlan{}, fmt.Errorf("reading the plans: %w", err)
		}
		for _, p := range plans {
			if len(p.ID) >= len(id) && p.ID[:len(id)] == id {
				found = append(found, p)
			}
		}
		if len(plans) < page.Page() {
			break
		}
		page.Before = plans[len(plans)-1].Seq
	}
	switch len(found) {
	case 0:
		return ledger.AppliedPlan{}, fmt.Errorf("no applied plan has an id that begins with %q", id)
	case 1:
		return found[0], nil
	}
	return ledger.AppliedPlan{}, fmt.Errorf("%d plans have an id that begins with %q", len(found), id)
}

// Rollback brings the decisions back to what they were at a time, and the clouds to
// what follows. It is refused where other policies were in force then: decisions are in
// the ledger, policy files are not. Nothing is stored unless every gate lets the plan pass.
func (c *Controller) Rollback(ctx context.Context, to time.Time) (Report, []ledger.Decision, error) {
	now := c.Now().UTC()
	if !to.Before(now) {
		return Report{}, nil, fmt.Errorf("%s is not in the past", to.Format(time.RFC3339))
	}
	if err := c.samePolicies(ctx, to); err != nil {
		return Report{}, nil, err
	}
	known, err := c.Ledger.Decisions(ctx, time.Time{})
	if err != nil {
		return Report{}, nil, fmt.Errorf("reading the decisions: %w", err)
	}
	changes := decide.Rollback(known, to, now, c.Author)
	c.assumed = changes
	c.begin = func(ctx context.Context, jobs []*job) error {
		if refused(jobs) || failure(jobs) != nil || len(changes) == 0 {
			return nil
		}
		_, err := c.Ledger.TakeIn(ctx, ledger.Intake{Decisions: changes})
		if err != nil {
			return fmt.Errorf("storing the decisions: %w", err)
		}
		return nil
	}
	defer func() { c.assumed, c.begin = nil, nil }()
	report, err := c.Enforce(ctx, Gathered{})
	return report, changes, err
}

// samePolicies refuses a time at which other policies were in force.
func (l *Look) samePolicies(ctx context.Context, at time.Time) error {
	plans, err := l.Ledger.PastPlans(ctx, ledger.Past{Until: at.Add(time.Millisecond), Limit: 1})
	if err != nil {
		return fmt.Errorf("reading the plans: %w", err)
	}
	if len(plans) == 0 {
		return ErrNoPlan
	}
	var then PlanDetail
	if plans[0].Detail != nil {
		if err := json.Unmarshal(plans[0].Detail, &then); err != nil {
			return fmt.Errorf("reading what plan %s was made with: %w", plans[0].ID, err)
		}
	}
	if now := l.Policy.Hash(); then.PolicyHash != now {
		return &PoliciesChangedError{Then: cmp.Or(then.PolicyHash, "unknown ones"), Now: now, Plan: plans[0].ID}
	}
	return nil
}
