package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"fwsync/ledger"
	"fwsync/sync/plan"
)

// FileSchema is the version of the plan file.
const FileSchema = "fwsync.planfile/v1"

// PlanFile is a plan that a person reviewed, with the decisions that it enforces
// and that are not in the ledger yet. It is bound to the world it saw: owner, cloud,
// policies and every object read (promise P8).
type PlanFile struct {
	Schema    string            `json:"schema"`
	Cloud     string            `json:"cloud"`
	Plan      plan.Plan         `json:"plan"`
	Decisions []ledger.Decision `json:"decisions"`
}

// Write writes the file's JSON form.
func (f PlanFile) Write(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(f)
}

// ReadPlanFile reads a plan file strictly.
func ReadPlanFile(r io.Reader) (PlanFile, error) {
	var f PlanFile
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	if err := dec.Decode(&f); err != nil {
		return f, fmt.Errorf("this is not a plan file: %w", err)
	}
	switch {
	case f.Schema != FileSchema:
		return f, fmt.Errorf("the plan file has schema %q, this fwsync reads %q", f.Schema, FileSchema)
	case f.Plan.Schema != plan.Schema:
		return f, fmt.Errorf("the plan has schema %q, this fwsync reads %q", f.Plan.Schema, plan.Schema)
	case !f.Plan.Intact():
		return f, errors.New("the plan file was edited: its content does not match its id")
	}
	return f, nil
}

// Stale is the error of a plan file that no longer fits the world. Nothing was done.
type Stale struct{ Reason string }

func (e *Stale) Error() string { return "the plan file does not fit any more: " + e.Reason }

// Hint says what to do about it.
func (e *Stale) Hint() string { return "make a new one: fwsync plan --out FILE" }

// ApplyFile executes exactly the plan of the file, or nothing. The decisions of the
// file enter the ledger first.
func (c *Controller) ApplyFile(ctx context.Context, f PlanFile) (Report, error) {
	now := c.Now()
	switch p := f.Plan; {
	case p.Owner != c.Owner:
		return Report{}, &Stale{fmt.Sprintf("it is of owner %q, the configuration's is %q", p.Owner, c.Owner)}
	case f.Cloud != c.CloudName:
		return Report{}, &Stale{fmt.Sprintf("it is for %s, the configuration names %s", f.Cloud, c.CloudName)}
	case now.After(p.ExpiresAt):
		return Report{}, &Stale{fmt.Sprintf("it expired at %s", p.ExpiresAt.Format(time.RFC3339))}
	case p.PolicyHash != c.Policy.Hash():
		return Report{}, &Stale{"the policies have changed since"}
	}
	live, err := c.Cloud.Observe(ctx, c.scope())
	if err != nil {
		return Report{}, fmt.Errorf("observing the cloud: %w", err)
	}
	if live.Fingerprint() != f.Plan.Live {
		return Report{}, &Stale{"the cloud has changed since"}
	}
	known, err := c.Ledger.Decisions(ctx, time.Time{})
	if err != nil {
		return Report{}, fmt.Errorf("reading the decisions: %w", err)
	}
	fresh := onlyNew(known, f.Decisions)
	// The plan is worked out once more, at the time of the file: the same policies,
	// decisions and live state must give the same steps, or something else changed.
	at := c.Now
	c.Now = func() time.Time { return f.Plan.CreatedAt }
	outlook, err := c.outlook(ctx, merge(known, fresh))
	c.Now = at
	if err != nil {
		return Report{}, err
	}
	if outlook.Plan.ID != f.Plan.ID {
		return Report{}, &Stale{"the decisions have changed since"}
	}
	first, err := c.Ledger.UsePlan(ctx, ledger.AppliedPlan{ID: f.Plan.ID, StartedAt: now.UTC(), Author: c.Author, Steps: len(f.Plan.Steps)})
	if err != nil {
		return Report{}, fmt.Errorf("recording the plan: %w", err)
	}
	if !first {
		return Report{}, &Stale{"it has been applied before"}
	}
	stored, err := c.Ledger.TakeIn(ctx, ledger.Intake{Decisions: fresh})
	if err != nil {
		return Report{}, fmt.Errorf("storing the plan's decisions: %w", err)
	}
	return c.execute(ctx, c.report("apply", Gathered{Intake: ledger.Intake{Decisions: stored}}, outlook), outlook)
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
