// Package verify traces what the intent demands to the live rules that enforce it.
// It reads the live state only, never the plan or its journal: what was planned
// proves nothing about what is (promise P5). It is pure.
package verify

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"fwsync/cloudfw"
	"fwsync/cloudfw/lower"
)

// EngineDelay is how long the vendor's engine may take to enforce a change that the
// API already shows (reference §2). fwsync cannot see behind it.
const EngineDelay = 3 * time.Minute

// Trace says which live rule blocks a prefix at one target.
type Trace struct {
	Prefix netip.Prefix `json:"prefix"`
	Until  time.Time    `json:"until,omitzero"` // zero: until revoked
	Target string       `json:"target"`
	RuleID string       `json:"rule_id"`
	Order  int          `json:"order"` // position; priority in a security group
	Via    string       `json:"via"`   // the book or list that holds the prefix
}

// Gap is something the intent demands and the live state does not enforce.
type Gap struct {
	Subject string `json:"subject"` // the prefix or the declared rule
	Target  string `json:"target"`
	Reason  string `json:"reason"`
}

// Report is the result: every decision and declared rule is a trace, an enforced
// rule or a gap.
type Report struct {
	Decisions     int     `json:"decisions"` // blocks that the intent demands
	Enforced      int     `json:"enforced"`  // of them, enforced at one target or more
	Traces        []Trace `json:"traces"`
	RulesWanted   int     `json:"rules_wanted"`
	RulesEnforced int     `json:"rules_enforced"`
	Gaps          []Gap   `json:"gaps"`
}

// Check traces every block and every declared rule. wanted is the lowering of the
// intent against the same live state.
func Check(intent cloudfw.Intent, wanted lower.Wanted, live cloudfw.Snapshot) Report {
	report := Report{Decisions: len(intent.Blocked), Traces: []Trace{}, Gaps: []Gap{}}
	enforced := map[netip.Prefix]bool{}
	missing := map[netip.Prefix][]Gap{}
	shelved := map[string]map[netip.Prefix]bool{}
	for _, s := range wanted.Shelved {
		if shelved[s.Target] == nil {
			shelved[s.Target] = map[netip.Prefix]bool{}
		}
		shelved[s.Target][s.Block.Prefix] = true
	}
	for _, target := range intent.Targets {
		trace := internetTracer(intent.Owner, live)
		if target.Kind == cloudfw.SecurityGroupTarget {
			trace = groupTracer(intent.Owner, target, live)
		}
		for _, b := range intent.Blocked {
			t, why := trace(b.Prefix)
			switch {
			case why == "":
				t.Target, t.Until = target.Name(), b.Until
				report.Traces = append(report.Traces, t)
				enforced[b.Prefix] = true
			case shelved[target.Name()][b.Prefix]:
				missing[b.Prefix] = append(missing[b.Prefix], Gap{b.Prefix.String(), target.Name(), "no room at this target"})
			default:
				report.Gaps = append(report.Gaps, Gap{b.Prefix.String(), target.Name(), why})
			}
		}
	}
	report.Enforced = len(enforced)
	// A block that one target had no room for is no gap while another enforces it.
	for _, b := range intent.Blocked {
		if !enforced[b.Prefix] {
			report.Gaps = append(report.Gaps, missing[b.Prefix]...)
			if len(intent.Targets) == 0 {
				report.Gaps = append(report.Gaps, Gap{b.Prefix.String(), "", "no target is declared"})
			}
		}
	}
	rules(&report, intent, wanted, live)
	return report
}

