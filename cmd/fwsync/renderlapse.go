package main

import (
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"fwsync/cloudfw"
	"fwsync/ledger"
	"fwsync/sync/reconcile"
	"fwsync/sync/verify"
)

// renderLapses says after block --now until when the firewalls themselves keep what was
// blocked, or that they do so for ever.
func renderLapses(s *screen, value decisionAnswer, r reconcile.Report) {
	if value.Command != string(ledger.Block) {
		return
	}
	named := func(t verify.Trace) bool {
		return slices.ContainsFunc(value.Decisions, func(d ledger.Decision) bool { return d.Prefix.Overlaps(t.Prefix) })
	}
	blocks := map[time.Time]map[netip.Prefix]bool{} // each may be at several firewalls
	for _, c := range r.Each() {
		if c.Verification == nil {
			continue
		}
		for _, t := range c.Verification.Traces {
			if inGroup(t) || !named(t) {
				continue
			}
			if blocks[t.FirewallEnd] == nil {
				blocks[t.FirewallEnd] = map[netip.Prefix]bool{}
			}
			blocks[t.FirewallEnd][t.Prefix] = true
		}
	}
	for _, end := range slices.SortedFunc(maps.Keys(blocks), time.Time.Compare) {
		these := plural(len(blocks[end]), "block")
		if end.IsZero() {
			s.line("  without fwsync the firewall would keep %s of these: no end of its own", these)
			continue
		}
		s.line("  without fwsync the firewall would keep %s of these until %s", these, clock(end))
	}
}

// renderTraceEnds says of an address until when each rule stays by itself. Where none
// ends, and none was to, that goes without saying.
func renderTraceEnds(s *screen, e reconcile.Explanation) {
	lapses := slices.ContainsFunc(e.Decisions, func(d ledger.Decision) bool { return d.Lapses && d.RevokedAt.IsZero() }) ||
		slices.ContainsFunc(e.Traces, func(t verify.Trace) bool { return !t.FirewallEnd.IsZero() })
	if !lapses {
		return
	}
	for _, t := range e.Traces {
		switch {
		case !t.FirewallEnd.IsZero():
			s.line("  the %s itself keeps it %s, whatever becomes of fwsync", t.Target, until(t.FirewallEnd))
		case inGroup(t):
			s.line("  the %s knows no end: it keeps it until fwsync takes it away", t.Target)
		default:
			s.line("  the %s keeps it until fwsync takes it away: the rule has no end of its own", t.Target)
		}
	}
}

// inGroup reports whether the trace is of a security group.
func inGroup(t verify.Trace) bool {
	return strings.Contains(t.Target, string(cloudfw.SecurityGroupTarget)+" ")
}
