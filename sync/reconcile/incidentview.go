package reconcile

import (
	"context"
	"fmt"
	"slices"
	"time"

	"fwsync/cloudfw"
	"fwsync/ledger"
	"fwsync/sync/plan"
	"fwsync/sync/verify"
)

// IncidentSchema is the version of IncidentReport's JSON form.
const IncidentSchema = "fwsync.incident/v1"

// IncidentReport is what the commands about incidents answer.
type IncidentReport struct {
	Schema    string         `json:"schema"`
	Command   string         `json:"command"`
	At        time.Time      `json:"at"`
	Owner     cloudfw.Owner  `json:"owner"`
	Incidents []IncidentView `json:"incidents"`
	// The time until the firewall does what was asked for: what the calls take, and what
	// the vendor's engine takes after them.
	CallsSeconds  float64  `json:"calls_seconds"`
	EngineSeconds float64  `json:"engine_seconds"`
	Notes         []string `json:"notes,omitempty"`
	*Report       `json:"report,omitempty"`
}

// IncidentView is one incident as it is now.
type IncidentView struct {
	Name        string        `json:"name"`
	Summary     string        `json:"summary,omitempty"`
	State       IncidentState `json:"state"`
	Reason      string        `json:"reason,omitempty"`
	Author      string        `json:"author,omitempty"`
	StartedAt   time.Time     `json:"started_at,omitzero"`
	Until       time.Time     `json:"until,omitzero"`
	Remaining   int64         `json:"remaining_seconds"`
	FirewallEnd time.Time     `json:"firewall_end,omitzero"` // when the firewall itself ends the rules
	EndedAt     time.Time     `json:"ended_at,omitzero"`
	EndedBy     string        `json:"ended_by,omitempty"`
	Plans       []string      `json:"plans,omitempty"`
	Objects     []IncidentPut `json:"objects,omitempty"`
	Gaps        []verify.Gap  `json:"gaps,omitempty"` // of its own rules
}

// IncidentState is where an incident stands.
type IncidentState string

// The states. The others are how it ended.
const (
	IncidentDeclared IncidentState = "declared" // never started
	IncidentStarting IncidentState = "starting" // its start was not finished
	IncidentRunning  IncidentState = "running"
	IncidentOver     IncidentState = "over" // its time is over, its rules are for the next reconcile
)

// IncidentPut is one object that an incident put into a cloud.
type IncidentPut struct {
	Cloud  string `json:"cloud,omitempty"` // absent with a single cloud
	Object string `json:"object"`
	State  string `json:"state"` // live, lapsed, changed or gone
	Order  int    `json:"order,omitempty"`
	ID     string `json:"id,omitempty"`
}

func stateOf(i ledger.Incident, now time.Time) IncidentState {
	switch {
	case i.StartedAt.IsZero():
		return IncidentDeclared
	case !i.EndedAt.IsZero():
		return IncidentState(i.Ending)
	case !now.Before(i.Until):
		return IncidentOver
	case i.LiveAt.IsZero():
		return IncidentStarting
	}
	return IncidentRunning
}

func viewOf(i ledger.Incident, now time.Time) IncidentView {
	v := IncidentView{
		Name: i.Name, Summary: i.Summary, State: stateOf(i, now), Reason: i.Reason, Author: i.Author, StartedAt: i.StartedAt, Until: i.Until,
		EndedAt: i.EndedAt, EndedBy: i.EndedBy, Plans: i.Plans,
	}
	if !i.Permanent && !i.StartedAt.IsZero() {
		v.FirewallEnd = cloudfw.Lapsing(i.StartedAt, i.Until).End
	}
	if i.ActiveAt(now) {
		v.Remaining = int64(i.Until.Sub(now).Seconds())
	}
	return v
}

// about is the answer of a command about one incident.
func (l *Look) about(i ledger.Incident, r Report) IncidentReport {
	answer := IncidentReport{Schema: IncidentSchema, Command: r.Command, At: l.Now().UTC(), Owner: l.Owner, Incidents: []IncidentView{viewOf(i, l.Now())}}
	if r.Schema != "" {
		answer.Report = &r
	}
	for _, c := range r.Each() {
		answer.CallsSeconds = max(answer.CallsSeconds, c.Plan.Calls.Seconds)
	}
	if r.Changes() {
		answer.EngineSeconds = verify.EngineDelay.Seconds()
	}
	return answer
}

// incidentReport is the answer of a command that laid or lifted one incident.
func (c *Controller) incidentReport(i ledger.Incident, jobs []*job, recovered string) IncidentReport {
	r := c.about(i, c.finish(Gathered{}, jobs, recovered))
	v := &r.Incidents[0]
	for _, j := range jobs {
		if j.kind == plan.Overlay && j.report.Verification != nil {
			v.Objects = append(v.Objects, put(i, j.Name, j.outlook.Live)...)
			v.Gaps = append(v.Gaps, j.report.Verification.Gaps...)
		}
	}
	return r
}

