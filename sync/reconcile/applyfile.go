package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"fwsync/ledger"
	"fwsync/sync/plan"
)

// Stale is the error of a plan file that does not fit the world. Nothing was done.
type Stale struct {
	Reason string   `json:"reason"`
	Moved  []string `json:"moved,omitempty"` // what is not as it was, a line for each
	advice string
	kind   plan.Kind
	back   bool // it holds a rollback
}

func (e *Stale) Error() string { return "the plan file does not fit any more: " + e.Reason }

// Hint says what to do about it.
func (e *Stale) Hint() string {
	advice := cmp.Or(e.advice, "make a new one: fwsync plan --out FILE")
	switch {
	case e.back:
		return strings.ReplaceAll(advice, "fwsync plan --out FILE", "fwsync rollback TO --out FILE")
	case e.kind == plan.Adopt:
		return strings.ReplaceAll(advice, "fwsync plan --out FILE", "fwsync adopt --out FILE")
	case e.kind == plan.Release:
		return strings.ReplaceAll(advice, "fwsync plan --out FILE", "fwsync release --out FILE, with the same names")
	}
	return advice
}

// ahead is how far two hosts' clocks may be apart.
const ahead = time.Minute

// ApplyFile executes exactly the plans of the file, or nothing: every cloud is looked
// at before the first one is touched. The decisions of the file enter the ledger
// first. A file that does not fit is a *Stale error; what the gates withhold is in the
// report.
func (c *Controller) ApplyFile(ctx context.Context, f PlanFile) (Report, error) {
	report, err := c.applyFile(ctx, f)
	if stale, ok := errors.AsType[*Stale](err); ok && len(f.Plans) > 0 {
		stale.kind, stale.back = f.Plans[0].Plan.Kind, f.Rollback != nil
	}
	return report, err
}

func (c *Controller) applyFile(ctx context.Context, f PlanFile) (Report, error) {
	if err := c.fits(ctx, f); err != nil {
		return Report{}, err
	}
	known, err := c.Ledger.Decisions(ctx, time.Time{})
	if err != nil {
		return Report{}, fmt.Errorf("reading the decisions: %w", err)
	}
	fresh, reviewed := onlyNew(known, f.Decisions), time.Time{}
	c.Command = "apply"
	command := c.Command
	if f.Rollback != nil {
		if !f.Rollback.still(known, f.Decisions) {
			return Report{}, &Stale{Reason: "the decisions have changed since"}
		}
		fresh, reviewed, command = f.Decisions, f.Rollback.At, "rollback"
	}
	jobs := c.jobs(c.Accounts)
	for i, j := range jobs {
		wanted := f.Plans[i]
		j.kind, j.only = wanted.Plan.Kind, wanted.Plan.Only
		// The plan is worked out once more, at the time of the file: the same policies,
		// decisions and live state must give the same steps, or something else changed.
		if err := j.look(ctx, merge(known, fresh), wanted.Plan.CreatedAt); err != nil {
			j.err = err
			return Report{}, failure(jobs)
		}
		switch {
		case j.outlook.Plan.Live != wanted.Plan.Live:
			return Report{}, &Stale{Reason: "the cloud has changed since", Moved: Moved(wanted.Objects, Objects(j.outlook.Live))}
		case j.outlook.Plan.ID != wanted.Plan.ID:
			return Report{}, &Stale{Reason: "the decisions, the protected ranges or the limits have changed since", Moved: otherSteps(wanted.Plan, j.outlook.Plan)}
		}
	}
	if refused(jobs) {
		return c.finish(Gathered{}, jobs, ""), nil
	}
	for i, p := range f.Plans {
		first, err := c.Ledger.UsePlan(ctx, ledger.AppliedPlan{ID: p.Plan.ID, Cloud: c.Clouds[i].Name, StartedAt: c.Now().UTC(), Author: c.Author, Steps: len(p.Plan.Steps), Detail: detailOf(p.Plan, command, jobs[i].outlook.Live)})
		if err != nil {
			return Report{}, fmt.Errorf("recording the plan: %w", err)
		}
		if !first {
			return Report{}, &Stale{Reason: "it has been applied before", advice: "a plan file is used once; make a new one: fwsync plan --out FILE"}
		}
	}
	stored, err := c.Ledger.TakeIn(ctx, ledger.Intake{Decisions: entering(fresh, reviewed, c.Now()), Join: true})
	if err != nil {
		return Report{}, fmt.Errorf("storing the plan's decisions: %w", err)
	}
	if err := c.keepLapsed(ctx, jobs); err != nil {
		return Report{}, err
	}
	c.execute(ctx, jobs)
	return c.finish(Gathered{Intake: ledger.Intake{Decisions: stored}}, jobs, ""), failure(jobs)
}

