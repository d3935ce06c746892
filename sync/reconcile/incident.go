package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"fwsync/cloudfw"
	"fwsync/cloudfw/lower"
	"fwsync/ledger"
	"fwsync/sync/plan"
	"fwsync/sync/verify"
)

// IncidentError is the error of a command about an incident that cannot be carried out.
// Nothing was done.
type IncidentError struct{ Reason, Advice string }

func (e *IncidentError) Error() string { return e.Reason }

// Hint says what to do about it.
func (e *IncidentError) Hint() string { return e.Advice }

// running are the incidents whose rules must be in force, the latest start first.
func (l *Look) running(ctx context.Context, now time.Time) ([]ledger.Incident, error) {
	all, err := l.Ledger.Incidents(ctx, now)
	if err != nil {
		return nil, fmt.Errorf("reading the incidents: %w", err)
	}
	if p := l.pretend; p != nil {
		all = slices.DeleteFunc(all, func(i ledger.Incident) bool { return i.Name == p.Name })
		all = append(all, *p)
	}
	all = slices.DeleteFunc(all, func(i ledger.Incident) bool { return !i.ActiveAt(now) })
	slices.SortStableFunc(all, func(a, b ledger.Incident) int { return b.StartedAt.Compare(a.StartedAt) })
	return all, nil
}

// overlaid puts the incidents' rules above the declared ones.
func overlaid(running []ledger.Incident, rules []cloudfw.Rule) []cloudfw.Rule {
	if len(running) == 0 {
		return rules
	}
	var all []cloudfw.Rule
	for _, i := range running {
		all = append(all, i.Overlay()...)
	}
	return append(all, rules...)
}

// IncidentStart is what a person asks for.
type IncidentStart struct {
	Name      string
	For       time.Duration
	Reason    string
	Permanent bool // the rules get no end of their own at the firewall
}

// StartIncident lays the declared incident's rules above all others and changes nothing
// else: no source is read, and what else is pending stays so. It is in the ledger before
// the first step, so that a start that was killed, or that could not reach a cloud, is
// finished by another one, or by a reconcile. A firewall that refuses rules with an end
// gets them without.
func (c *Controller) StartIncident(ctx context.Context, s IncidentStart) (IncidentReport, error) {
	c.Command = "incident start"
	declared, ok := c.Policy.Incident(s.Name)
	if !ok {
		return IncidentReport{}, c.undeclared(s.Name)
	}
	now := c.Now().UTC()
	if s.For <= 0 {
		return IncidentReport{}, &IncidentError{"an incident has an end: for how long?", "fwsync incident start " + s.Name + " --for 2h"}
	}
	known, there, err := c.incident(ctx, s.Name)
	if err != nil {
		return IncidentReport{}, err
	}
	switch {
	case there && known.EndedAt.IsZero() && !now.Before(known.Until):
		// Nobody has looked since it was over. Its rules are for the next reconcile.
		if err := c.end(ctx, &known, ledger.Expired, "fwsync", now); err != nil {
			return IncidentReport{}, err
		}
	case there && known.EndedAt.IsZero() && known.LiveAt.IsZero():
		report, err := c.lay(ctx, known, known, c.Ledger.KeepIncident)
		report.Notes = append(report.Notes, fmt.Sprintf("an earlier start, of %s, was not finished: this one went on with it", clock(known.StartedAt)))
		return report, err
	case there && known.EndedAt.IsZero():
		return IncidentReport{}, &IncidentError{
			fmt.Sprintf("incident %s is running since %s, until %s (started by %s: %s)", s.Name, clock(known.StartedAt), clock(known.Until), known.Author, known.Reason),
			"to go on for longer: fwsync incident extend " + s.Name + " --for 2h",
		}
	}
	return c.lay(ctx, ledger.Incident{Name: s.Name, Summary: declared.Summary}, ledger.Incident{
		Name: s.Name, Summary: declared.Summary, StartedAt: now, Until: now.Add(s.For), Author: c.Author, Reason: s.Reason,
		Rules: declared.Rules, Permanent: s.Permanent,
	}, func(ctx context.Context, i ledger.Incident) error {
		_, err := c.Ledger.StartIncident(ctx, i)
		return err
	})
}

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

