package main

import (
	"fmt"

	"fwsync/sync/reconcile"
)

// renderWhyNot shows what the detections have counted of an address, what came of it,
// and what is remembered of earlier blocks.
func renderWhyNot(s *screen, e reconcile.Explanation) {
	if len(e.Counted) > 0 {
		s.title("Counted by the detections, at the last run")
		var rows [][]string
		for _, c := range e.Counted {
			state := fmt.Sprintf("%d more make a detection", c.Missing)
			switch {
			case c.Withheld != "":
				state = "detected " + clock(c.Detected) + ", not blocked: " + c.Withheld
			case !c.Detected.IsZero():
				state = "detected " + clock(c.Detected)
			}
			counts := fmt.Sprintf("%d of %d within %s", c.InWindow, c.Threshold, c.Within)
			if c.NeedMembers > 0 {
				counts += fmt.Sprintf(", by %d of %d addresses", c.Members, c.NeedMembers)
			}
			rows = append(rows, []string{c.Rule, host(c.Prefix), counts, fmt.Sprintf("%d in all", c.Count), "last " + clock(c.LastSeen), state})
		}
		s.columns(nil, rows)
	}
	for _, o := range e.Offender {
		text := fmt.Sprintf("  blocked by %s %s, the last time %s", o.Rule, times(o.Blocks), until(o.Last))
		if o.For != "" {
			text += fmt.Sprintf("; the next block would be number %d and last %s", o.Next, o.For)
		} else {
			text += "; the detection blocks nobody now"
		}
		if !o.Forgotten.IsZero() {
			text += "; forgotten at " + clock(o.Forgotten)
		}
		s.line("%s", text)
		if !o.CoolDown.IsZero() {
			s.line("  cooling down: nothing automatic blocks it before %s", clock(o.CoolDown))
		}
	}
	for _, note := range e.Notes {
		s.line("  %s", note)
	}
}

// renderLapsed lists what the policies end.
func renderLapsed(s *screen, r reconcile.Report) {
	if len(r.Lapsed) > 0 {
		s.title("Ended by the policies")
	}
	for _, l := range r.Lapsed[:min(len(r.Lapsed), mostRows)] {
		s.line("  %s (decision %d, %s) ends %s: %s", l.Prefix, l.Decision, until(l.Was), clock(l.End), l.Reason)
	}
	if more := len(r.Lapsed) - mostRows; more > 0 {
		s.line("  and %d more (-o json lists them all)", more)
	}
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
