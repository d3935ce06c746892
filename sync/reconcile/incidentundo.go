package reconcile

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"fwsync/cloudfw"
	"fwsync/ledger"
	"fwsync/sync/plan"
)

// beforeImage is the gate of an undo: what it would take away must be as it was put there.
const beforeImage = "before-image"

// UndoIncident takes away just what an incident put into the clouds, so that they are as
// they were before its start but for what others have done since. What is gone already is
// as it was before. If an object is not as the incident left it, nothing is done: the
// refusal says which, how it was changed, and whether fwsync did that. An undo that was
// killed is finished by another one, or by a reconcile.
func (c *Controller) UndoIncident(ctx context.Context, name string) (IncidentReport, error) {
	c.Command = "incident undo"
	i, there, err := c.incident(ctx, name)
	switch {
	case err != nil:
		return IncidentReport{}, err
	case !there:
		return IncidentReport{}, &IncidentError{fmt.Sprintf("incident %q was never started", name), "fwsync incident list shows what is declared and what is running"}
	}
	over := i
	if over.EndedAt.IsZero() {
		over.EndedAt, over.EndedBy, over.Ending = c.Now().UTC(), c.Author, ledger.Undone
	}
	c.pretend = &over
	defer func() { c.pretend = nil }()
	jobs, recovered, agreed, err := c.lookFor(ctx, func(j *job) { j.kind, j.lifted = plan.Lifting, i })
	if err != nil || !agreed {
		c.tellWho(ctx, i, jobs)
		return c.incidentReport(i, jobs, recovered), err
	}
	for _, j := range jobs {
		if j.outlook.Plan.Changes() {
			over.Plans = append(over.Plans, j.outlook.Plan.ID)
		}
	}
	// The ledger comes first: whatever happens from here on, nobody puts the rules back.
	if err := c.Ledger.KeepIncident(ctx, over); err != nil {
		return c.incidentReport(i, jobs, recovered), fmt.Errorf("ending incident %s: %w", name, err)
	}
	c.execute(ctx, jobs)
	return c.incidentReport(over, jobs, recovered), failure(jobs)
}

// identify notes the ids of an incident's rules in one cloud.
func identify(all []ledger.Made, cloud string, live cloudfw.Snapshot) {
	for n, m := range all {
		if m.Cloud != cloud || m.Rule == nil {
			continue
		}
		if r, there := liveRule(live, *m.Rule); there {
			known := *m.Rule
			known.ID = r.ID
			all[n].Rule = &known
		}
	}
}

// liveRule is the live rule that is the same as another.
func liveRule(live cloudfw.Snapshot, rule cloudfw.FirewallRule) (cloudfw.FirewallRule, bool) {
	at := slices.IndexFunc(live.Rules, rule.Same)
	if at < 0 {
		return cloudfw.FirewallRule{}, false
	}
	return live.Rules[at], true
}

// moved is an object that is not as the incident left it: how it was changed, and what
// a call of ours that did so would have for its subject.
type moved struct{ how, subject string }

// lifts is what there is of an incident in one cloud, and what of it was changed since.
// A book that the declared rules have come to need is theirs now and stays.
func lifts(i ledger.Incident, cloud string, owner cloudfw.Owner, live cloudfw.Snapshot) (lift plan.Lift, changed []moved) {
	leaving := map[string]bool{} // ids of rules
	for _, m := range i.Made {
		if m.Cloud != cloud || m.Rule == nil {
			continue
		}
		if r, there := liveRule(live, *m.Rule); there && !leaving[r.ID] {
			leaving[r.ID] = true
			lift.Rules = append(lift.Rules, r)
		}
	}
	told := map[string]bool{}
	for _, m := range slices.Backward(i.Made) { // the latest version of a rule first
		if m.Cloud != cloud || m.Rule == nil {
			continue
		}
		for _, r := range live.Rules {
			if !leaving[r.ID] && !told[r.ID] && (r.ID == m.Rule.ID || r.Description == m.Rule.Description) {
				told[r.ID] = true
				changed = append(changed, moved{changedRule(*m.Rule, r), r.String()})
			}
		}
	}
	for _, m := range i.Made {
		if m.Cloud != cloud || m.Book == nil {
			continue
		}
		b, there := live.Book(m.Book.Name)
		if !there {
			continue
		}
		how := changedBook(*m.Book, b)
		user, ours := otherUser(b, owner, live, leaving)
		switch {
		case how != "":
			changed = append(changed, moved{how, b.Name})
		case user != "" && !ours:
			changed = append(changed, moved{user, b.Name})
		case user != "":
			lift.Stays = append(lift.Stays, user+": it stays")
		default:
			lift.Books = append(lift.Books, b)
		}
	}
	return lift, changed
}

