package main

import (
	"fmt"
	"slices"
	"strings"

	"fwsync/sync/gates"
	"fwsync/sync/plan"
	"fwsync/sync/reconcile"
	"fwsync/sync/verify"
)

// mostRows bounds a table for people; -o json has everything.
const mostRows = 15

func renderReport(s *screen, r reconcile.Report) {
	s.line("fwsync %s: owner %s, %s", r.Command, r.Owner, cloudsOf(r))
	if r.Recovered != "" {
		s.line("recovered: %s", r.Recovered)
	}
	if kindOf(r) == plan.Reconcile { // the others read no source
		renderSources(s, r.Sources)
		renderAttackers(s, r.Detections)
	}
	renderRunning(s, r)
	renderLapsed(s, r)
	for _, c := range r.Each() {
		renderCloud(s, r, c)
	}
	renderNext(s, r)
}

// kindOf is what the plans of a report are for.
func kindOf(r reconcile.Report) plan.Kind {
	for _, c := range r.Each() {
		if c.Plan.Kind != "" {
			return c.Plan.Kind
		}
	}
	return plan.Reconcile
}

// cloudsOf names the clouds of a report.
func cloudsOf(r reconcile.Report) string {
	each := r.Each()
	if len(each) == 1 {
		return "cloud " + each[0].Cloud
	}
	var names []string
	for _, c := range each {
		names = append(names, c.Name)
	}
	return "clouds " + strings.Join(names, ", ")
}

// renderCloud is what was found and done in one cloud. With several each has a
// heading.
func renderCloud(s *screen, r reconcile.Report, c *reconcile.CloudReport) {
	if c.Name != "" {
		s.title("== " + c.Name + ": " + c.Cloud)
	}
	if c.Failed != "" && c.Plan.ID == "" {
		s.line("  %s %s", s.bad("failed:"), c.Failed)
		return
	}
	renderPlan(s, r, c)
	renderCalls(s, c)
	if c.Stopped != "" {
		s.line("\n%s %s", s.bad("stopped:"), c.Stopped)
	}
	if c.Verification != nil {
		renderVerification(s, *c.Verification)
	}
}

// renderPlans is for the question before the first step.
func renderPlans(s *screen, r reconcile.Report) {
	renderLapsed(s, r)
	for _, c := range r.Each() {
		if c.Name != "" {
			s.title("== " + c.Name + ": " + c.Cloud)
		}
		renderPlan(s, r, c)
	}
}

func renderSources(s *screen, sources []reconcile.SourceReport) {
	renderLogs(s, sources)
	renderFeeds(s, sources)
}

