package main

import (
	"fmt"
	"slices"
	"strings"

	"fwsync/sync/reconcile"
	"fwsync/sync/verify"
)

// mostRows bounds a table for people; -o json has everything.
const mostRows = 15

func renderReport(s *screen, r reconcile.Report) {
	s.line("fwsync %s: owner %s, cloud %s", r.Command, r.Owner, r.Cloud)
	if r.Recovered != "" {
		s.line("recovered: %s", r.Recovered)
	}
	renderSources(s, r.Sources)
	renderAttackers(s, r.Detections)
	renderPlan(s, r)
	renderCalls(s, r)
	if r.Stopped != "" {
		s.line("\n%s %s", s.bad("stopped:"), r.Stopped)
	}
	if r.Verification != nil {
		renderVerification(s, *r.Verification)
	}
	renderNext(s, r)
}

func renderSources(s *screen, sources []reconcile.SourceReport) {
	if len(sources) == 0 {
		return
	}
	s.title("Sources")
	var rows [][]string
	for _, src := range sources {
		health := s.good("healthy")
		if !src.Health.OK {
			health = s.bad("sick")
		}
		rows = append(rows, []string{src.Name, src.File, fmt.Sprint(src.Lines), fmt.Sprint(src.Signals), fmt.Sprintf("%.0f", src.MBPerSecond), health})
	}
	s.columns([]string{"SOURCE", "FILE", "LINES", "SIGNALS", "MB/S", "HEALTH"}, rows)
	for _, src := range sources {
		if src.LastLineIsNow {
			s.line("  %s: demonstration clock (clock: last-line), its last line counts as now", src.Name)
		}
		for _, note := range src.Health.Notes {
			s.line("  %s: %s", src.Name, note)
		}
		if skipped := src.Malformed + src.BadAddress + src.Overlong; skipped > 0 {
			s.line("  %s: skipped %d malformed lines, %d without a usable address, %d over 1 MiB", src.Name, src.Malformed, src.BadAddress, src.Overlong)
		}
	}
}

func renderAttackers(s *screen, detections []reconcile.DetectionReport) {
	s.title("Attackers")
	if len(detections) == 0 {
		s.line("  none new in what was read")
		return
	}
	ordered := slices.Clone(detections)
	slices.SortStableFunc(ordered, func(a, b reconcile.DetectionReport) int { return b.Count - a.Count })
	var rows [][]string
	for _, d := range ordered[:min(len(ordered), mostRows)] {
		fate := "detected"
		switch {
		case d.Blocked:
			fate = "block " + until(d.Until)
		case d.Withheld != "":
			fate = "not blocked: " + d.Withheld
		}
		rows = append(rows, []string{host(d.Prefix), d.Rule, fmt.Sprint(d.Count), clock(d.FirstSeen), clock(d.LastSeen), fate})
	}
	s.columns([]string{"ADDRESS", "DETECTION", "COUNT", "FIRST SEEN", "LAST SEEN", "DECISION"}, rows)
	if more := len(ordered) - mostRows; more > 0 {
		s.line("  and %d more (-o json lists them all)", more)
	}
	sampled := map[string]bool{}
	for _, d := range ordered {
		if sampled[d.Rule] || len(d.Evidence) == 0 {
			continue
		}
		sampled[d.Rule] = true
		e := d.Evidence[0]
		s.line("  %s, evidence against %s: %s line %d, sha256 %s…\n    %s", d.Rule, host(d.Prefix), e.Source, e.Line, e.Hash, e.Text)
	}
}

// host is a host prefix without its length.
func host(prefix string) string {
	return strings.TrimSuffix(strings.TrimSuffix(prefix, "/32"), "/128")
}

func renderPlan(s *screen, r reconcile.Report) {
	s.title("Plan")
	if !r.Plan.Changes() {
		s.line("  nothing has changed: the cloud is as it must be")
	}
	// Every object of ours begins with this; on the page it would hide the rest.
	ours := r.Owner.BookName("")
	var rows [][]string
	for i, step := range r.Plan.Steps {
		rows = append(rows, []string{fmt.Sprint(i + 1), string(step.Op), strings.ReplaceAll(step.Subject(), ours, ""), step.Reason})
	}
	shown := min(len(rows), 2*mostRows)
	if shown > 0 {
		s.columns([]string{"STEP", "CALL", "WHAT", "WHY"}, rows[:shown])
	}
	if more := len(rows) - shown; more > 0 {
		s.line("  and %d more steps (-o json lists them all)", more)
	}
	for _, note := range r.Plan.Notes {
		s.line("  note: %s", strings.ReplaceAll(note, ours, ""))
	}
	for _, e := range r.Exempted[:min(len(r.Exempted), mostRows)] {
		s.line("  not blocked: %s (%s)", e.Prefix, e.Reason)
	}
	renderShelved(s, r)
	renderCapacity(s, r)
	var left []string
	for _, u := range r.Plan.Untouched {
		left = append(left, fmt.Sprintf("%d %s", u.Count, u.Where))
	}
	if len(left) > 0 {
		s.line("  not ours, not touched: %s", strings.Join(left, "; "))
	}
	for _, refusal := range r.Refusals {
		s.line("  %s %s: %s", s.bad("refused by"), refusal.Gate, refusal.Message)
	}
}

