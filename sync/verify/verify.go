// Package verify traces what the intent demands to the live rules that enforce it.
// It reads the live state only, never the plan or its journal: what was planned
// proves nothing about what is (promise P5). It is pure.
package verify

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"fwsync/cloudfw"
	"fwsync/cloudfw/lower"
	"fwsync/cloudfw/packets"
)

// EngineDelay is how long the vendor's engine may take to enforce a change that the
// API already shows (reference §2). fwsync cannot see behind it.
const EngineDelay = 3 * time.Minute

// Trace says which live rule blocks a prefix at one target: the one that drops what
// the rules above it left.
type Trace struct {
	Prefix  netip.Prefix `json:"prefix"`
	Until   time.Time    `json:"until,omitzero"` // zero: until revoked
	Target  string       `json:"target"`
	RuleID  string       `json:"rule_id"`           // empty: a security group that no rule opens to it
	Order   int          `json:"order"`             // position; priority in a security group
	Via     string       `json:"via"`               // the book or list that holds the prefix, or a wider one
	Foreign bool         `json:"foreign,omitempty"` // the rule is not ours and may go at any time
	// FirewallEnd is when the firewall itself ends the rule, whatever becomes of fwsync;
	// zero: it stays until somebody takes it away.
	FirewallEnd time.Time `json:"firewall_end,omitzero"`
}

// Report is the result: every decision and declared rule is a trace, an enforced
// rule or a gap.
type Report struct {
	Decisions     int         `json:"decisions"` // blocks that the intent demands
	Enforced      int         `json:"enforced"`  // of them, enforced at one target or more
	Traces        []Trace     `json:"traces"`
	RulesWanted   int         `json:"rules_wanted"`
	RulesEnforced int         `json:"rules_enforced"`
	Gaps          []Gap       `json:"gaps"`
	Lookalikes    []Lookalike `json:"lookalikes,omitempty"`
}

// Check traces every block and every declared rule. A block is enforced at a target
// when the live state drops every packet of it that the declared rule on the blocked
// means to stop, whichever rules and however wide prefixes do it, and whatever holds
// of conditions that no packet shows: domains, locations, validity times. wanted is
// the lowering of the intent against the same live state.
func Check(intent cloudfw.Intent, wanted lower.Wanted, live cloudfw.Snapshot) Report {
	c := &check{intent: intent, wanted: wanted, live: live, compiler: packets.NewCompiler(), lists: map[cloudfw.ListKey]*liveList{}}
	c.report = Report{Decisions: len(intent.Blocked), Traces: []Trace{}, Gaps: []Gap{}, Lookalikes: Lookalikes(intent.Owner, wanted, live)}
	c.blocks()
	c.rules()
	return c.report
}

type check struct {
	intent   cloudfw.Intent
	wanted   lower.Wanted
	live     cloudfw.Snapshot
	compiler *packets.Compiler
	lists    map[cloudfw.ListKey]*liveList
	report   Report
}

func (c *check) list(key cloudfw.ListKey) *liveList {
	if c.lists[key] == nil {
		c.lists[key] = newLiveList(c.compiler, c.intent.Owner, key, c.live)
	}
	return c.lists[key]
}

// blocks traces every block at every target.
func (c *check) blocks() {
	enforced := make([]bool, len(c.intent.Blocked))
	missing := make([][]Gap, len(c.intent.Blocked))
	for _, target := range c.intent.Targets {
		name := target.Name()
		answers := c.answers(target)
		wanted := c.wantedAt(target)
		c.report.Traces = slices.Grow(c.report.Traces, len(answers))
		for _, part := range answers {
			b := c.intent.Blocked[part.block]
			switch {
			case part.why == "":
				part.trace.Target, part.trace.Until = name, b.Until
				c.report.Traces = append(c.report.Traces, part.trace)
				enforced[part.block] = true
			case !wanted.hold(b.Prefix):
				missing[part.block] = append(missing[part.block], Gap{Subject: b.Prefix.String(), Target: name, Reason: "no room at this target"})
			default:
				c.report.Gaps = append(c.report.Gaps, Gap{Subject: b.Prefix.String(), Target: name, Reason: part.why})
			}
		}
	}
	// A block that one target had no room for is no gap while another enforces it.
	for i, b := range c.intent.Blocked {
		if enforced[i] {
			c.report.Enforced++
			continue
		}
		c.report.Gaps = append(c.report.Gaps, missing[i]...)
		if len(c.intent.Targets) == 0 {
			c.report.Gaps = append(c.report.Gaps, Gap{Subject: b.Prefix.String(), Reason: "no target is declared"})
		}
	}
}

