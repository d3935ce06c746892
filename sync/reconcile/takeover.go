package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"fwsync/cloudfw"
	"fwsync/sync/plan"
)

// Takeover plans to adopt or to release, everything that there is or only the objects
// of these ids or names; nothing is changed. The intent is what the policies and the
// ledger say; no source is read. A name that no cloud has anything for is an error.
func (l *Look) Takeover(ctx context.Context, kind plan.Kind, only []string) (Report, error) {
	decisions, err := l.Ledger.Decisions(ctx, time.Time{})
	if err != nil {
		return Report{}, fmt.Errorf("reading the decisions: %w", err)
	}
	only = slices.Compact(slices.Sorted(slices.Values(only)))
	jobs := l.jobs(nil)
	together(jobs, func(j *job) error {
		j.kind, j.only = kind, only
		return j.look(ctx, decisions, l.Now())
	})
	if err := failure(jobs); err != nil {
		return l.report(string(kind), Gathered{}, jobs), err
	}
	for _, name := range only {
		if !slices.ContainsFunc(jobs, func(j *job) bool { return j.outlook.Plan.Reaches(name) }) {
			return Report{}, unmet(kind, name, jobs)
		}
	}
	return l.report(string(kind), Gathered{}, jobs), nil
}

// Unmet is the error of a name that nothing can be adopted or released by.
type Unmet struct {
	Name string
	Kind plan.Kind
	Note string // what is known of it
}

func (e *Unmet) Error() string {
	if e.Note != "" {
		return fmt.Sprintf("%q cannot be adopted: %s", e.Name, e.Note)
	}
	if e.Kind == plan.Release {
		return fmt.Sprintf("%q is no object of ours that was looked at", e.Name)
	}
	return fmt.Sprintf("%q is nothing that could be adopted", e.Name)
}

// Hint says what to do about it.
func (e *Unmet) Hint() string {
	if e.Kind == plan.Release {
		return "fwsync release --all shows all that is ours, with its ids"
	}
	return "fwsync adopt without names shows all that fits, with its ids, and what nearly fits"
}

func unmet(kind plan.Kind, name string, jobs []*job) error {
	e := &Unmet{Name: name, Kind: kind}
	for _, j := range jobs {
		for _, note := range j.outlook.Plan.Notes {
			if e.Note == "" && kind == plan.Adopt && strings.Contains(note, name) {
				e.Note = note
			}
		}
	}
	return e
}

// released reads the cloud back after a release or a lift. What was asked for is that the
// objects are not ours any more, or gone, so the intent is not what to verify.
func (j *job) released(ctx context.Context) error {
	if !j.outlook.Plan.Changes() {
		return nil
	}
	live, err := j.Reader.Observe(ctx, j.policy.Scope())
	if err != nil {
		return fmt.Errorf("reading the cloud back: %w", err)
	}
	for i, s := range j.outlook.Plan.Steps {
		if !cloudfw.Done(s, live) && j.report.Applied != nil && i < j.report.Applied.Done {
			return fmt.Errorf("the cloud was read back and does not show step %d (%s %s)", i+1, s.Op, s.Subject())
		}
	}
	return nil
}
