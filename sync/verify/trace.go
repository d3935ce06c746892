package verify

import (
	"fmt"
	"net/netip"
	"slices"

	"fwsync/cloudfw"
)

// list is an ordered list in which the blocked addresses have to be dropped, and the
// side of the rules on which they stand.
type list struct {
	key           cloudfw.ListKey
	atDestination bool
}

func (l list) peer(r cloudfw.FirewallRule) cloudfw.Peer {
	if l.atDestination {
		return r.Destination
	}
	return r.Source
}

// watched are the lists of a firewall that have to drop the blocked addresses: at the
// internet border those that come in, whatever is declared; elsewhere as declared.
func watched(intent cloudfw.Intent, target cloudfw.Target) []list {
	var lists []list
	for _, key := range target.Border.Keys() {
		if target.Kind == cloudfw.InternetFirewall && key.Direction == cloudfw.In {
			lists = append(lists, list{key, false})
			continue
		}
		for _, r := range intent.Rules {
			l := list{key, r.To.Blocked}
			if (r.From.Blocked || r.To.Blocked) && r.Direction == key.Direction && target.Takes(r) && !slices.Contains(lists, l) {
				lists = append(lists, l)
			}
		}
	}
	return lists
}

// firewallTracer prepares the search for the rule that blocks a prefix in each of
// the lists of its family: an enabled drop of ours that holds the prefix on the right
// side, with no pass rule above it that some packet of the prefix would meet first.
func firewallTracer(owner cloudfw.Owner, lists []list, live cloudfw.Snapshot) func(netip.Prefix) (Trace, string) {
	tracers := map[cloudfw.Family][]func(netip.Prefix) (Trace, string){}
	for _, l := range lists {
		tracers[l.key.Family] = append(tracers[l.key.Family], listTracer(owner, l, live))
	}
	return func(p netip.Prefix) (first Trace, why string) {
		for i, trace := range tracers[cloudfw.FamilyOf(p)] {
			t, why := trace(p)
			if why != "" {
				return Trace{}, why
			}
			if i == 0 {
				first = t
			}
		}
		return first, ""
	}
}

func listTracer(owner cloudfw.Owner, l list, live cloudfw.Snapshot) func(netip.Prefix) (Trace, string) {
	type guard struct {
		rule   cloudfw.FirewallRule
		passes []cloudfw.FirewallRule // enabled pass rules above that may meet the same packets
	}
	guards := map[netip.Prefix]guard{}
	flawed := map[netip.Prefix]string{}
	var passes []cloudfw.FirewallRule
	for _, r := range live.List(l.key) {
		if r.Action != cloudfw.Drop {
			if !r.Disabled {
				passes = append(passes, r)
			}
			continue
		}
		if !owner.Owns("rule", r.Description) || l.peer(r).Kind != cloudfw.Book {
			continue
		}
		held, _ := live.Addresses(l.peer(r))
		g := guard{rule: r}
		for _, pass := range passes {
			if cloudfw.Overlap(pass, r, live) {
				g.passes = append(g.passes, pass)
			}
		}
		for _, p := range held {
			switch {
			case r.Disabled || !r.Validity.Permanent():
				flawed[p] = fmt.Sprintf("rule #%d, which would block it, is disabled or has a validity time", r.Order)
			case guards[p].rule.ID == "":
				guards[p] = g
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
			from, known := live.Addresses(l.peer(pass))
			if !known || slices.ContainsFunc(from, p.Overlaps) {
				return Trace{}, fmt.Sprintf("rule #%d (%s, %q) lets it pass above our drop #%d", pass.Order, pass, pass.Description, g.rule.Order)
			}
		}
		return Trace{Prefix: p, RuleID: g.rule.ID, Order: g.rule.Order, Via: l.peer(g.rule).Value}, ""
	}
}

// groupTracer is listTracer for a security group, where a drop at the highest
// priority cannot be overruled.
func groupTracer(target cloudfw.Target, live cloudfw.Snapshot) func(netip.Prefix) (Trace, string) {
	found := map[netip.Prefix]Trace{}
	group, _ := live.Group(target.GroupID)
	for _, r := range group.Rules {
		// Whose rule it is does not matter here: the vendor adds none of ours beside one of
		// somebody else's that does the same (reference §3.1).
		if r.Action != cloudfw.Drop || r.Direction != cloudfw.In || r.Priority != 1 {
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
		return Trace{}, "no drop rule at priority 1 holds it"
	}
}