// undeclared is the error of a name that the policies do not know.
func (l *Look) undeclared(name string) error {
	var names []string
	for _, i := range l.Policy.Incidents {
		names = append(names, i.Name)
	}
	if len(names) == 0 {
		return &IncidentError{"no incident is declared", "declare some under incidents: in the policies (docs/incidents.md)"}
	}
	return &IncidentError{fmt.Sprintf("there is no incident %q", name), "declared are: " + strings.Join(names, ", ")}
}

// incident is the newest of a name, whether it has ended or not.
func (l *Look) incident(ctx context.Context, name string) (ledger.Incident, bool, error) {
	all, err := l.Ledger.Incidents(ctx, time.Time{})
	if err != nil {
		return ledger.Incident{}, false, fmt.Errorf("reading the incidents: %w", err)
	}
	for _, i := range slices.Backward(all) {
		if i.Name == name {
			return i, true, nil
		}
	}
	return ledger.Incident{}, false, nil
}

// current is the incident of a name that is running.
func (l *Look) current(ctx context.Context, name string) (ledger.Incident, error) {
	i, there, err := l.incident(ctx, name)
	switch {
	case err != nil:
		return i, err
	case !there:
		return i, &IncidentError{fmt.Sprintf("incident %q was never started", name), "fwsync incident list shows what is declared and what is running"}
	case !i.EndedAt.IsZero():
		return i, &IncidentError{fmt.Sprintf("incident %s is over: %s at %s by %s", name, i.Ending, clock(i.EndedAt), i.EndedBy), "fwsync incident status " + name + " shows what is left of it"}
	}
	return i, nil
}

// ExtendIncident gives a running incident another end, counted from now. The rules that
// bear the firewall's own end get another one, in place.
func (c *Controller) ExtendIncident(ctx context.Context, name string, length time.Duration) (IncidentReport, error) {
	c.Command = "incident extend"
	i, err := c.current(ctx, name)
	if err != nil {
		return IncidentReport{}, err
	}
	now := c.Now().UTC()
	until := now.Add(length)
	switch {
	case !now.Before(i.Until):
		return IncidentReport{}, &IncidentError{fmt.Sprintf("incident %s was over at %s", name, clock(i.Until)), "start it again: fwsync incident start " + name}
	case !until.After(i.Until):
		return IncidentReport{}, &IncidentError{
			fmt.Sprintf("that would be until %s, and it goes on until %s already", clock(until), clock(i.Until)),
			"fwsync incident stop " + name + " ends it before its time",
		}
	}
	was := i
	i.Until = until
	return c.lay(ctx, was, i, c.Ledger.KeepIncident)
}

// lay brings an incident's rules into the clouds. keep puts it into the ledger once all
// have been looked at and a person has agreed; until then it is as it was.
func (c *Controller) lay(ctx context.Context, was, i ledger.Incident, keep func(context.Context, ledger.Incident) error) (IncidentReport, error) {
	report, jobs, err := c.tryLay(ctx, was, &i, keep)
	if !i.Permanent && slices.ContainsFunc(jobs, func(j *job) bool { _, refused := endRefused(j); return refused }) {
		i.Permanent = true
		c.Approve = nil // what was agreed to, with less
		if i, _, err = c.incidentAs(ctx, i); err != nil {
			return report, err
		}
		report, _, err = c.tryLay(ctx, i, &i, c.Ledger.KeepIncident)
		report.Notes = append(report.Notes, "the firewall refused rules with an end time: they have none, and stay until fwsync takes them away")
	}
	return report, err
}

// incidentAs is an incident with the id that the ledger has given it.
func (l *Look) incidentAs(ctx context.Context, i ledger.Incident) (ledger.Incident, bool, error) {
	stored, there, err := l.incident(ctx, i.Name)
	i.ID = stored.ID
	return i, there, err
}

