package conformance

import (
	"fmt"
	"slices"

	"fwsync/cloudfw"
)

// groupRule is a plain rule of the group, for a network that is nobody's.
func (r *trial) groupRule(direction cloudfw.Direction, name string) cloudfw.GroupRule {
	return cloudfw.GroupRule{
		Direction: direction, Action: cloudfw.Drop, Protocol: cloudfw.TCP, Ports: cloudfw.PortRange{First: 25, Last: 25},
		Peer: network(cloudfw.IPv4, 0), Priority: 50, Description: r.mark("rule", fmt.Sprintf("group-%s.%s", direction, name)),
	}
}

// groupForms are the kinds of rules that a group may hold (reference §3.1).
func (r *trial) groupForms(direction cloudfw.Direction) []cloudfw.GroupRule {
	var all []cloudfw.GroupRule
	add := func(name string, change func(*cloudfw.GroupRule)) {
		rule := r.groupRule(direction, name)
		change(&rule)
		all = append(all, rule)
	}
	add("tcp-port", func(*cloudfw.GroupRule) {})
	add("tcp-every-port", func(g *cloudfw.GroupRule) { g.Ports = cloudfw.PortRange{} })
	add("udp-range", func(g *cloudfw.GroupRule) {
		g.Action, g.Protocol, g.Ports, g.Priority = cloudfw.Accept, cloudfw.UDP, cloudfw.PortRange{First: 6000, Last: 6100}, 100
	})
	add("six", func(g *cloudfw.GroupRule) { g.Peer = network(cloudfw.IPv6, 0) })
	for i, protocol := range []cloudfw.Protocol{cloudfw.AnyProtocol, cloudfw.ICMP, "gre"} {
		add(string(protocol), func(g *cloudfw.GroupRule) {
			g.Protocol, g.Ports, g.Priority = protocol, cloudfw.PortRange{}, 1+i
		})
	}
	add("icmpv6", func(g *cloudfw.GroupRule) {
		g.Protocol, g.Ports, g.Peer = "icmpv6", cloudfw.PortRange{}, network(cloudfw.IPv6, 1)
	})
	return all
}

func authorise(group string, rules ...cloudfw.GroupRule) cloudfw.Step {
	return cloudfw.Step{Op: cloudfw.AuthoriseRules, GroupID: group, GroupRules: rules}
}

// madeGroupRule is the live rule with that description, which has to be there once.
func (s *scene) madeGroupRule(want cloudfw.GroupRule) cloudfw.GroupRule {
	s.Helper()
	var found []cloudfw.GroupRule
	group, _ := s.live.Group(s.Group)
	for _, r := range group.Rules {
		if r.Description == want.Description {
			found = append(found, r)
		}
	}
	if len(found) != 1 {
		s.Fatalf("group %s: %d rules %q, want one", s.Group, len(found), want.Description)
	}
	return found[0]
}

