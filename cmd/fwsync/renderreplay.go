package main

import (
	"fmt"
	"strings"
	"time"

	"fwsync/policies"
	"fwsync/sync/reconcile"
)

func renderReplay(s *screen, v *replayAnswer) {
	renderSources(s, v.Sources)
	s.title("Blocks over time (" + v.Policy + ")")
	var rows [][]string
	for _, h := range v.Hours[:min(len(v.Hours), mostRows)] {
		rows = append(rows, []string{clock(h.From), fmt.Sprint(h.Blocks)})
	}
	s.columns([]string{"HOUR", "AT MOST"}, rows)
	more(s, len(v.Hours))
	s.line("  decisions: %d, of %d prefixes; at most %d at a time", len(v.Decisions), v.Prefixes, v.Peak)
	renderPastCapacity(s, &v.Capacity)
	s.title("Whom it would have hurt")
	renderCuts(s, v.Cuts)
	renderJudgement(s, &v.Judgement)
}

// more says that a table does not show everything.
func more(s *screen, rows int) {
	if rows > mostRows {
		s.line("  and %d more (-o json lists them all)", rows-mostRows)
	}
}

func renderCuts(s *screen, cuts []reconcile.Cut) {
	if len(cuts) == 0 {
		s.line("  nobody: no client had a success while it would have been blocked")
		return
	}
	var rows [][]string
	for _, c := range cuts[:min(len(cuts), mostRows)] {
		rows = append(rows, []string{c.Address.String(), host(c.Prefix), c.Rule, clock(c.Blocked), fmt.Sprint(c.Successes), c.Kind, clock(c.First)})
	}
	s.columns([]string{"CLIENT", "BLOCKED", "DETECTION", "SINCE", "SUCCESSES", "KIND", "FIRST"}, rows)
	more(s, len(cuts))
}

func renderJudgement(s *screen, j *reconcile.Judgement) {
	s.title("Precision")
	s.line("  true positives: %d, false positives: %d; precision: %.1f %%", j.True, j.False, 100*j.Precision)
	var rows [][]string
	for _, w := range j.Wrong[:min(len(j.Wrong), mostRows)] {
		others := ""
		if w.More > 0 {
			others = fmt.Sprintf(", and %d more", w.More)
		}
		rows = append(rows, []string{host(w.Prefix), w.Rule, w.Address.String(), w.Why + others})
	}
	if len(rows) > 0 {
		s.columns([]string{"FALSE", "DETECTION", "HOLDS", "WHY"}, rows)
	}
	more(s, len(j.Wrong))
	if j.Unheard > 0 {
		s.line("  %d successes were of too many addresses to remember: some of the true positives may be false", j.Unheard)
	}
}

// renderPastCapacity names each resource by a letter, and shows by these what was taken
// over time.
func renderPastCapacity(s *screen, c *reconcile.CapacityOverTime) {
	s.title(fmt.Sprintf("Capacity over time (the busiest moment in each %s)", policies.FormatDuration(time.Duration(c.BucketSeconds)*time.Second)))
	if len(c.Buckets) == 0 {
		s.line("  nothing was blocked")
		return
	}
	head := []string{"FROM", "BLOCKS"}
	var legend [][]string
	for i, u := range c.Uses {
		letter := columnName(i)
		head = append(head, letter)
		limit := "unknown"
		if u.Limit > 0 {
			limit = fmt.Sprint(u.Limit)
		}
		legend = append(legend, []string{letter, inCloud(u.Cloud, u.What), fmt.Sprint(u.Most), clock(u.MostAt), limit})
	}
	s.columns([]string{"", "WHAT", "MOST", "AT", "LIMIT"}, legend)
	var rows [][]string
	for i, b := range c.Buckets {
		row := []string{clock(b.From), fmt.Sprint(b.Blocks)}
		for _, u := range c.Uses {
			row = append(row, fmt.Sprint(u.OverTime[i]))
		}
		rows = append(rows, row)
	}
	s.columns(head, rows)
	for _, o := range c.Overflows {
		var what []string
		if o.Evicted > 0 {
			what = append(what, fmt.Sprintf("no room for up to %d of the blocks (%s)", o.Evicted, o.Why))
		}
		if o.Condensed > 0 {
			what = append(what, fmt.Sprintf("up to %d blocks in wider prefixes, with %d innocents", o.Condensed, o.Innocents))
		}
		s.line("  %s %s, from %s on, in %d of %d: %s", s.bad("over its limit:"), inCloud(o.Cloud, o.Target), clock(o.First), o.Buckets, len(c.Buckets), strings.Join(what, "; "))
	}
	if len(c.Overflows) == 0 {
		s.line("  everything would have had its place")
	}
}

func inCloud(cloud, what string) string {
	if cloud == "" {
		return what
	}
	return cloud + ": " + what
}

// columnName is A to Z, then A1 and so on.
func columnName(i int) string {
	name := string(rune('A' + i%26))
	if i >= 26 {
		name += fmt.Sprint(i / 26)
	}
	return name
}