// Incidents are those that are declared and those that were started, the newest of each
// name; nothing is asked of a cloud.
func (l *Look) Incidents(ctx context.Context) (IncidentReport, error) {
	r := IncidentReport{Schema: IncidentSchema, Command: "incident list", At: l.Now().UTC(), Owner: l.Owner, Incidents: []IncidentView{}}
	started, err := l.Ledger.Incidents(ctx, time.Time{})
	if err != nil {
		return r, fmt.Errorf("reading the incidents: %w", err)
	}
	seen := map[string]bool{}
	for _, i := range slices.Backward(started) {
		if !seen[i.Name] {
			seen[i.Name] = true
			r.Incidents = append(r.Incidents, viewOf(i, l.Now()))
		}
	}
	for _, i := range l.Policy.Incidents {
		if !seen[i.Name] {
			r.Incidents = append(r.Incidents, IncidentView{Name: i.Name, Summary: i.Summary, State: IncidentDeclared})
		}
	}
	return r, nil
}

// IncidentStatus says of the running incidents, or of the newest of a name, what they
// put into the clouds and what has become of it. The error tells which clouds could not
// be looked at.
func (l *Look) IncidentStatus(ctx context.Context, name string) (IncidentReport, error) {
	r := IncidentReport{Schema: IncidentSchema, Command: "incident status", At: l.Now().UTC(), Owner: l.Owner, Incidents: []IncidentView{}}
	now := l.Now()
	all, err := l.running(ctx, now)
	if name != "" {
		var i ledger.Incident
		var there bool
		if i, there, err = l.incident(ctx, name); err == nil && !there {
			if _, declared := l.Policy.Incident(name); !declared {
				return r, l.undeclared(name)
			}
			return r, &IncidentError{fmt.Sprintf("incident %s was never started", name), "fwsync incident start " + name + " --for 2h --reason TEXT"}
		}
		all = []ledger.Incident{i}
	}
	if err != nil || len(all) == 0 {
		return r, err
	}
	decisions, err := l.Ledger.Decisions(ctx, time.Time{})
	if err != nil {
		return r, fmt.Errorf("reading the decisions: %w", err)
	}
	jobs := l.jobs(nil)
	together(jobs, func(j *job) error {
		if err := j.look(ctx, decisions, now); err != nil {
			return err
		}
		return j.check(j.outlook.Live)
	})
	for _, i := range all {
		v := viewOf(i, now)
		for _, j := range jobs {
			if j.err != nil {
				continue
			}
			v.Objects = append(v.Objects, put(i, j.Name, j.outlook.Live)...)
			if i.ActiveAt(now) {
				gaps, err := j.gapsOf(i)
				if err != nil {
					return r, err
				}
				v.Gaps = append(v.Gaps, gaps...)
			}
		}
		r.Incidents = append(r.Incidents, v)
	}
	return r, failure(jobs)
}

// gapsOf are the gaps that are about an incident's own rules.
func (j *job) gapsOf(i ledger.Incident) ([]verify.Gap, error) {
	j.overlay = i.Overlay()
	wanted, err := j.wantedRules(j.outlook.Live)
	if err != nil {
		return nil, err
	}
	own := map[string]bool{}
	for _, rules := range wanted.Rules {
		for _, r := range rules {
			own[r.Description] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(j.report.Verification.Gaps), func(g verify.Gap) bool { return !own[g.Subject] }), nil
}

// put says what became of what an incident put into one cloud. Of a rule whose end was
// edited only the latest version is told.
func put(i ledger.Incident, cloud string, live cloudfw.Snapshot) []IncidentPut {
	var all []IncidentPut
	told := map[string]bool{}
	for _, m := range slices.Backward(i.Made) {
		if m.Cloud != cloud {
			continue
		}
		p := IncidentPut{Cloud: cloud, State: "gone"}
		if m.Book != nil {
			p.Object = "book " + m.Book.Name
			if b, there := live.Book(m.Book.Name); there {
				p.ID, p.State = b.ID, "live"
				if !slices.Equal(b.Prefixes, m.Book.Prefixes) || b.Description != m.Book.Description {
					p.State = "changed"
				}
			}
			all = append(all, p)
			continue
		}
		p.Object, p.ID = "rule "+m.Rule.String(), m.Rule.ID
		for _, r := range live.Rules {
			switch same := r.Same(*m.Rule); {
			case same && r.Validity.Lapsed(live.TakenAt):
				p.State = "lapsed"
			case same:
				p.State = "live"
			case r.ID == m.Rule.ID || r.Description == m.Rule.Description:
				p.State = "changed"
			default:
				continue
			}
			p.Order, p.ID = r.Order, r.ID
		}
		if p.ID != "" && told[p.ID] {
			continue
		}
		told[p.ID] = true
		all = append(all, p)
	}
	slices.Reverse(all)
	return all
}
