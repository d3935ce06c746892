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
		lists := watched(intent, target)
		trace := firewallTracer(intent.Owner, lists, live)
		if !target.Firewall() {
			trace = groupTracer(target, live)
		}
		for _, b := range intent.Blocked {
			if target.Firewall() && !slices.ContainsFunc(lists, func(l list) bool { return l.key.Family == cloudfw.FamilyOf(b.Prefix) }) {
				continue // a border that has no traffic of the family, or takes no rule on the blocked
			}
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

// rules checks that every declared rule is live as declared, in order, with no
// contradicting rule of somebody else above it.
func rules(report *Report, intent cloudfw.Intent, wanted lower.Wanted, live cloudfw.Snapshot) {
	for _, key := range wanted.Keys(live) {
		list := live.List(key)
		next := 0
		for _, want := range wanted.Rules[key] {
			report.RulesWanted++
			at := slices.IndexFunc(list, want.Same)
			switch {
			case at < 0:
				report.Gaps = append(report.Gaps, Gap{want.Description, key.Border.Firewall(), "the declared rule is not live: " + want.String()})
				continue
			case at < next:
				report.Gaps = append(report.Gaps, Gap{want.Description, key.Border.Firewall(), fmt.Sprintf("the declared rule stands at #%d, out of order", list[at].Order)})
				continue
			}
			next = at + 1
			above := slices.IndexFunc(list[:at], func(r cloudfw.FirewallRule) bool {
				return !intent.Owner.Owns("rule", r.Description) && !r.Disabled && r.Action != want.Action && cloudfw.Overlap(r, want, live)
			})
			if above >= 0 {
				report.Gaps = append(report.Gaps, Gap{want.Description, key.Border.Firewall(), fmt.Sprintf("rule #%d of somebody else (%s) stands above it and contradicts it", list[above].Order, list[above])})
				continue
			}
			report.RulesEnforced++
		}
	}
}
