package conformance

import (
	"net/netip"
	"strings"

	"fwsync/cloudfw"
)

// Ids of the vendor's form that nobody has.
const (
	noBook      = "00000000-0000-4000-8000-00000000b00c"
	noRule      = "00000000-0000-4000-8000-000000000a1e"
	noList      = "pl-conformance0nowhere00"
	noGroup     = "sg-conformance0nowhere00"
	noGroupRule = "sgr-conformance0nowhere0"
	noNAT       = "ngw-conformance0nowhere0"
	noVPC       = "cen-conformance0nowhere0"
)

// unknownIDs: whatever is named and not there is NotFound.
func unknownIDs(s *scene) {
	absent := []cloudfw.Kind{cloudfw.NotFound}
	var cases []refusal
	add := func(what string, step cloudfw.Step, kinds []cloudfw.Kind) {
		cases = append(cases, refusal{what, step, kinds})
	}
	for _, id := range []string{noBook, ""} {
		b := s.book("nowhere", cloudfw.IPv4)
		b.ID = id
		how := " by name"
		if id != "" {
			how = " by id"
		}
		add("appending to no book"+how, cloudfw.Step{Op: cloudfw.AppendAddresses, Book: b, Prefixes: parse("192.0.2.1/32")}, absent)
		add("removing from no book"+how, cloudfw.Step{Op: cloudfw.RemoveAddresses, Book: b, Prefixes: parse("192.0.2.1/32")}, append([]cloudfw.Kind{""}, absent...))
		add("marking no book"+how, cloudfw.Step{Op: cloudfw.MarkBook, Book: b}, absent)
		add("deleting no book"+how, cloudfw.Step{Op: cloudfw.DeleteBook, Book: b}, gone)
	}
	for _, id := range []string{noList, ""} {
		l := s.list("nowhere", cloudfw.IPv4, 3)
		l.ID = id
		how := " by name"
		if id != "" {
			how = " by id"
		}
		add("editing no prefix list"+how, cloudfw.Step{Op: cloudfw.EditList, List: l, Prefixes: parse("192.0.2.1/32")}, absent)
		add("marking no prefix list"+how, cloudfw.Step{Op: cloudfw.MarkList, List: l}, absent)
		add("deleting no prefix list"+how, cloudfw.Step{Op: cloudfw.DeleteList, List: l}, gone)
	}
	borders := map[cloudfw.BorderKind]bool{}
	for _, key := range s.keys {
		if borders[key.Border.Kind()] {
			continue
		}
		borders[key.Border.Kind()] = true
		where := " at the border " + key.Border.String()
		rule := s.rule(key, "nowhere")
		rule.ID, rule.Order = noRule, 1
		add("moving no rule"+where, cloudfw.Step{Op: cloudfw.MoveRule, Rule: &rule, From: 2}, absent)
		add("editing no rule"+where, cloudfw.Step{Op: cloudfw.EditRule, Rule: &rule}, absent)
		add("deleting no rule"+where, cloudfw.Step{Op: cloudfw.DeleteRule, Rule: &rule}, gone)
		referring := s.rule(key, "referring")
		referring.Source = cloudfw.Peer{Kind: cloudfw.Book, Value: s.owner.BookName("nowhere")}
		add("a rule that refers to no book"+where, insert(referring, 1), absent)
		ported := s.rule(key, "ported")
		ported.Ports, ported.PortBook = cloudfw.PortRange{}, s.owner.BookName("nowhere")
		add("a rule that refers to no port book"+where, insert(ported, 1), absent)
	}
	plain := s.groupRule(cloudfw.In, "nowhere")
	add("authorising in no group", authorise(noGroup, plain), absent)
	if s.Group != "" {
		byList := plain
		byList.Peer = cloudfw.Peer{Kind: cloudfw.List, Value: s.owner.BookName("nowhere")}
		add("a group rule that refers to no list by name", authorise(s.Group, byList), absent)
		byList.Peer.Value = noList
		add("a group rule that refers to no list by id", authorise(s.Group, byList), absent)
		plain.ID = noGroupRule
		add("editing no group rule", cloudfw.Step{Op: cloudfw.EditGroupRule, GroupID: s.Group, GroupRules: []cloudfw.GroupRule{plain}}, absent)
		add("revoking no group rule", cloudfw.Step{Op: cloudfw.RevokeRules, GroupID: s.Group, GroupRules: []cloudfw.GroupRule{plain}}, gone)
	}
	s.changeNothing(cases...)

	for what, scope := range map[string]cloudfw.Scope{
		noGroup: {Groups: append([]string{noGroup}, s.scope.Groups...)},
		noNAT:   {Borders: append([]cloudfw.Border{{NAT: noNAT}}, s.scope.Borders...)},
		noVPC:   {Borders: append([]cloudfw.Border{{VPC: noVPC}}, s.scope.Borders...)},
	} {
		snap, err := s.account.Observe(s.Context(), scope)
		if cloudfw.KindOf(err) != cloudfw.NotFound || !strings.Contains(err.Error(), what) {
			s.Errorf("observing %s, which is not there: %s, want not found with its id", what, outcome(err))
		}
		if snap.Rules != nil || snap.Books != nil || snap.Groups != nil {
			s.Errorf("observing %s, which is not there, came with a part of a snapshot", what)
		}
	}
}