// refused reports whether a gate withholds something in any cloud. A file is applied
// as a whole or not at all, and one that was refused may be applied later.
func refused(jobs []*job) bool {
	for _, j := range jobs {
		if len(j.outlook.Refusals) > 0 {
			return true
		}
	}
	return false
}

// fits refuses a file that is of another installation or another time, or was used.
func (c *Controller) fits(ctx context.Context, f PlanFile) error {
	if len(f.Plans) != len(c.Clouds) {
		return &Stale{Reason: fmt.Sprintf("it is for %d clouds, the configuration names %d", len(f.Plans), len(c.Clouds))}
	}
	for i, cp := range f.Plans {
		p := cp.Plan
		switch {
		case p.Owner != c.Owner:
			return &Stale{Reason: fmt.Sprintf("it is of owner %q, the configuration's is %q", p.Owner, c.Owner), advice: "apply it where it was made, or make a new one: fwsync plan --out FILE"}
		case cp.Cloud != c.Clouds[i].Title:
			return &Stale{Reason: fmt.Sprintf("it is for %s, the configuration names %s", cp.Cloud, c.Clouds[i].Title), advice: "apply it where it was made, or make a new one: fwsync plan --out FILE"}
		}
		journal, err := c.Ledger.Journal(ctx, p.ID)
		if err != nil {
			return fmt.Errorf("reading the journal: %w", err)
		}
		if len(journal) > 0 {
			return &Stale{
				Reason: fmt.Sprintf("it has been applied before, from %s on, up to step %d of %d", journal[0].At.UTC().Format(time.RFC3339), journal[len(journal)-1].Step, len(p.Steps)),
				advice: "a plan file is used once; make a new one: fwsync plan --out FILE",
			}
		}
		switch now := c.Now(); {
		case now.After(p.ExpiresAt):
			return &Stale{Reason: fmt.Sprintf("it expired at %s", p.ExpiresAt.Format(time.RFC3339))}
		case p.CreatedAt.After(now.Add(ahead)):
			return &Stale{Reason: fmt.Sprintf("it was made at %s, which is yet to come", p.CreatedAt.Format(time.RFC3339)), advice: "compare the clocks of the two hosts, then make a new one: fwsync plan --out FILE"}
		case p.PolicyHash != c.Policy.Hash():
			return &Stale{Reason: "the policies have changed since"}
		}
		account, err := c.Clouds[i].account(ctx)
		if err != nil {
			return err
		}
		if account != cp.Account {
			return &Stale{Reason: fmt.Sprintf("it is for account %s, these credentials are of account %s", orUnknown(cp.Account), orUnknown(account)), advice: "use the credentials of the account that it was made for"}
		}
	}
	return nil
}

func orUnknown(account string) string {
	if account == "" {
		return "unknown"
	}
	return account
}

// onlyNew leaves out decisions that entered the ledger in another way meanwhile.
func onlyNew(known, wanted []ledger.Decision) []ledger.Decision {
	type key struct {
		prefix, rule string
		start        int64
	}
	have := map[key]bool{}
	for _, d := range known {
		have[key{d.Prefix.String(), d.Rule, d.Start.UnixMilli()}] = true
	}
	var fresh []ledger.Decision
	for _, d := range wanted {
		if d.ID != 0 || !have[key{d.Prefix.String(), d.Rule, d.Start.UnixMilli()}] {
			fresh = append(fresh, d)
		}
	}
	return fresh
}
