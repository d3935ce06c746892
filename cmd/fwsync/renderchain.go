package main

import (
	"cmp"
	"fmt"
	"time"

	"fwsync/ledger"
	"fwsync/policies"
)

// renderChain shows what a detection's decision rests on: what was counted, up to what,
// how the score comes about, and the lines with the places where they were read.
func renderChain(s *screen, d ledger.Decision) {
	if d.Rule != "" {
		s.line("  decision %d, attempt %d of %s: %s, first seen %s, last seen %s", d.ID, d.Attempt, d.Rule, plural(d.Count, "signal"), clock(d.FirstSeen), clock(d.LastSeen))
	}
	if c := d.Counters; c != nil {
		threshold := fmt.Sprintf("threshold %d", c.Threshold)
		if c.LegitimateThreshold > 0 {
			threshold += fmt.Sprintf(", %d with a success", c.LegitimateThreshold)
		}
		s.line("    counted: at most %d within %s (%s), crossed at %s", c.Peak, policies.FormatDuration(time.Duration(c.WithinSeconds)*time.Second), threshold, clock(c.CrossedAt))
		if c.Members > 0 {
			s.line("    by at most %d addresses of the network within a window", c.Members)
		}
		if c.Account != "" {
			s.line("    at the account %q", c.Account)
		}
		sum := fmt.Sprintf("%s × weight %d", plural(c.Signals, "signal"), c.Weight)
		if c.Success != "" {
			sum += ", ÷ 4 for a success (" + c.Success + ")"
		}
		if c.Known {
			sum += ", ÷ 4 as the allowlist overlaps it"
		}
		s.line("    score %d: %s", d.Score, sum)
	}
	for _, e := range d.Evidence {
		s.line("    %s (sha256 %s…):\n      %s", place(e), e.Hash, e.Text)
	}
}

// place says where a line was read.
func place(e ledger.Evidence) string {
	at := fmt.Sprintf("%s line %d", cmp.Or(e.File, e.Source), e.Line)
	if e.File != "" {
		at += fmt.Sprintf(", byte %d", e.Offset)
	}
	return at
}