// answer is what a target does about one of the blocks.
type answer struct {
	found
	block int
}

// answers are in the order of the blocks. A block of a family whose traffic the
// border does not see, or that no rule on the blocked is declared for, has none.
func (c *check) answers(target cloudfw.Target) []answer {
	all := make([]answer, 0, len(c.intent.Blocked))
	for _, f := range cloudfw.Families {
		prefixes, blocks := make([]netip.Prefix, 0, len(c.intent.Blocked)), make([]int, 0, len(c.intent.Blocked))
		for i, b := range c.intent.Blocked {
			if cloudfw.FamilyOf(b.Prefix) == f {
				prefixes, blocks = append(prefixes, b.Prefix), append(blocks, i)
			}
		}
		trace := c.tracer(target, f)
		if len(prefixes) == 0 || trace == nil {
			continue
		}
		for i, result := range trace(prefixes) {
			all = append(all, answer{result, blocks[i]})
		}
	}
	slices.SortFunc(all, func(a, b answer) int { return a.block - b.block })
	return all
}

// tracer is nil when the target has nothing to drop in the family.
func (c *check) tracer(target cloudfw.Target, f cloudfw.Family) tracer {
	if !target.Firewall() {
		return groupTracer(c.intent.Owner, target, f, c.live)
	}
	var lists []*liveList
	var asked []demand
	for _, d := range demands(c.intent, target) {
		if d.key.Family == f {
			lists, asked = append(lists, c.list(d.key)), append(asked, d)
		}
	}
	if len(asked) == 0 {
		return nil
	}
	return firewallTracer(lists, asked)
}

// rules checks that every declared rule is live as declared, in order, and that no
// rule of somebody else above it decides what it should decide.
func (c *check) rules() {
	for _, key := range c.wanted.Keys(c.live) {
		wanted := c.wanted.Rules[key]
		c.report.RulesWanted += len(wanted)
		if len(wanted) == 0 {
			continue
		}
		l := c.list(key)
		gap := func(want cloudfw.FirewallRule, reason string, args ...any) {
			c.report.Gaps = append(c.report.Gaps, Gap{Subject: want.Description, Target: key.Border.Firewall(), Reason: fmt.Sprintf(reason, args...)})
		}
		places := map[string][]int{} // by description
		for i, r := range l.rules {
			places[r.Description] = append(places[r.Description], i)
		}
		overruled := l.compiled.Overruled(func(id string) bool {
			_, ours := l.rule(id)
			return ours
		})
		next := 0
		for _, want := range wanted {
			at := slices.IndexFunc(places[want.Description], func(i int) bool { return want.Same(l.rules[i]) })
			if at < 0 {
				gap(want, "the declared rule is not live: %s", want)
				continue
			}
			at = places[want.Description][at]
			if l.rules[at].Validity.Lapsed(c.live.TakenAt) {
				gap(want, "the firewall's own clock has ended rule #%d", l.rules[at].Order)
				continue
			}
			if at < next {
				gap(want, "the declared rule stands at #%d, out of order", l.rules[at].Order)
				continue
			}
			next = at + 1
			if above, _ := l.rule(overruled[strconv.Itoa(at)]); above != nil {
				gap(want, "rule #%d of somebody else (%s, %q) stands above it and contradicts it: ours, now #%d, must stand at #%d", above.Order, above, above.Description, l.rules[at].Order, above.Order)
				continue
			}
			c.report.RulesEnforced++
		}
	}
}