// endRefused says which rule with an end a firewall took for a wrong call.
func endRefused(j *job) (*cloudfw.FirewallRule, bool) {
	done := 0
	if j.report.Applied != nil {
		done = j.report.Applied.Done
	}
	if !errors.Is(j.err, cloudfw.Invalid) || done >= len(j.outlook.Plan.Steps) {
		return nil, false
	}
	s := j.outlook.Plan.Steps[done]
	return s.Rule, (s.Op == cloudfw.InsertRule || s.Op == cloudfw.EditRule) && !s.Rule.Validity.Permanent()
}

func (c *Controller) tryLay(ctx context.Context, was ledger.Incident, i *ledger.Incident, keep func(context.Context, ledger.Incident) error) (IncidentReport, []*job, error) {
	c.pretend = i
	defer func() { c.pretend = nil }()
	jobs, recovered, agreed, err := c.lookFor(ctx, func(j *job) { j.kind, j.overlay = plan.Overlay, i.Overlay() })
	if err != nil || !agreed {
		return c.incidentReport(was, jobs, recovered), jobs, err
	}
	for _, j := range jobs {
		if j.err == nil {
			i.Made, i.Plans = made(i.Made, j), append(i.Plans, j.outlook.Plan.ID)
		}
	}
	i.LiveAt = time.Time{}
	if err := keep(ctx, *i); err != nil {
		return c.incidentReport(was, jobs, recovered), jobs, err
	}
	c.execute(ctx, jobs)
	err = failure(jobs)
	if err == nil && !slices.ContainsFunc(jobs, func(j *job) bool { return len(j.report.Verification.Gaps) > 0 }) {
		i.LiveAt = c.Now().UTC()
		for _, j := range jobs {
			identify(i.Made, j.Name, j.outlook.Live)
		}
		stored, _, readErr := c.incidentAs(context.WithoutCancel(ctx), *i)
		*i = stored
		if err = readErr; err == nil {
			err = c.Ledger.KeepIncident(context.WithoutCancel(ctx), *i)
		}
	}
	return c.incidentReport(*i, jobs, recovered), jobs, err
}

// lookFor looks at every cloud with jobs of one kind, and asks whether to go on. It is
// not agreed when a gate refuses anywhere or a person does. A cloud that cannot be looked
// at holds up no other; where none can the error says so.
func (c *Controller) lookFor(ctx context.Context, prepare func(*job)) (jobs []*job, recovered string, agreed bool, err error) {
	decisions, err := c.Ledger.Decisions(ctx, time.Time{})
	if err != nil {
		return nil, "", false, fmt.Errorf("reading the decisions: %w", err)
	}
	jobs = c.jobs(c.Accounts)
	together(jobs, func(j *job) error {
		prepare(j)
		return j.look(ctx, decisions, c.Now())
	})
	if refused(jobs) || !slices.ContainsFunc(jobs, func(j *job) bool { return j.err == nil }) {
		return jobs, "", false, failure(jobs)
	}
	if recovered, err = c.recover(ctx, jobs); err != nil {
		return jobs, recovered, false, err
	}
	if c.Approve != nil && pending(jobs) {
		agreed, err = c.Approve(c.finish(Gathered{}, jobs, recovered))
		return jobs, recovered, agreed, err
	}
	return jobs, recovered, true, nil
}

// made adds what a plan will put where nothing was. What an earlier plan has put there
// stays in the list: the end of a rule may be edited, and whichever it bears when the
// incident is undone, it is the incident's.
func made(known []ledger.Made, j *job) []ledger.Made {
	for _, s := range j.outlook.Plan.Steps {
		m := ledger.Made{Cloud: j.Name, Plan: j.outlook.Plan.ID}
		switch s.Op {
		case cloudfw.CreateBook:
			m.Book = s.Book
		case cloudfw.InsertRule, cloudfw.EditRule:
			r := s.Rule.Canonical()
			m.Rule = &r
		default:
			continue
		}
		if !slices.ContainsFunc(known, m.Same) {
			known = append(known, m)
		}
	}
	return known
}

