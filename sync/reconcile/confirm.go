package reconcile

import (
	"context"
	"fmt"
	"slices"

	"fwsync/cloudfw"
	"fwsync/sync/gates"
	"fwsync/sync/verify"
)

// confirm verifies the intent against the cloud as it is now.
func (l *Look) confirm(ctx context.Context, o Outlook) (verify.Report, error) {
	if !o.Plan.Changes() {
		return l.check(o.Intent, o.Live)
	}
	return l.verified(ctx, o.Intent)
}

// scope is what must be observed for the policies' targets.
func (l *Look) scope() cloudfw.Scope {
	var groups []string
	for _, t := range l.Policy.Targets {
		if t.Kind == cloudfw.SecurityGroupTarget && !slices.Contains(groups, t.GroupID) {
			groups = append(groups, t.GroupID)
		}
	}
	return cloudfw.Scope{Groups: groups}
}

// report puts together what is known before anything is applied.
func (l *Look) report(command string, g Gathered, o Outlook) Report {
	r := Report{
		Schema: Schema, Command: command, At: l.Now().UTC(), Owner: l.Owner, Cloud: l.CloudName,
		Sources: g.Sources, Detections: g.Detections, Exempted: o.Exempted, Plan: o.Plan, Refusals: o.Refusals,
		Calls: []Call{},
	}
	if r.Refusals == nil {
		r.Refusals = []gates.Refusal{}
	}
	if r.Sources == nil {
		r.Sources = []SourceReport{}
	}
	if r.Detections == nil {
		r.Detections = []DetectionReport{}
	}
	r.Decisions.Active = len(o.Intent.Blocked)
	for _, d := range g.Intake.Decisions {
		if g.fresh(d.ID) {
			r.Decisions.New++
		} else {
			r.Decisions.Prolonged++
		}
	}
	for _, s := range g.Sources {
		r.Summary.Lines += s.Lines
		r.Summary.Signals += s.Signals
	}
	r.Summary.Detections = len(g.Detections)
	r.Summary.Decisions = r.Decisions.Active
	r.Summary.Steps = len(o.Plan.Steps)
	return r
}

// fresh reports whether a decision was new in this pass: before it was stored it
// had no id.
func (g Gathered) fresh(id int64) bool { return id == 0 || !slices.Contains(g.prolonged, id) }

// counted fills in the calls and the gaps.
func (l *Look) counted(r Report) Report {
	traffic := l.Traffic()
	r.Summary.Reads, r.Summary.Writes = traffic.Reads, traffic.Writes
	r.Calls = l.Calls()
	if r.Verification != nil {
		r.Summary.Gaps = len(r.Verification.Gaps)
	}
	return r
}

// Sick names the sources that cannot be believed.
func (r Report) Sick() []string {
	var sick []string
	for _, s := range r.Sources {
		if !s.Health.OK {
			note := "unhealthy"
			if len(s.Health.Notes) > 0 {
				note = s.Health.Notes[0]
			}
			sick = append(sick, fmt.Sprintf("%s: %s", s.Name, note))
		}
	}
	return sick
}