// renderLogs shows the sources that are logs.
func renderLogs(s *screen, sources []reconcile.SourceReport) {
	var logs []reconcile.SourceReport
	for _, src := range sources {
		if src.Feed == nil {
			logs = append(logs, src)
		}
	}
	if len(logs) == 0 {
		return
	}
	s.title("Sources")
	var rows [][]string
	for _, src := range logs {
		rows = append(rows, []string{src.Name, src.File, fmt.Sprint(src.Lines), fmt.Sprint(src.Signals), fmt.Sprintf("%.0f", src.MBPerSecond), healthOf(s, src)})
	}
	s.columns([]string{"SOURCE", "FILE", "LINES", "SIGNALS", "MB/S", "HEALTH"}, rows)
	for _, src := range logs {
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

func healthOf(s *screen, src reconcile.SourceReport) string {
	if !src.Health.OK {
		return s.bad("sick")
	}
	return s.good("healthy")
}

// renderFeeds shows the feeds among the sources, also those that were not due.
func renderFeeds(s *screen, sources []reconcile.SourceReport) {
	var rows [][]string
	for _, src := range sources {
		f := src.Feed
		if f == nil {
			continue
		}
		read, next, health := "never", "now", healthOf(s, src)
		if !f.Tried.IsZero() {
			read, next = clock(f.Tried), clock(f.Next)
		} else {
			health = ""
		}
		rows = append(rows, []string{src.Name, src.File, fmt.Sprint(f.Entries), read, next, health})
	}
	if len(rows) == 0 {
		return
	}
	s.title("Feeds")
	s.columns([]string{"FEED", "FROM", "ENTRIES", "READ", "NEXT", "HEALTH"}, rows)
	for _, src := range sources {
		for _, note := range src.Health.Notes {
			if src.Feed != nil {
				s.line("  %s: %s", src.Name, note)
			}
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
	if prefix == "" {
		return "all sources"
	}
	return strings.TrimSuffix(strings.TrimSuffix(prefix, "/32"), "/128")
}

func renderPlan(s *screen, r reconcile.Report, c *reconcile.CloudReport) {
	s.title("Plan")
	if !c.Plan.Changes() {
		switch c.Plan.Kind {
		case plan.Adopt:
			s.line("  nothing to adopt: nothing of other people is what is wanted and missing")
		case plan.Release:
			s.line("  nothing to release: nothing that was looked at is ours")
		case plan.Overlay, plan.Lifting:
			s.line("  %s", kindWords[c.Plan.Kind])
		default:
			s.line("  nothing has changed: the cloud is as it must be")
		}
	}
	// Every object of ours begins with this; on the page it would hide the rest.
	ours := r.Owner.BookName("")
	var rows [][]string
	for i, step := range c.Plan.Steps {
		rows = append(rows, []string{fmt.Sprint(i + 1), string(step.Op), strings.ReplaceAll(step.Subject(), ours, ""), step.Reason})
	}
	shown := min(len(rows), 2*mostRows)
	if shown > 0 {
		s.columns([]string{"STEP", "CALL", "WHAT", "WHY"}, rows[:shown])
	}
	if more := len(rows) - shown; more > 0 {
		s.line("  and %d more steps (-o json lists them all)", more)
	}
	renderProof(s, c.Plan)
	for _, note := range c.Plan.Notes {
		s.line("  note: %s", strings.ReplaceAll(note, ours, ""))
	}
	for _, e := range c.Exempted[:min(len(c.Exempted), mostRows)] {
		s.line("  not blocked: %s (%s)", e.Prefix, e.Reason)
	}
	if n := c.Narrowed; n != nil && n.Left > 0 {
		s.line("  nothing else: %s of other addresses to come or to go for the next run (fwsync plan shows them)", plural(n.Left, "block"))
	}
	if n := c.Narrowed; n != nil && n.Beside > 0 {
		s.line("  with it: %s about rules or books that cannot be left out", plural(n.Beside, "pending step"))
	}
	for _, w := range c.Waiting {
		s.line("  %s", w)
	}
	renderCondensed(s, c)
	renderShelved(s, c)
	renderCapacity(s, r, c)
	var left []string
	for _, u := range c.Plan.Untouched {
		left = append(left, fmt.Sprintf("%d %s", u.Count, u.Where))
	}
	if len(left) > 0 {
		s.line("  not ours, not touched: %s", strings.Join(left, "; "))
	}
	for _, refusal := range c.Refusals {
		s.line("  %s %s: %s", s.bad("refused by"), refusal.Gate, refusal.Message)
	}
}

// renderProof says whether every moment of the plan is safe, and what the plan costs.
func renderProof(s *screen, p plan.Plan) {
	if !p.Changes() {
		return
	}
	if p.Proof.Safe {
		s.line("  %s each of %s of %s gives every packet its verdict of before or after", s.good("proven safe:"), plural(p.Proof.CheckedStates, "moment"), plural(p.Proof.Lists, "list"))
	}
	for _, m := range p.Proof.Unsafe {
		s.line("  %s after step %d (%s), %s: %s", s.bad("not safe"), m.Step, m.Subject, m.List, m.Packets)
	}
	extra := ""
	if more := p.Calls.Planned - p.Calls.Fewest; more > 0 {
		extra = fmt.Sprintf(", %d more than the fewest, for safety", more)
	}
	s.line("  %s%s, about %.0f s", plural(p.Calls.Planned, "call"), extra, p.Calls.Seconds)
}

// renderCondensed lists the prefixes that stand for several blocks.
func renderCondensed(s *screen, c *reconcile.CloudReport) {
	members, innocents := 0, uint64(0)
	for _, x := range c.Plan.Condensed {
		members, innocents = members+x.Members, innocents+x.Innocents
	}
	if len(c.Plan.Condensed) > 0 {
		s.line("  condensed, to fit: %d blocks; prefixes that stand for them: %d; innocents blocked with them: %d", members, len(c.Plan.Condensed), innocents)
	}
	for _, x := range c.Plan.Condensed[:min(len(c.Plan.Condensed), mostRows)] {
		s.line("    %s at %s stands for %d blocks, innocents: %d", x.Prefix, x.Target, x.Members, x.Innocents)
	}
}

func renderShelved(s *screen, c *reconcile.CloudReport) {
	byTarget := map[string]int{}
	var order []string
	for _, x := range c.Plan.Shelved {
		if byTarget[x.Target] == 0 {
			order = append(order, x.Target)
		}
		byTarget[x.Target] += 1 + x.More
	}
	for _, target := range order {
		s.line("  %s has no room for %d of the blocks, those with the lowest scores (-o json lists them)", target, byTarget[target])
	}
}

func renderCapacity(s *screen, r reconcile.Report, c *reconcile.CloudReport) {
	var rows [][]string
	for _, u := range c.Plan.Capacity {
		limit := "unknown"
		if u.Limit > 0 {
			limit = fmt.Sprint(u.Limit)
		}
		rows = append(rows, []string{strings.ReplaceAll(u.What, r.Owner.BookName(""), ""), fmt.Sprint(u.Before), fmt.Sprint(u.After), fmt.Sprint(u.Peak), limit})
	}
	if len(rows) == 0 {
		return
	}
	s.columns([]string{"CAPACITY", "BEFORE", "AFTER", "PEAK", "LIMIT"}, rows)
}

func renderCalls(s *screen, c *reconcile.CloudReport) {
	s.title("Calls")
	var texts []string
	reads, writes := 0, 0
	for _, call := range c.Calls {
		texts = append(texts, fmt.Sprintf("%d %s", call.Count, call.API))
		if call.Write {
			writes += call.Count
		} else {
			reads += call.Count
		}
	}
	s.line("  %s, %s: %s", plural(reads, "read"), plural(writes, "write"), strings.Join(texts, ", "))
	if c.Applied != nil && c.Applied.Settled > 0 {
		s.line("  %s had no reply; the cloud was read again and shows the effect", plural(c.Applied.Settled, "write"))
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
	for _, k := range seats {
		if end := orders[k].FirewallEnd; !end.IsZero() {
			s.line("  the %s itself lets go of %s at %s, whatever becomes of fwsync (%s)", k.target, plural(counts[k], "block"), clock(end), k.via)
		}
	}
	gaps := fmt.Sprintf("gaps: %d", len(v.Gaps))
	if len(v.Gaps) == 0 {
		s.line("  %s", s.good(gaps))
	} else {
		s.line("  %s", s.bad(gaps))
	}
	for _, g := range v.Gaps[:min(len(v.Gaps), mostRows)] {
		s.line("  %s", g)
	}
	for _, l := range v.Lookalikes[:min(len(v.Lookalikes), mostRows)] {
		s.line("  looks like ours and is not: %s", l)
	}
	s.line("  the vendor's engine follows its API after about %d minutes", int(verify.EngineDelay.Minutes()))
}

func renderNext(s *screen, r reconcile.Report) {
	s.title("Next")
	switch {
	case r.Command == "plan" && r.Changes():
		s.line("  fwsync plan --out change.plan && fwsync apply change.plan")
	case r.Command == string(kindOf(r)) && kindOf(r) != plan.Reconcile && firstRefusal(r) == nil && r.Changes():
		names := onlyOf(r)
		if names == "" && kindOf(r) == plan.Release {
			names = " --all"
		}
		s.line("  fwsync %s%s --out %s.plan && fwsync apply %s.plan", r.Command, names, r.Command, r.Command)
	case kindOf(r) != plan.Reconcile && firstRefusal(r) == nil:
		s.line("  fwsync plan    what reconcile would do now")
	case firstRefusal(r) != nil:
		s.line("  %s", firstRefusal(r).Hint)
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

// onlyOf is what an adopt or a release was asked for, as arguments.
func onlyOf(r reconcile.Report) string {
	for _, c := range r.Each() {
		if len(c.Plan.Only) > 0 {
			return " " + strings.Join(c.Plan.Only, " ")
		}
	}
	return ""
}

func firstRefusal(r reconcile.Report) *gates.Refusal {
	for _, c := range r.Each() {
		if len(c.Refusals) > 0 {
			return &c.Refusals[0]
		}
	}
	return nil
}