// changedRule says what became of a rule.
func changedRule(was, is cloudfw.FirewallRule) string {
	text := fmt.Sprintf("rule #%d of %s (%s) was changed", is.Order, is.Key(), is.ID)
	switch {
	case was.String() != is.String():
		text += fmt.Sprintf(": it was %s, now %s", was, is)
	case was.Description != is.Description:
		text += fmt.Sprintf(": it was described %q, now %q", was.Description, is.Description)
	}
	if was.Disabled != is.Disabled {
		text += map[bool]string{true: "; it is disabled", false: "; it is enabled"}[is.Disabled]
	}
	return text
}

// changedBook says what became of a book, or nothing.
func changedBook(was, is cloudfw.AddressBook) string {
	if !slices.Equal(was.Prefixes, is.Prefixes) || len(is.Entries) > 0 {
		before, after := Object{}, Object{Holds: slices.Clone(is.Entries)}
		for _, p := range was.Prefixes {
			before.Holds = append(before.Holds, p.String())
		}
		for _, p := range is.Prefixes {
			after.Holds = append(after.Holds, p.String())
		}
		return fmt.Sprintf("book %s was changed: %s", is.Name, before.edited(after))
	}
	if was.Description != is.Description {
		return fmt.Sprintf("book %s was changed: it was described %q, now %q", is.Name, was.Description, is.Description)
	}
	return ""
}

// otherUser says which rule that does not leave names a book, one of other people first,
// and whether all of them are ours. Empty: none does.
func otherUser(b cloudfw.AddressBook, owner cloudfw.Owner, live cloudfw.Snapshot, leaving map[string]bool) (text string, ours bool) {
	named := cloudfw.Peer{Kind: cloudfw.Book, Value: b.Name}
	seen := 0
	for _, r := range live.Rules {
		if r.Source != named && r.Destination != named {
			continue
		}
		seen++
		if own := owner.Owns("rule", r.Description); !leaving[r.ID] && (text == "" || ours && !own) {
			text, ours = fmt.Sprintf("book %s is named by rule #%d of %s since (%s, %q)", b.Name, r.Order, r.Key(), r, r.Description), own
		}
	}
	if more := b.References - seen; more > 0 && (text == "" || ours) {
		return fmt.Sprintf("book %s is named by %d rules that were not looked at", b.Name, more), false
	}
	return text, ours
}

// tellWho adds to the refusals of an undo who made the change, as far as the journal
// knows.
func (l *Look) tellWho(ctx context.Context, i ledger.Incident, jobs []*job) {
	for _, j := range jobs {
		first := len(j.outlook.Refusals) - len(j.moved)
		for n, m := range j.moved {
			j.outlook.Refusals[first+n].Message += "; " + l.who(ctx, i, m.subject)
		}
	}
}

// mostEntries bounds how far back the journal is searched.
const mostEntries = 10_000

// who looks for the latest call of ours that left an object as it is, other than those
// of the incident itself.
func (l *Look) who(ctx context.Context, i ledger.Incident, subject string) string {
	entries, err := l.Ledger.PastEntries(ctx, ledger.Past{Since: i.StartedAt, Limit: mostEntries})
	if err != nil {
		return "who did that is not known: " + err.Error()
	}
	for _, e := range entries {
		if e.Outcome != ledger.Finished || slices.Contains(i.Plans, e.PlanID) || !changes[cloudfw.Op(e.Op)] {
			continue
		}
		if _, rule, _ := strings.Cut(e.Subject, " "); rule != subject && !strings.HasPrefix(e.Subject+" ", subject+" ") {
			continue
		}
		author := "somebody"
		if plans, err := l.Ledger.PastPlans(ctx, ledger.Past{PlanID: e.PlanID, Limit: 1}); err == nil && len(plans) > 0 {
			author = plans[0].Author
		}
		return fmt.Sprintf("fwsync did that at %s, for %s (%s)", clock(e.At), author, e.PlanID)
	}
	return "fwsync did not do that: its journal has no such call"
}

// changes are the operations that leave an object there, changed.
var changes = map[cloudfw.Op]bool{cloudfw.EditRule: true, cloudfw.AppendAddresses: true, cloudfw.RemoveAddresses: true, cloudfw.MarkBook: true}
