package plan

import (
	"net/netip"
	"slices"

	"fwsync/cloudfw"
	"fwsync/cloudfw/packets"
)

// scene is as much of an account as the proof of one list needs: the list's rules in
// their order, or the groups, and what their names stand for.
type scene struct {
	key   cloudfw.ListKey
	group string // id of the security group; empty in the scene of an ordered list
	rules []cloudfw.FirewallRule
	world cloudfw.Snapshot // books, or lists and the group; strict mode; no rules
}

// listScene and groupScene copy what steps change. Slices of prefixes are replaced,
// never edited: the compiler knows them by identity.
func listScene(live cloudfw.Snapshot, key cloudfw.ListKey) *scene {
	return &scene{key: key, rules: live.List(key), world: cloudfw.Snapshot{Books: slices.Clone(live.Books), Strict: live.Strict}}
}

func groupScene(live cloudfw.Snapshot, group cloudfw.SecurityGroup) *scene {
	var named []cloudfw.PrefixList
	for _, l := range live.Lists {
		if slices.ContainsFunc(group.Rules, func(r cloudfw.GroupRule) bool { return r.Peer == (cloudfw.Peer{Kind: cloudfw.List, Value: l.ID}) }) {
			named = append(named, l)
		}
	}
	return &scene{group: group.ID, world: cloudfw.Snapshot{Lists: named, Groups: []cloudfw.SecurityGroup{group}}}
}

// follow does to the scene what the step does to the account, and reports whether
// that may matter to what the scene is about.
func (sc *scene) follow(s cloudfw.Step) bool {
	switch {
	case s.Book != nil:
		return sc.group == "" && sc.book(s)
	case s.Rule != nil:
		return sc.group == "" && s.Rule.Key() == sc.key && sc.rule(s)
	case s.List != nil:
		return sc.group != "" && sc.list(s)
	default:
		return sc.group == s.GroupID && sc.groupRules(s)
	}
}

func (sc *scene) book(s cloudfw.Step) bool {
	at := slices.IndexFunc(sc.world.Books, func(b cloudfw.AddressBook) bool { return b.Name == s.Book.Name })
	switch {
	case s.Op == cloudfw.CreateBook:
		sc.world.Books = append(sc.world.Books, *s.Book)
	case at < 0:
		return false
	case s.Op == cloudfw.AppendAddresses:
		sc.world.Books[at].Prefixes = with(sc.world.Books[at].Prefixes, s.Prefixes)
	case s.Op == cloudfw.RemoveAddresses:
		sc.world.Books[at].Prefixes = without(sc.world.Books[at].Prefixes, s.Prefixes)
	default:
		sc.world.Books = slices.Delete(sc.world.Books, at, at+1)
	}
	named := cloudfw.Peer{Kind: cloudfw.Book, Value: s.Book.Name}
	return slices.ContainsFunc(sc.rules, func(r cloudfw.FirewallRule) bool { return r.Source == named || r.Destination == named })
}

func (sc *scene) rule(s cloudfw.Step) bool {
	at := slices.IndexFunc(sc.rules, func(r cloudfw.FirewallRule) bool { return s.Rule.ID != "" && r.ID == s.Rule.ID })
	to := min(max(s.Rule.Order-1, 0), len(sc.rules))
	switch {
	case s.Op == cloudfw.InsertRule:
		sc.rules = slices.Insert(slices.Clone(sc.rules), to, *s.Rule)
	case at < 0:
		return false
	case s.Op == cloudfw.EditRule:
		sc.rules = slices.Clone(sc.rules)
		sc.rules[at] = *s.Rule
	default:
		moved := sc.rules[at]
		sc.rules = slices.Delete(slices.Clone(sc.rules), at, at+1)
		if s.Op == cloudfw.MoveRule {
			sc.rules = slices.Insert(sc.rules, min(to, len(sc.rules)), moved)
		}
	}
	return true
}

func (sc *scene) list(s cloudfw.Step) bool {
	at := slices.IndexFunc(sc.world.Lists, func(l cloudfw.PrefixList) bool { return l.Name == s.List.Name })
	switch {
	case s.Op == cloudfw.CreateList:
		sc.world.Lists = append(sc.world.Lists, *s.List)
	case at < 0:
		return false
	case s.Op == cloudfw.EditList:
		l := &sc.world.Lists[at]
		l.Prefixes = with(without(l.Prefixes, s.Removed), s.Prefixes)
	default:
		sc.world.Lists = slices.Delete(sc.world.Lists, at, at+1)
	}
	return slices.ContainsFunc(sc.world.Groups[0].Rules, func(r cloudfw.GroupRule) bool {
		return r.Peer.Kind == cloudfw.List && (r.Peer.Value == s.List.ID || r.Peer.Value == s.List.Name)
	})
}

func (sc *scene) groupRules(s cloudfw.Step) bool {
	g := &sc.world.Groups[0]
	switch s.Op {
	case cloudfw.AuthoriseRules:
		g.Rules = slices.Concat(g.Rules, s.GroupRules)
	case cloudfw.RevokeRules, cloudfw.EditGroupRule:
		g.Rules = slices.DeleteFunc(slices.Clone(g.Rules), func(r cloudfw.GroupRule) bool {
			return slices.ContainsFunc(s.GroupRules, func(gone cloudfw.GroupRule) bool { return gone.ID == r.ID })
		})
		if s.Op == cloudfw.EditGroupRule {
			g.Rules = append(g.Rules, s.GroupRules...)
		}
	}
	return true
}

// with and without return new slices.
func with(have, more []netip.Prefix) []netip.Prefix {
	return cloudfw.SortPrefixes(slices.Concat(have, more))
}

func without(have, less []netip.Prefix) []netip.Prefix {
	return slices.DeleteFunc(slices.Clone(have), func(p netip.Prefix) bool {
		_, gone := slices.BinarySearchFunc(less, p, cloudfw.ComparePrefixes)
		return gone
	})
}

// moments compiles the scene before the first step and after each that changes it,
// with the numbers of those steps, counted from 1.
func (sc *scene) moments(steps []cloudfw.Step, compile func(*scene) *packets.List) ([]*packets.List, []int) {
	states, numbers := []*packets.List{compile(sc)}, []int{0}
	for i, s := range steps {
		if sc.follow(s) {
			states, numbers = append(states, compile(sc)), append(numbers, i+1)
		}
	}
	return states, numbers
}
