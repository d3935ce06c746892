package reconcile

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"fwsync/ledger"
	"fwsync/sync/decide"
)

// Rollback is the way back to the decisions of an earlier time, before it is gone. A
// reconciler makes true again what the policies and the ledger say; so what changes is
// what they say, and the clouds follow.
type Rollback struct {
	To time.Time `json:"to"`
	At time.Time `json:"at"` // when it was looked at
	By string    `json:"by"`

	Changes []ledger.Decision `json:"-"` // of decisions
	Notes   []string          `json:"-"` // what is not as it was then, and stays so
}

// ChangedPolicies refuses a rollback to a time at which other policies were in force.
type ChangedPolicies struct {
	Then, Now string // hashes
	Plan      string // the last one that was applied then
	At        time.Time
}

func (e *ChangedPolicies) Error() string {
	return fmt.Sprintf("the policies have changed since: %s, begun %s, was made with %.19s, now they are %.19s", e.Plan, clock(e.At), e.Then, e.Now)
}

// Hint says what to do.
func (e *ChangedPolicies) Hint() string {
	return fmt.Sprintf("put the policy files of then back (as git log --until=%s finds them), see fwsync plan, and try again", e.At.UTC().Format(time.RFC3339))
}

// ErrNoPlan says that nothing was applied up to the time that a rollback names.
var ErrNoPlan = errors.New("no plan was applied up to then")

// After is the time that a plan's id, or how it begins, stands for: right after its last call.
func (l *Look) After(ctx context.Context, id string) (time.Time, error) {
	p, err := FindPlan(ctx, l.Ledger, id)
	if err != nil {
		return time.Time{}, err
	}
	return l.after(ctx, p)
}

// Before is the time right after the plan before it in its cloud: what a plan does was
// decided before it begins.
func (l *Look) Before(ctx context.Context, id string) (time.Time, error) {
	p, err := FindPlan(ctx, l.Ledger, id)
	for err == nil {
		var page []ledger.AppliedPlan
		if page, err = l.Ledger.PastPlans(ctx, ledger.Past{Before: p.Seq}); err != nil {
			break
		}
		if at := slices.IndexFunc(page, func(o ledger.AppliedPlan) bool { return o.Cloud == p.Cloud }); at >= 0 {
			return l.after(ctx, page[at])
		}
		if len(page) == 0 {
			return time.Time{}, ErrNoPlan
		}
		p.Seq = page[len(page)-1].Seq
	}
	return time.Time{}, err
}

func (l *Look) after(ctx context.Context, p ledger.AppliedPlan) (time.Time, error) {
	at := p.StartedAt
	entries, err := l.Ledger.Journal(ctx, p.ID)
	if err != nil {
		return at, fmt.Errorf("reading the journal: %w", err)
	}
	for _, e := range entries {
		if e.At.After(at) {
			at = e.At
		}
	}
	return at, nil
}

// FindPlan finds the one applied plan whose id begins like this.
func FindPlan(ctx context.Context, store ledger.Store, id string) (ledger.AppliedPlan, error) {
	if id == "" {
		return ledger.AppliedPlan{}, errors.New("a plan's id is empty")
	}
	found, err := store.PastPlans(ctx, ledger.Past{PlanID: id, Limit: 2})
	if err == nil && len(found) == 0 && !slices.Contains([]string{"p", "pl", "pla", "plan"}, id) {
		found, err = store.PastPlans(ctx, ledger.Past{PlanID: "plan-" + id, Limit: 2})
	}
	switch {
	case err != nil:
		return ledger.AppliedPlan{}, fmt.Errorf("reading the plans: %w", err)
	case len(found) == 0:
		return ledger.AppliedPlan{}, fmt.Errorf("no applied plan has an id that begins with %q", id)
	case len(found) > 1 && found[0].ID != id && found[1].ID != id:
		return ledger.AppliedPlan{}, fmt.Errorf("several plans have an id that begins with %q", id)
	}
	return found[0], nil
}

// LookBack finds out what a rollback to a time would change. It is refused where other
// policies were in force then: decisions are in the ledger, policy files are not.
func (l *Look) LookBack(ctx context.Context, to time.Time, by string) (Rollback, error) {
	now := l.Now().UTC().Truncate(time.Millisecond)
	if !to.Before(now) {
		return Rollback{}, fmt.Errorf("%s is not in the past", to.Format(time.RFC3339))
	}
	if err := l.samePolicies(ctx, to); err != nil {
		return Rollback{}, err
	}
	known, err := l.Ledger.Decisions(ctx, time.Time{})
	if err != nil {
		return Rollback{}, fmt.Errorf("reading the decisions: %w", err)
	}
	back := decide.Rollback(known, to, now, by)
	r := Rollback{To: to.UTC(), At: now, By: by, Changes: back.Changes}
	if back.Ended > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("decisions of then that have come to their end since, and stay ended: %d", back.Ended))
	}
	incidents, err := l.Ledger.Incidents(ctx, to)
	if err != nil {
		return Rollback{}, fmt.Errorf("reading the incidents: %w", err)
	}
	for _, i := range incidents {
		running := i.ActiveAt(now)
		switch then := !i.StartedAt.After(to) && to.Before(i.Until); {
		case then && !running && now.Before(i.Until):
			r.Notes = append(r.Notes, fmt.Sprintf("incident %s was running then and has been ended (%s) since: it is not started again", i.Name, i.Ending))
		case !then && running:
			r.Notes = append(r.Notes, fmt.Sprintf("incident %s was started since, by %s, and goes on: fwsync incident undo %s takes it back", i.Name, i.Author, i.Name))
		}
	}
	return r, nil
}

