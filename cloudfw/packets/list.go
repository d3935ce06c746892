package packets

import (
	"net/netip"
	"slices"

	"fwsync/cloudfw"
)

// Packet is one packet, or the first one of a session, as a firewall sees it.
type Packet struct {
	Source, Destination netip.Addr
	Protocol            cloudfw.Protocol
	Port                uint16 // of the destination; TCP and UDP only
	Application         string // upper case, as the firewall has recognised it; empty when it has not
	// True holds the opaque conditions that are true of the packet: see Conditions.
	True []string
}

// rule is one rule, compiled: a box of packets and what happens to them. A nil set
// is the whole dimension.
type rule struct {
	id           string // how the rule is called in answers
	pass         bool
	source       set
	destination  set
	service      set
	applications []string // sorted; nil for all
	conditions   []string // sorted; all of them must be true
	never        bool     // it matches nothing: disabled, or without an address of the family
}

// List is an ordered list of rules; the first that matches decides, and without one
// the fallback. It is immutable and safe for concurrent use.
type List struct {
	family cloudfw.Family
	rules  []*rule
	pass   bool // the fallback
}

// Firewall compiles one ordered list by itself; see Compiler.Firewall.
func Firewall(key cloudfw.ListKey, rules []cloudfw.FirewallRule, world cloudfw.Snapshot) *List {
	return NewCompiler().Firewall(key, rules, world)
}

// Decision is a verdict and where it comes from.
type Decision struct {
	Action cloudfw.Action // Accept or Drop; Log counts as Accept
	Rule   string         // id of the rule that decides, its description where it has none; empty: the fallback
	At     int            // its index in the compiled list, from 0; -1 for the fallback
}

// Decide says what happens to a packet. A packet of the other family falls back.
func (l *List) Decide(p Packet) Decision {
	for i := range l.rules {
		if l.rules[i].matches(p, l.family) {
			return Decision{action(l.rules[i].pass), l.rules[i].id, i}
		}
	}
	return Decision{action(l.pass), "", -1}
}

func action(pass bool) cloudfw.Action {
	if pass {
		return cloudfw.Accept
	}
	return cloudfw.Drop
}

func (r *rule) matches(p Packet, family cloudfw.Family) bool {
	if r.never || p.Source.Is4() != (family == cloudfw.IPv4) {
		return false
	}
	return (r.source == nil || r.source.holds(address(p.Source))) &&
		(r.destination == nil || r.destination.holds(address(p.Destination))) &&
		(r.service == nil || r.service.holds(servicePoint(p.Protocol, p.Port))) &&
		(r.applications == nil || slices.Contains(r.applications, p.Application)) &&
		!slices.ContainsFunc(r.conditions, func(c string) bool { return !slices.Contains(p.True, c) })
}

// Conditions are the opaque conditions that rules of the list ask for, sorted.
func (l *List) Conditions() []string {
	var all []string
	for _, r := range l.rules {
		all = append(all, r.conditions...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
