package main

import (
	"fmt"
	"strings"
	"time"

	"fwsync/sync/plan"
	"fwsync/sync/reconcile"
	"fwsync/sync/verify"
)

func renderIncidents(s *screen, r reconcile.IncidentReport) {
	if r.Command == "incident list" {
		renderIncidentList(s, r)
		return
	}
	s.line("fwsync %s: owner %s", r.Command, r.Owner)
	if len(r.Incidents) == 0 {
		s.line("  no incident is running; fwsync incident list shows what is declared")
	}
	for _, i := range r.Incidents {
		renderIncident(s, r, i)
	}
	for _, note := range r.Notes {
		s.line("  note: %s", note)
	}
	if r.Report != nil {
		if r.Recovered != "" {
			s.line("recovered: %s", r.Recovered)
		}
		renderLapsed(s, *r.Report)
		for _, c := range r.Each() {
			renderCloud(s, *r.Report, c)
		}
		renderETA(s, *r.Report)
	}
	renderNextOfIncident(s, r)
}

func renderIncidentList(s *screen, r reconcile.IncidentReport) {
	if len(r.Incidents) == 0 {
		s.line("no incident is declared: docs/incidents.md shows how")
		return
	}
	var rows [][]string
	for _, i := range r.Incidents {
		when := ""
		if !i.StartedAt.IsZero() {
			when = fmt.Sprintf("from %s %s", clock(i.StartedAt), until(i.Until))
		}
		rows = append(rows, []string{i.Name, string(i.State), when, i.Author, join(i.Summary, i.Reason)})
	}
	s.columns([]string{"INCIDENT", "STATE", "WHEN", "BY", ""}, rows)
}

func renderIncident(s *screen, r reconcile.IncidentReport, i reconcile.IncidentView) {
	s.title("Incident " + i.Name)
	state := string(i.State)
	if i.State == reconcile.IncidentRunning || i.State == reconcile.IncidentStarting {
		state += fmt.Sprintf(", %s left", (time.Duration(i.Remaining) * time.Second).Round(time.Second))
	}
	if i.Summary != "" {
		s.line("  %s", i.Summary)
	}
	if i.State == reconcile.IncidentDeclared {
		s.line("  it was not started: nothing was changed")
		return
	}
	s.line("  %s: from %s %s, by %s: %s", state, clock(i.StartedAt), until(i.Until), i.Author, i.Reason)
	if !i.EndedAt.IsZero() {
		s.line("  ended %s by %s", clock(i.EndedAt), i.EndedBy)
	}
	if i.FirewallEnd.IsZero() {
		s.line("  its rules have no end of their own at the firewall")
	} else {
		s.line("  the firewall itself ends its rules at %s", clock(i.FirewallEnd))
	}
	var rows [][]string
	for _, o := range i.Objects {
		place := ""
		if o.Order > 0 {
			place = fmt.Sprintf("#%d", o.Order)
		}
		object := strings.ReplaceAll(o.Object, r.Owner.BookName(""), "")
		if o.Cloud != "" {
			object = o.Cloud + ": " + object
		}
		rows = append(rows, []string{o.State, place, object, o.ID})
	}
	if len(rows) > 0 {
		s.columns([]string{"STATE", "ORDER", "WHAT IT PUT THERE", "ID"}, rows)
	}
	for _, g := range i.Gaps {
		s.line("  %s %s", s.bad("gap:"), g)
	}
}

// renderRunning reminds whoever looks that rules are in force that no policy file has.
func renderRunning(s *screen, r reconcile.Report) {
	for _, i := range r.Incidents {
		s.line("incident %s is running %s (%s): its rules stand above all others", i.Name, until(i.Until), i.Reason)
	}
}

// renderETA says when the firewall will do what a plan asks for.
func renderETA(s *screen, r reconcile.Report) {
	seconds := 0.0
	for _, c := range r.Each() {
		seconds = max(seconds, c.Plan.Calls.Seconds)
	}
	if r.Changes() && firstRefusal(r) == nil {
		s.line("  in force in about %.0f s for %s, and %d minutes until the vendor's engine follows", seconds, plural(r.Summary.Steps, "call"), int(verify.EngineDelay.Minutes()))
	}
}

func renderNextOfIncident(s *screen, r reconcile.IncidentReport) {
	if len(r.Incidents) != 1 {
		return
	}
	i := r.Incidents[0]
	s.title("Next")
	switch i.State {
	case reconcile.IncidentRunning, reconcile.IncidentStarting:
		s.line("  fwsync incident status %s    what it put into the cloud, and what became of it", i.Name)
		s.line("  fwsync incident extend %s --for 2h", i.Name)
		s.line("  fwsync incident undo %s    exactly as before; fwsync incident stop %s if others have changed it since", i.Name, i.Name)
	case reconcile.IncidentOver:
		s.line("  fwsync reconcile    takes away what is left of it")
	case reconcile.IncidentDeclared:
		s.line("  fwsync incident start %s …    once what refuses it is out of the way", i.Name)
	default:
		s.line("  fwsync status    what is enforced now")
	}
}

// kindWords are what there is to say where a plan of a kind has no steps.
var kindWords = map[plan.Kind]string{
	plan.Overlay: "nothing to do: the incident's rules are in place",
	plan.Lifting: "nothing to do: nothing of the incident is left",
}