// samePolicies refuses a time at which other policies were in force.
func (l *Look) samePolicies(ctx context.Context, at time.Time) error {
	plans, err := l.Ledger.PastPlans(ctx, ledger.Past{Until: at.Add(time.Millisecond), Limit: 1})
	switch {
	case err != nil:
		return fmt.Errorf("reading the plans: %w", err)
	case len(plans) == 0:
		return ErrNoPlan
	}
	then, err := DetailOf(plans[0])
	if err != nil {
		return err
	}
	if now := l.Policy.Hash(); then.PolicyHash != now {
		return &ChangedPolicies{Then: cmp.Or(then.PolicyHash, "unknown ones"), Now: now, Plan: plans[0].ID, At: plans[0].StartedAt}
	}
	return nil
}

// PreviewRollback plans what would follow in the clouds; nothing is changed.
func (l *Look) PreviewRollback(ctx context.Context, r Rollback) (Report, error) {
	jobs, gathered, err := l.lookAfter(ctx, r, nil)
	if err != nil {
		return Report{}, err
	}
	return l.report("rollback", gathered, jobs), failure(jobs)
}

// lookAfter looks at every cloud as if the changes were stored.
func (l *Look) lookAfter(ctx context.Context, r Rollback, begin func([]*job)) ([]*job, Gathered, error) {
	known, err := l.Ledger.Decisions(ctx, time.Time{})
	if err != nil {
		return nil, Gathered{}, fmt.Errorf("reading the decisions: %w", err)
	}
	decisions := merge(known, r.Changes)
	gathered := Gathered{inLedger: countLedger(decisions, l.Now())}
	if gathered.nextEnd, err = l.nextIncidentEnd(ctx, nextEnd(decisions, l.Now())); err != nil {
		return nil, Gathered{}, err
	}
	jobs := l.jobs(nil)
	if begin != nil {
		begin(jobs)
	}
	together(jobs, func(j *job) error { return j.look(ctx, decisions, l.Now()) })
	return jobs, gathered, nil
}

// Rollback changes the decisions and brings the clouds to what follows, all of them or
// none: where a gate refuses or a cloud cannot be looked at, nothing is stored and
// nothing is done. A crash after that leaves the rest to the next reconcile.
func (c *Controller) Rollback(ctx context.Context, r Rollback) (Report, error) {
	c.Command = "rollback"
	jobs, gathered, err := c.lookAfter(ctx, r, func(jobs []*job) {
		for i, j := range jobs {
			j.account = c.Accounts[i]
		}
	})
	if err != nil {
		return Report{}, err
	}
	if refused(jobs) || failure(jobs) != nil {
		return c.finish(gathered, jobs, ""), failure(jobs)
	}
	recovered, err := c.recover(ctx, jobs)
	if err != nil {
		return c.finish(gathered, jobs, recovered), err
	}
	if c.Approve != nil && (pending(jobs) || len(r.Changes) > 0) {
		if yes, err := c.Approve(c.finish(gathered, jobs, recovered)); err != nil || !yes {
			return c.finish(gathered, jobs, recovered), err
		}
	}
	if _, err := c.Ledger.TakeIn(ctx, ledger.Intake{Decisions: r.Changes}); err != nil {
		return c.finish(gathered, jobs, recovered), fmt.Errorf("storing the decisions: %w", err)
	}
	if err := c.keepLapsed(ctx, jobs); err != nil {
		return c.finish(gathered, jobs, recovered), err
	}
	c.execute(ctx, jobs)
	return c.finish(gathered, jobs, recovered), errors.Join(failure(jobs), c.expire(ctx, jobs))
}

// still reports whether the decisions are as they were when a saved rollback was looked
// at: the same changes follow.
func (r Rollback) still(known, changes []ledger.Decision) bool {
	again := decide.Rollback(known, r.To, r.At, r.By).Changes
	sortDecisions(again)
	now, err1 := json.Marshal(again)
	then, err2 := json.Marshal(changes)
	return err1 == nil && err2 == nil && string(now) == string(then)
}

// entering are decisions of a plan file as they enter the ledger now.
func entering(decisions []ledger.Decision, reviewed, now time.Time) []ledger.Decision {
	now = now.UTC()
	decisions = slices.Clone(decisions)
	for i := range decisions {
		d := &decisions[i]
		if d.ID == 0 {
			d.MadeAt = now
		}
		if d.RevokedAt.Equal(reviewed) && !reviewed.IsZero() {
			d.RevokedAt = now
		}
	}
	return decisions
}