// groupRules: both directions of rules read back as written, authorising twice is
// authorising once, an edit keeps the rule's identity, a revoked rule is gone.
func groupRules(s *scene) {
	ways := []cloudfw.Direction{cloudfw.In, cloudfw.Out}
	var steps []cloudfw.Step
	var again []refusal
	for _, direction := range ways {
		step := authorise(s.Group, s.groupForms(direction)...)
		steps = append(steps, step)
		again = append(again, refusal{"authorising rules that are there, " + string(direction), step, harmless})
	}
	s.carry(steps...)
	for _, step := range steps {
		for _, want := range step.GroupRules {
			if got := s.madeGroupRule(want); !got.Same(want) {
				s.Errorf("the rule reads back as another\ngot  %s\nwant %s", plain(got), plain(want))
			}
		}
	}
	s.changeNothing(again...)

	// An edit changes everything but the kind of the peer.
	var edits []cloudfw.Step
	ids := map[string]string{}
	for _, direction := range ways {
		rule := s.madeGroupRule(s.groupRule(direction, "tcp-port"))
		rule.Action, rule.Protocol, rule.Ports, rule.Priority = cloudfw.Accept, cloudfw.UDP, cloudfw.PortRange{First: 514, Last: 515}, 99
		rule.Peer, rule.Description = network(cloudfw.IPv4, 1), s.groupRule(direction, "edited").Description
		ids[rule.Description] = rule.ID
		edits = append(edits, cloudfw.Step{Op: cloudfw.EditGroupRule, GroupID: s.Group, GroupRules: []cloudfw.GroupRule{rule}})
	}
	s.carry(edits...)
	for _, direction := range ways {
		want := s.groupRule(direction, "edited")
		if got := s.madeGroupRule(want); got.ID != ids[want.Description] {
			s.Errorf("%s: the edited rule %s became %s", direction, ids[want.Description], got.ID)
		}
	}

	// The vendor keeps the kind of the peer as it is (reference §3.1): an account may
	// refuse to change it, and must not say that it did when it did not.
	var kinds []refusal
	for _, direction := range ways {
		rule := s.madeGroupRule(s.groupRule(direction, "edited"))
		rule.Peer = network(cloudfw.IPv6, 0)
		kinds = append(kinds, refusal{"changing the kind of a peer", cloudfw.Step{Op: cloudfw.EditGroupRule, GroupID: s.Group, GroupRules: []cloudfw.GroupRule{rule}}, []cloudfw.Kind{cloudfw.Invalid, cloudfw.Conflict}})
	}
	s.changeNothing(kinds...)

	var revocations []cloudfw.Step
	var twice []refusal
	for _, direction := range ways {
		var live []cloudfw.GroupRule
		for _, form := range s.groupForms(direction)[1:] {
			live = append(live, s.madeGroupRule(form))
		}
		revocations = append(revocations, cloudfw.Step{Op: cloudfw.RevokeRules, GroupID: s.Group, GroupRules: live})
		one := cloudfw.Step{Op: cloudfw.RevokeRules, GroupID: s.Group, GroupRules: live[:1]}
		twice = append(twice, refusal{"revoking a second time, " + string(direction), one, gone})
		lost := slices.Clone(live[:1])
		lost[0].Priority++
		twice = append(twice, refusal{"editing a revoked rule, " + string(direction), cloudfw.Step{Op: cloudfw.EditGroupRule, GroupID: s.Group, GroupRules: lost}, []cloudfw.Kind{cloudfw.NotFound}})
	}
	s.carry(revocations...)
	s.changeNothing(twice...)
}

// groupRulesReferToLists: a rule may name its prefix list by id or, as in a plan that
// makes the list, by name; a list in use is not deleted.
func groupRulesReferToLists(s *scene) {
	four, six := s.list("used4", cloudfw.IPv4, 2, "192.0.2.1/32"), s.list("used6", cloudfw.IPv6, 2, "2001:db8::1/128")
	s.carry(cloudfw.Step{Op: cloudfw.CreateList, List: four}, cloudfw.Step{Op: cloudfw.CreateList, List: six})
	byName, byID := s.groupRule(cloudfw.In, "by-name"), s.groupRule(cloudfw.Out, "by-id")
	byName.Peer = cloudfw.Peer{Kind: cloudfw.List, Value: four.Name}
	byID.Peer = cloudfw.Peer{Kind: cloudfw.List, Value: s.liveList(six.Name).ID}
	s.carry(authorise(s.Group, byName), authorise(s.Group, byID))
	if got, want := s.madeGroupRule(byName).Peer.Value, s.liveList(four.Name).ID; got != want {
		s.Errorf("the rule that named its list refers to %q, want the id %q", got, want)
	}

	list := s.liveList(four.Name)
	s.changeNothing(refusal{"deleting a prefix list in use", cloudfw.Step{Op: cloudfw.DeleteList, List: &list}, []cloudfw.Kind{cloudfw.Conflict}})
	edited := list
	edited.Prefixes = nil
	s.carry(cloudfw.Step{Op: cloudfw.EditList, List: &edited, Prefixes: parse("192.0.2.2/32"), Removed: parse("192.0.2.1/32")})

	s.carry(
		cloudfw.Step{Op: cloudfw.RevokeRules, GroupID: s.Group, GroupRules: []cloudfw.GroupRule{s.madeGroupRule(byName)}},
		cloudfw.Step{Op: cloudfw.RevokeRules, GroupID: s.Group, GroupRules: []cloudfw.GroupRule{s.madeGroupRule(byID)}},
	)
	list = s.liveList(four.Name)
	s.carry(cloudfw.Step{Op: cloudfw.DeleteList, List: &list})
}
