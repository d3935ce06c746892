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
const FileSchema = "fwsync.planfile/v2"

// PlanFile is what a person reviewed: a plan for each cloud, and the decisions that
// they enforce and that are not in the ledger yet. It is bound to the world it saw:
// owner, clouds, policies and every object read (promise P8).
type PlanFile struct {
	Schema    string            `json:"schema"`
	Plans     []CloudPlan       `json:"plans"`
	Decisions []ledger.Decision `json:"decisions"`
}

// CloudPlan is the plan for one cloud.
type CloudPlan struct {
	Cloud string    `json:"cloud"` // its title
	Plan  plan.Plan `json:"plan"`
}

// File makes the plan file of a report without failures.
func (r Report) File(fresh []ledger.Decision) PlanFile {
	f := PlanFile{Schema: FileSchema, Decisions: fresh}
	for _, c := range r.Each() {
		f.Plans = append(f.Plans, CloudPlan{c.Cloud, c.Plan})
	}
	return f
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
	if f.Schema != FileSchema {
		return f, fmt.Errorf("the plan file has schema %q, this fwsync reads %q", f.Schema, FileSchema)
	}
	if len(f.Plans) == 0 {
		return f, errors.New("the plan file holds no plan")
	}
	for _, p := range f.Plans {
		switch {
		case p.Plan.Schema != plan.Schema:
			return f, fmt.Errorf("the plan has schema %q, this fwsync reads %q", p.Plan.Schema, plan.Schema)
		case !p.Plan.Intact():
			return f, errors.New("the plan file was edited: its content does not match its id")
		}
	}
	return f, nil
}

// Stale is the error of a plan file that no longer fits the world. Nothing was done.
type Stale struct{ Reason string }

func (e *Stale) Error() string { return "the plan file does not fit any more: " + e.Reason }

// Hint says what to do about it.
func (e *Stale) Hint() string { return "make a new one: fwsync plan --out FILE" }

// ApplyFile executes exactly the plans of the file, or nothing: every cloud is looked
// at before the first one is touched. The decisions of the file enter the ledger
// first.
func (c *Controller) ApplyFile(ctx context.Context, f PlanFile) (Report, error) {
	if err := c.fits(f); err != nil {
		return Report{}, err
	}
	known, err := c.Ledger.Decisions(ctx, time.Time{})
	if err != nil {
		return Report{}, fmt.Errorf("reading the decisions: %w", err)
	}
	fresh := onlyNew(known, f.Decisions)
	jobs := c.jobs(c.Accounts)
	for i, j := range jobs {
		wanted := f.Plans[i].Plan
		// The plan is worked out once more, at the time of the file: the same policies,
		// decisions and live state must give the same steps, or something else changed.
		if err := j.look(ctx, merge(known, fresh), wanted.CreatedAt); err != nil {
			j.err = err
			return Report{}, failure(jobs)
		}
		switch {
		case j.outlook.Plan.Live != wanted.Live:
			return Report{}, &Stale{"the cloud has changed since"}
		case j.outlook.Plan.ID != wanted.ID:
			return Report{}, &Stale{"the decisions have changed since"}
		}
	}
	for i, p := range f.Plans {
		first, err := c.Ledger.UsePlan(ctx, ledger.AppliedPlan{ID: p.Plan.ID, StartedAt: c.Now().UTC(), Author: c.Author, Steps: len(p.Plan.Steps)})
		if err != nil {
			return Report{}, fmt.Errorf("recording the plan: %w", err)
		}
		if !first && i == 0 {
			return Report{}, &Stale{"it has been applied before"}
		}
	}
	stored, err := c.Ledger.TakeIn(ctx, ledger.Intake{Decisions: fresh})
	if err != nil {
		return Report{}, fmt.Errorf("storing the plan's decisions: %w", err)
	}
	c.Command = "apply"
	c.execute(ctx, jobs)
	return c.finish(Gathered{Intake: ledger.Intake{Decisions: stored}}, jobs, ""), failure(jobs)
}

// fits refuses a file that is of another installation or another time.
func (c *Controller) fits(f PlanFile) error {
	if len(f.Plans) != len(c.Clouds) {
		return &Stale{fmt.Sprintf("it is for %d clouds, the configuration names %d", len(f.Plans), len(c.Clouds))}
	}
	for i, cp := range f.Plans {
		switch p := cp.Plan; {
		case p.Owner != c.Owner:
			return &Stale{fmt.Sprintf("it is of owner %q, the configuration's is %q", p.Owner, c.Owner)}
		case cp.Cloud != c.Clouds[i].Title:
			return &Stale{fmt.Sprintf("it is for %s, the configuration names %s", cp.Cloud, c.Clouds[i].Title)}
		case c.Now().After(p.ExpiresAt):
			return &Stale{fmt.Sprintf("it expired at %s", p.ExpiresAt.Format(time.RFC3339))}
		case p.PolicyHash != c.Policy.Hash():
			return &Stale{"the policies have changed since"}
		}
	}
	return nil
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
