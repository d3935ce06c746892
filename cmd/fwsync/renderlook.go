package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"fwsync/sync/reconcile"
)

func renderStatus(s *screen, r reconcile.Report) {
	s.line("fwsync status: owner %s, %s", r.Owner, cloudsOf(r))
	renderFeeds(s, r.Sources)
	renderRunning(s, r)
	for _, c := range r.Each() {
		if c.Name != "" {
			s.title("== " + c.Name + ": " + c.Cloud)
		}
		if c.Verification == nil {
			s.line("  %s %s", s.bad("failed:"), c.Failed)
			continue
		}
		s.title("Pending")
		if c.Plan.Changes() {
			s.line("  %s away from what must be; fwsync plan shows them", plural(len(c.Plan.Steps), "step"))
		} else {
			s.line("  nothing: the cloud is as it must be")
		}
		for _, w := range c.Waiting {
			s.line("  %s", w)
		}
		s.title("Capacity")
		renderCapacity(s, r, c)
		for _, u := range c.Plan.Untouched {
			s.line("  not ours: %d %s", u.Count, u.Where)
		}
		renderVerification(s, *c.Verification)
	}
}

func renderExplanation(s *screen, e reconcile.Explanation) {
	s.line("%s: %s", e.Address, e.Verdict)
	if len(e.Decisions) > 0 {
		s.title("Decisions")
		var rows [][]string
		for _, d := range e.Decisions {
			state := until(d.End)
			if !d.RevokedAt.IsZero() {
				state = fmt.Sprintf("taken back %s by %s: %s", clock(d.RevokedAt), d.RevokedBy, d.RevokeReason)
			}
			rows = append(rows, []string{fmt.Sprint(d.ID), string(d.Verdict), d.Prefix.String(), "from " + clock(d.Start), state, d.Author, d.Reason})
		}
		s.columns([]string{"ID", "VERDICT", "PREFIX", "START", "END", "BY", "REASON"}, rows)
		for _, d := range e.Decisions {
			renderChain(s, d)
		}
	}
	renderWhyNot(s, e)
	for _, x := range e.Exempt {
		s.line("  never blocked: %s", x)
	}
	if len(e.Traces) > 0 {
		s.title("Enforced by")
		var rows [][]string
		for _, t := range e.Traces {
			rows = append(rows, []string{t.Target, fmt.Sprintf("#%d", t.Order), t.RuleID, t.Via, t.Prefix.String(), until(t.Until)})
		}
		s.columns([]string{"TARGET", "ORDER", "LIVE RULE", "THROUGH", "PREFIX", "END"}, rows)
	}
	renderTraceEnds(s, e)
	for _, g := range e.Gaps {
		s.line("  %s %s at %s: %s", s.bad("gap:"), g.Subject, g.Target, g.Reason)
	}
	if len(e.Rules) > 0 {
		s.title("Live rules of the internet firewall that look at it, in order")
		var rows [][]string
		for _, r := range e.Rules {
			whose := "not ours"
			if r.Ours {
				whose = "ours"
			}
			if r.Disabled {
				whose += ", disabled"
			}
			rows = append(rows, []string{fmt.Sprintf("#%d", r.Order), r.Rule, whose, r.Description})
		}
		s.columns(nil, rows)
	}
}

func renderDetections(s *screen, v detectAnswer) {
	renderSources(s, v.Sources)
	s.title("Signals")
	var names []string
	for name := range v.Signals {
		names = append(names, name)
	}
	slices.Sort(names)
	var rows [][]string
	for _, name := range names {
		rows = append(rows, []string{name, fmt.Sprint(v.Signals[name])})
	}
	s.columns(nil, rows)
	s.title("Attackers (" + v.Policy + ")")
	if v.Detections.n == 0 {
		s.line("  none")
	}
	if v.Detections.n > 0 {
		s.longColumns([]string{"ADDRESS", "DETECTION", "COUNT", "PEAK", "FIRST SEEN", "LAST SEEN", ""}, v.Detections.n, func(i int) []string {
			return detectionRow(v.Detections.bare(i))
		})
	}
	if n := v.Withheld.n; n > 0 {
		first := v.Withheld.bare(0)
		s.line("  withheld, for a success speaks for them: %d, as %s by %s: %s", n, host(first.Prefix), first.Rule, first.Withheld)
	}
	for i := range min(v.Detections.n, 3) {
		d := v.Detections.at(i)
		if len(d.Evidence) > 0 {
			// Who took part at an account is shown with the first lines about that account too.
			e := d.Evidence[max(0, slices.IndexFunc(d.Evidence, func(e reconcile.EvidenceRef) bool { return strings.Contains(e.Text, "["+host(d.Prefix)+"]") }))]
			s.line("  evidence against %s, %s line %d, byte %d (sha256 %s…):\n    %s", d.Prefix, e.File, e.Line, e.Offset, e.Hash, e.Text)
		}
	}
	renderPhases(s, v.Phases)
}

func detectionRow(d reconcile.DetectionReport) []string {
	note := ""
	if d.Members > 0 {
		note = fmt.Sprintf("%d addresses", d.Members)
	}
	if d.Account != "" {
		note = join("account "+d.Account, note)
	}
	return []string{host(d.Prefix), d.Rule, strconv.Itoa(d.Count), strconv.Itoa(d.Peak), clock(d.FirstSeen), clock(d.LastSeen), note}
}

func join(a, b string) string {
	if b == "" {
		return a
	}
	return a + ", " + b
}

// renderPhases shows what the attack was busy with, and when.
func renderPhases(s *screen, phases []phaseAnswer) {
	s.title("Phases of the attack")
	if len(phases) == 0 {
		s.line("  none")
		return
	}
	var rows [][]string
	for _, p := range phases {
		var kinds []string
		for name := range p.Signals {
			kinds = append(kinds, name)
		}
		slices.SortFunc(kinds, func(a, b string) int {
			return cmp.Or(cmp.Compare(p.Signals[b], p.Signals[a]), cmp.Compare(a, b))
		})
		end := clock(p.End)
		if p.Ongoing {
			end += " …"
		}
		sources := fmt.Sprint(p.Sources)
		if !p.Exact {
			sources = "~" + sources
		}
		rows = append(rows, []string{p.Phase, clock(p.Start), end, fmt.Sprint(p.Count), fmt.Sprintf("%d at %s", p.Peak, p.PeakAt.UTC().Format("15:04")), sources, strings.Join(kinds, ", ")})
	}
	s.columns([]string{"PHASE", "START", "END", "SIGNALS", "PEAK/MIN", "SOURCES", "KINDS"}, rows)
}