// laid reads the cloud back and checks the incident's own rules. What else is demanded
// and not enforced is for fwsync status.
func (j *job) laid(ctx context.Context) error {
	live := j.outlook.Live
	if j.outlook.Plan.Changes() {
		var err error
		if live, err = j.observe(ctx, j.Now()); err != nil {
			return fmt.Errorf("reading the cloud back: %w", err)
		}
	}
	intent := j.outlook.Intent
	intent.Rules, intent.Blocked = j.overlay, nil
	wanted, err := j.wantedRules(live)
	if err != nil {
		return err
	}
	verified := verify.Check(intent, wanted, live)
	verified.Lookalikes = nil // of what the incident is not about
	j.report.Verification, j.outlook.Live = &verified, live
	return nil
}

// wantedRules are the overlay's, as the planner lays them.
func (j *job) wantedRules(live cloudfw.Snapshot) (lower.Wanted, error) {
	rules, books, err := plan.Laid(plan.Input{Intent: j.outlook.Intent, Live: live, Limits: j.Limits, Overlay: j.overlay})
	wanted := lower.Wanted{Books: books, Rules: map[cloudfw.ListKey][]cloudfw.FirewallRule{}}
	for _, r := range rules {
		wanted.Rules[r.Key()] = append(wanted.Rules[r.Key()], r)
	}
	return wanted, err
}

// end writes the ending into the ledger.
func (c *Controller) end(ctx context.Context, i *ledger.Incident, how ledger.Ending, by string, at time.Time) error {
	i.EndedAt, i.EndedBy, i.Ending = at, by, how
	if err := c.Ledger.KeepIncident(ctx, *i); err != nil {
		return fmt.Errorf("ending incident %s: %w", i.Name, err)
	}
	return nil
}

// expire ends the incidents whose time is over, once a pass has taken their rules away.
func (c *Controller) expire(ctx context.Context, jobs []*job) error {
	if failure(jobs) != nil || refused(jobs) {
		return nil
	}
	now := c.Now().UTC()
	all, err := c.Ledger.Incidents(ctx, now)
	if err != nil {
		return fmt.Errorf("reading the incidents: %w", err)
	}
	for _, i := range all {
		if i.EndedAt.IsZero() && !now.Before(i.Until) {
			if err := c.end(ctx, &i, ledger.Expired, "fwsync", now); err != nil {
				return err
			}
		}
	}
	return nil
}

// nextIncidentEnd is the given time, or the end of an incident if that comes first.
func (l *Look) nextIncidentEnd(ctx context.Context, next time.Time) (time.Time, error) {
	running, err := l.running(ctx, l.Now())
	for _, i := range running {
		if next.IsZero() || i.Until.Before(next) {
			next = i.Until
		}
	}
	return next, err
}

// StopIncident ends an incident before its time. Its rules go the way of all that is
// wanted no longer: by a pass over everything that is pending, without reading a source.
func (c *Controller) StopIncident(ctx context.Context, name string) (IncidentReport, error) {
	c.Command = "incident stop"
	i, err := c.current(ctx, name)
	if err != nil {
		return IncidentReport{}, err
	}
	over := i
	over.EndedAt, over.EndedBy, over.Ending = c.Now().UTC(), c.Author, ledger.Stopped
	c.pretend = &over
	defer func() { c.pretend, c.begin = nil, nil }()
	ended := false
	c.begin = func(ctx context.Context, jobs []*job) error {
		if !slices.ContainsFunc(jobs, func(j *job) bool { return j.err == nil && len(j.outlook.Refusals) == 0 }) {
			return nil // nothing will be done
		}
		for _, j := range jobs {
			if j.err == nil && j.outlook.Plan.Changes() {
				over.Plans = append(over.Plans, j.outlook.Plan.ID)
			}
		}
		ended = true
		return c.Ledger.KeepIncident(ctx, over)
	}
	report, err := c.Enforce(ctx, Gathered{})
	if !ended {
		over = i
	}
	return c.about(over, report), err
}