// internetTracer prepares the search for the rule that blocks a prefix at the
// internet firewall: an enabled drop of ours whose source holds the prefix, with no
// pass rule above it that some packet of the prefix would meet first.
func internetTracer(owner cloudfw.Owner, live cloudfw.Snapshot) func(netip.Prefix) (Trace, string) {
	type guard struct {
		rule   cloudfw.FirewallRule
		passes []cloudfw.FirewallRule // enabled pass rules above that may meet the same packets
	}
	guards := map[netip.Prefix]guard{}
	flawed := map[netip.Prefix]string{}
	for _, f := range cloudfw.Families {
		var passes []cloudfw.FirewallRule
		for _, r := range live.List(cloudfw.ListKey{Direction: cloudfw.In, Family: f}) {
			if r.Action != cloudfw.Drop {
				if !r.Disabled {
					passes = append(passes, r)
				}
				continue
			}
			if !owner.Owns("rule", r.Description) || r.Source.Kind != cloudfw.Book {
				continue
			}
			held, _ := live.Addresses(r.Source)
			g := guard{rule: r}
			for _, pass := range passes {
				if cloudfw.Overlap(pass, r, live) {
					g.passes = append(g.passes, pass)
				}
			}
			for _, p := range held {
				switch {
				case r.Disabled || r.Temporary:
					flawed[p] = fmt.Sprintf("rule #%d, which would block it, is disabled or has a validity time", r.Order)
				case guards[p].rule.ID == "":
					guards[p] = g
				}
			}
		}
	}
	return func(p netip.Prefix) (Trace, string) {
		g, ok := guards[p]
		if !ok {
			if why, ok := flawed[p]; ok {
				return Trace{}, why
			}
			return Trace{}, "no enabled drop rule of ours holds it"
		}
		for _, pass := range g.passes {
			from, known := live.Addresses(pass.Source)
			if !known || slices.ContainsFunc(from, p.Overlaps) {
				return Trace{}, fmt.Sprintf("rule #%d (%s, %q) lets it pass above our drop #%d", pass.Order, pass, pass.Description, g.rule.Order)
			}
		}
		return Trace{Prefix: p, RuleID: g.rule.ID, Order: g.rule.Order, Via: g.rule.Source.Value}, ""
	}
}

// groupTracer is internetTracer for a security group, where a drop at the highest
// priority cannot be overruled.
func groupTracer(owner cloudfw.Owner, target cloudfw.Target, live cloudfw.Snapshot) func(netip.Prefix) (Trace, string) {
	found := map[netip.Prefix]Trace{}
	group, _ := live.Group(target.GroupID)
	for _, r := range group.Rules {
		if r.Action != cloudfw.Drop || r.Direction != cloudfw.In || r.Priority != 1 || !owner.Owns("rule", r.Description) {
			continue
		}
		if r.Protocol != cloudfw.AnyProtocol || !r.Ports.AllPorts() {
			continue
		}
		held, _ := live.Addresses(r.Peer)
		for _, p := range held {
			found[p] = Trace{Prefix: p, RuleID: r.ID, Order: r.Priority, Via: r.Peer.String()}
		}
	}
	return func(p netip.Prefix) (Trace, string) {
		if t, ok := found[p]; ok {
			return t, ""
		}
		return Trace{}, "no drop rule of ours at priority 1 holds it"
	}
}

// rules checks that every declared rule is live as declared, in order, with no
// contradicting rule of somebody else above it.
func rules(report *Report, intent cloudfw.Intent, wanted lower.Wanted, live cloudfw.Snapshot) {
	for _, key := range cloudfw.ListKeys {
		list := live.List(key)
		next := 0
		for _, want := range wanted.Rules[key] {
			report.RulesWanted++
			at := slices.IndexFunc(list, want.Same)
			switch {
			case at < 0:
				report.Gaps = append(report.Gaps, Gap{want.Description, string(cloudfw.InternetFirewall), "the declared rule is not live: " + want.String()})
				continue
			case at < next:
				report.Gaps = append(report.Gaps, Gap{want.Description, string(cloudfw.InternetFirewall), fmt.Sprintf("the declared rule stands at #%d, out of order", list[at].Order)})
				continue
			}
			next = at + 1
			above := slices.IndexFunc(list[:at], func(r cloudfw.FirewallRule) bool {
				return !intent.Owner.Owns("rule", r.Description) && !r.Disabled && r.Action != want.Action && cloudfw.Overlap(r, want, live)
			})
			if above >= 0 {
				report.Gaps = append(report.Gaps, Gap{want.Description, string(cloudfw.InternetFirewall), fmt.Sprintf("rule #%d of somebody else (%s) stands above it and contradicts it", list[above].Order, list[above])})
				continue
			}
			report.RulesEnforced++
		}
	}
}