func renderShelved(s *screen, r reconcile.Report) {
	byTarget := map[string]int{}
	var order []string
	for _, x := range r.Plan.Shelved {
		if byTarget[x.Target] == 0 {
			order = append(order, x.Target)
		}
		byTarget[x.Target]++
	}
	for _, target := range order {
		s.line("  %s has no room for %d of the blocks, those with the lowest scores (-o json lists them)", target, byTarget[target])
	}
}

func renderCapacity(s *screen, r reconcile.Report) {
	var rows [][]string
	for _, u := range r.Plan.Capacity {
		limit := "unknown"
		if u.Limit > 0 {
			limit = fmt.Sprint(u.Limit)
		}
		rows = append(rows, []string{strings.ReplaceAll(u.What, r.Owner.BookName(""), ""), fmt.Sprint(u.Before), fmt.Sprint(u.After), limit})
	}
	s.columns([]string{"CAPACITY", "BEFORE", "AFTER", "LIMIT"}, rows)
}

func renderCalls(s *screen, r reconcile.Report) {
	s.title("Calls")
	var texts []string
	for _, c := range r.Calls {
		texts = append(texts, fmt.Sprintf("%d %s", c.Count, c.API))
	}
	s.line("  %s, %s: %s", plural(r.Summary.Reads, "read"), plural(r.Summary.Writes, "write"), strings.Join(texts, ", "))
	if r.Applied != nil && r.Applied.Settled > 0 {
		s.line("  %s had no reply; the cloud was read again and shows the effect", plural(r.Applied.Settled, "write"))
	}
}

func renderVerification(s *screen, v verify.Report) {
	s.title("Verification (the cloud was read back)")
	s.line("  decisions: %d, enforced: %d; declared rules: %d, enforced: %d", v.Decisions, v.Enforced, v.RulesWanted, v.RulesEnforced)
	type seat struct{ target, via string }
	counts, orders := map[seat]int{}, map[seat]verify.Trace{}
	var seats []seat
	for _, t := range v.Traces {
		k := seat{t.Target, t.Via}
		if counts[k] == 0 {
			seats = append(seats, k)
			orders[k] = t
		}
		counts[k]++
	}
	var rows [][]string
	for _, k := range seats {
		t := orders[k]
		rows = append(rows, []string{k.target, fmt.Sprintf("#%d %s", t.Order, t.RuleID), k.via, fmt.Sprint(counts[k])})
	}
	if len(rows) > 0 {
		s.columns([]string{"TARGET", "LIVE RULE", "THROUGH", "DECISIONS"}, rows[:min(len(rows), mostRows)])
	}
	gaps := fmt.Sprintf("gaps: %d", len(v.Gaps))
	if len(v.Gaps) == 0 {
		s.line("  %s", s.good(gaps))
	} else {
		s.line("  %s", s.bad(gaps))
	}
	for _, g := range v.Gaps[:min(len(v.Gaps), mostRows)] {
		s.line("  %s at %s: %s", g.Subject, g.Target, g.Reason)
	}
	s.line("  the vendor's engine follows its API after about %d minutes", int(verify.EngineDelay.Minutes()))
}

func renderNext(s *screen, r reconcile.Report) {
	s.title("Next")
	switch {
	case r.Command == "plan" && r.Plan.Changes():
		s.line("  fwsync plan --out change.plan && fwsync apply change.plan")
	case len(r.Refusals) > 0:
		s.line("  %s", r.Refusals[0].Hint)
	default:
		address := "ADDRESS"
		for _, d := range r.Detections {
			if d.Blocked {
				address = host(d.Prefix)
				break
			}
		}
		s.line("  fwsync explain %s    why, by which live rule, until when", address)
		s.line("  fwsync block ADDRESS --for 2h --reason TEXT, then fwsync reconcile")
		s.line("  fwsync status    what is enforced now")
	}
}