// senselessSteps: a step that no account can mean anything by is Invalid, and no
// account falls over it.
func senselessSteps(s *scene) {
	b := s.book("senseless", cloudfw.IPv4, "192.0.2.1/32")
	s.carry(cloudfw.Step{Op: cloudfw.CreateBook, Book: b})
	var cases []refusal
	add := func(what string, step cloudfw.Step) {
		cases = append(cases, refusal{what, step, []cloudfw.Kind{cloudfw.Invalid}})
	}
	add("no operation", cloudfw.Step{})
	add("an unknown operation", cloudfw.Step{Op: "paint rule", Rule: &cloudfw.FirewallRule{ID: noRule}})
	for _, op := range []cloudfw.Op{cloudfw.CreateBook, cloudfw.AppendAddresses, cloudfw.RemoveAddresses, cloudfw.MarkBook, cloudfw.DeleteBook, cloudfw.InsertRule, cloudfw.MoveRule,
		cloudfw.EditRule, cloudfw.DeleteRule, cloudfw.CreateList, cloudfw.EditList, cloudfw.MarkList, cloudfw.DeleteList, cloudfw.AuthoriseRules, cloudfw.RevokeRules, cloudfw.EditGroupRule} {
		add(string(op)+" without anything", cloudfw.Step{Op: op})
	}
	live := s.liveBook(b.Name)
	unmasked := netip.MustParsePrefix("192.0.2.1/24")
	for what, prefixes := range map[string][]netip.Prefix{
		"no address": nil, "an address of the other family": parse("2001:db8::1/128"), "host bits behind the mask": {unmasked}, "the zero prefix": {netip.Prefix{}},
	} {
		add("appending "+what, cloudfw.Step{Op: cloudfw.AppendAddresses, Book: &live, Prefixes: prefixes})
		made := s.book("senseless-new", cloudfw.IPv4)
		made.Prefixes = prefixes
		add("a book of "+what, cloudfw.Step{Op: cloudfw.CreateBook, Book: made})
	}
	for _, key := range s.keys {
		for what, change := range map[string]func(*cloudfw.FirewallRule){
			"a position of 0":                    func(r *cloudfw.FirewallRule) { r.Order = 0 },
			"an unknown action":                  func(r *cloudfw.FirewallRule) { r.Action = "reject" },
			"an unknown protocol":                func(r *cloudfw.FirewallRule) { r.Protocol = "sctp" },
			"a network of the other family":      func(r *cloudfw.FirewallRule) { r.Source = network(otherFamily(key.Family), 0) },
			"a network that is none":             func(r *cloudfw.FirewallRule) { r.Source.Value = "192.0.2.0/33" },
			"ports without a protocol":           func(r *cloudfw.FirewallRule) { r.Protocol = cloudfw.ICMP },
			"an application over UDP":            func(r *cloudfw.FirewallRule) { r.Protocol, r.Application = cloudfw.UDP, "SMTP" },
			"a domain as source":                 func(r *cloudfw.FirewallRule) { r.Source = cloudfw.Peer{Kind: cloudfw.Domain, Value: "example.com"} },
			"hours without a repetition":         func(r *cloudfw.FirewallRule) { r.Validity.From = "08:00" },
			"a validity without times":           func(r *cloudfw.FirewallRule) { r.Validity.Repeat = cloudfw.Once },
			"a security group as destination":    func(r *cloudfw.FirewallRule) { r.Destination = cloudfw.Peer{Kind: cloudfw.Group, Value: noGroup} },
			"a list that the border has not got": func(r *cloudfw.FirewallRule) { r.Direction = "sideways" },
		} {
			step := insert(s.rule(key, "senseless"), 1)
			change(step.Rule)
			add("a rule with "+what+", "+key.String(), step)
		}
	}
	in, out := s.groupRule(cloudfw.In, "senseless"), s.groupRule(cloudfw.Out, "senseless")
	add("group rules of both directions in one step", authorise(noGroup, in, out))
	for what, change := range map[string]func(*cloudfw.GroupRule){
		"priority 0":       func(r *cloudfw.GroupRule) { r.Priority = 0 },
		"priority 101":     func(r *cloudfw.GroupRule) { r.Priority = 101 },
		"action log":       func(r *cloudfw.GroupRule) { r.Action = cloudfw.Log },
		"ports for ICMP":   func(r *cloudfw.GroupRule) { r.Protocol = cloudfw.ICMP },
		"a book as peer":   func(r *cloudfw.GroupRule) { r.Peer = cloudfw.Peer{Kind: cloudfw.Book, Value: b.Name} },
		"no peer":          func(r *cloudfw.GroupRule) { r.Peer = cloudfw.Peer{} },
		"an odd direction": func(r *cloudfw.GroupRule) { r.Direction = cloudfw.Between },
	} {
		rule := in
		change(&rule)
		add("a group rule with "+what, authorise(noGroup, rule))
	}
	swapped := in
	swapped.ID, swapped.Peer = noGroupRule, cloudfw.Peer{}
	add("an edit that takes a group rule its peer", cloudfw.Step{Op: cloudfw.EditGroupRule, GroupID: noGroup, GroupRules: []cloudfw.GroupRule{swapped}})
	add("an edit of two group rules", cloudfw.Step{Op: cloudfw.EditGroupRule, GroupID: noGroup, GroupRules: []cloudfw.GroupRule{swapped, swapped}})
	if most := s.Limits.RulesPerCall; most > 0 {
		crowd := make([]cloudfw.GroupRule, most+1)
		for i := range crowd {
			crowd[i] = in
			crowd[i].Peer.Value = many(most + 1)[i].String()
		}
		add("one group rule more than a call takes", authorise(noGroup, crowd...))
	}
	s.changeNothing(cases...)
}

func otherFamily(f cloudfw.Family) cloudfw.Family {
	if f == cloudfw.IPv4 {
		return cloudfw.IPv6
	}
	return cloudfw.IPv4
}
