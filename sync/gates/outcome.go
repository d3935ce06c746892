package gates

import (
	"net/netip"
	"slices"
	"strings"

	"fwsync/cloudfw"
)

// outcome is what the plan's steps come to. It follows the steps themselves and asks
// neither the intent nor the planner what they were meant to do.
type outcome struct {
	after cloudfw.Snapshot

	// before and entries are what our drops block before the plan and after it,
	// sorted. Entries has also what steps write into sets that no rule names.
	before, entries []netip.Prefix
	// held is what our sets hold before the plan, whether a rule names them or not.
	held    []netip.Prefix
	heldSet spans
	covered spans // by entries
	// removed is what is blocked before the plan and not after it.
	removed spans
}

func (in Input) result() *outcome {
	if in.outcome != nil {
		return in.outcome
	}
	return outcomeOf(in)
}

func outcomeOf(in Input) *outcome {
	owner := in.Plan.Owner
	o := &outcome{after: follow(in.Live, in.Plan.Steps), before: blocking(owner, in.Live), held: holding(owner, in.Live)}
	after := blocking(owner, o.after)
	o.heldSet = union(o.held)
	o.removed = union(o.before).minus(union(after))
	o.entries = sorted(append(after, written(owner, in.Plan.Steps)...))
	o.covered = union(o.entries)
	return o
}

// blocking is every prefix that one of our drops blocks: the books of blocked
// addresses that a firewall rule in force names, our prefix lists that a group rule
// names, and the networks of group rules. Declared rules that drop other things are a
// person's word and no block.
func blocking(owner cloudfw.Owner, s cloudfw.Snapshot) []netip.Prefix {
	named := map[string]bool{}
	for _, r := range s.Rules {
		if r.Action == cloudfw.Drop && !r.Disabled && owner.Owns("rule", r.Description) {
			for _, peer := range []cloudfw.Peer{r.Source, r.Destination} {
				if peer.Kind == cloudfw.Book {
					named[peer.Value] = true
				}
			}
		}
	}
	var all []netip.Prefix
	for _, b := range s.Books {
		if named[b.Name] && blocks(owner, b) {
			all = append(all, b.Prefixes...)
		}
	}
	all = append(all, grouped(owner, s)...)
	return sorted(all)
}

// grouped is what our rules in security groups drop.
func grouped(owner cloudfw.Owner, s cloudfw.Snapshot) []netip.Prefix {
	var all []netip.Prefix
	for _, g := range s.Groups {
		for _, r := range g.Rules {
			if prefixes, ok := s.Addresses(r.Peer); ok && r.Action == cloudfw.Drop && owner.Owns("rule", r.Description) {
				all = append(all, prefixes...)
			}
		}
	}
	return all
}

// holding is every prefix in our sets, whether a rule names them or not. What is in
// them has passed the gates once: to put a lost rule back blocks nobody anew.
func holding(owner cloudfw.Owner, s cloudfw.Snapshot) []netip.Prefix {
	var all []netip.Prefix
	for _, b := range s.Books {
		if blocks(owner, b) {
			all = append(all, b.Prefixes...)
		}
	}
	all = append(all, grouped(owner, s)...)
	for _, l := range s.Lists {
		if owner.OwnsList(l) {
			all = append(all, l.Prefixes...)
		}
	}
	return sorted(all)
}

// blocks reports whether the book is ours and holds blocked addresses. Books of
// declared groups name destinations and friends.
func blocks(owner cloudfw.Owner, b cloudfw.AddressBook) bool {
	return owner.OwnsBook(b) && strings.HasPrefix(b.Name, owner.BookName("blocked"))
}

// sorted is cloudfw.SortPrefixes for what mostly is in order already.
func sorted(all []netip.Prefix) []netip.Prefix {
	if slices.IsSortedFunc(all, cloudfw.ComparePrefixes) {
		return slices.Compact(all)
	}
	return cloudfw.SortPrefixes(all)
}

// written is what the steps write into sets of blocked addresses and group rules.
func written(owner cloudfw.Owner, steps []cloudfw.Step) []netip.Prefix {
	var all []netip.Prefix
	for _, s := range steps {
		switch s.Op {
		case cloudfw.CreateBook:
			if !strings.HasPrefix(s.Book.Name, owner.BookName("group-")) {
				all = append(all, s.Book.Prefixes...)
			}
		case cloudfw.CreateList:
			all = append(all, s.List.Prefixes...)
		case cloudfw.AppendAddresses, cloudfw.EditList:
			all = append(all, s.Prefixes...)
		case cloudfw.AuthoriseRules, cloudfw.EditGroupRule:
			for _, r := range s.GroupRules {
				if p, err := cloudfw.ParsePrefix(r.Peer.Value); err == nil && r.Peer.Kind == cloudfw.Net && r.Action == cloudfw.Drop {
					all = append(all, p)
				}
			}
		}
	}
	return all
}

// follow is the state that the steps lead to. The order of rules is left out: no gate
// asks for it. What it is given stays as it is.
func follow(live cloudfw.Snapshot, steps []cloudfw.Step) cloudfw.Snapshot {
	s := live
	s.Books, s.Lists, s.Rules, s.Groups = slices.Clone(live.Books), slices.Clone(live.Lists), slices.Clone(live.Rules), slices.Clone(live.Groups)
	for _, step := range steps {
		if !step.Complete() {
			continue
		}
		switch step.Op {
		case cloudfw.CreateBook:
			s.Books = append(s.Books, *step.Book)
		case cloudfw.DeleteBook:
			s.Books = slices.DeleteFunc(s.Books, func(b cloudfw.AddressBook) bool { return b.Name == step.Book.Name })
		case cloudfw.AppendAddresses, cloudfw.RemoveAddresses:
			added, removed := step.Prefixes, []netip.Prefix(nil)
			if step.Op == cloudfw.RemoveAddresses {
				added, removed = removed, added
			}
			for i, b := range s.Books {
				if b.Name == step.Book.Name {
					s.Books[i].Prefixes = edited(b.Prefixes, added, removed)
				}
			}
		case cloudfw.CreateList:
			s.Lists = append(s.Lists, *step.List)
		case cloudfw.DeleteList:
			s.Lists = slices.DeleteFunc(s.Lists, func(l cloudfw.PrefixList) bool { return l.Name == step.List.Name })
		case cloudfw.EditList:
			for i, l := range s.Lists {
				if l.Name == step.List.Name {
					s.Lists[i].Prefixes = edited(l.Prefixes, step.Prefixes, step.Removed)
				}
			}
		case cloudfw.InsertRule:
			s.Rules = append(s.Rules, *step.Rule)
		case cloudfw.DeleteRule, cloudfw.EditRule:
			s.Rules = slices.DeleteFunc(s.Rules, func(r cloudfw.FirewallRule) bool { return r.ID != "" && r.ID == step.Rule.ID })
			if step.Op == cloudfw.EditRule {
				s.Rules = append(s.Rules, *step.Rule)
			}
		case cloudfw.AuthoriseRules, cloudfw.RevokeRules, cloudfw.EditGroupRule:
			for i, g := range s.Groups {
				if g.ID == step.GroupID {
					s.Groups[i].Rules = regrouped(g.Rules, step)
				}
			}
		}
	}
	return s
}

func edited(have, added, removed []netip.Prefix) []netip.Prefix {
	gone := map[netip.Prefix]bool{}
	for _, p := range removed {
		gone[p] = true
	}
	kept := slices.DeleteFunc(slices.Clone(have), func(p netip.Prefix) bool { return gone[p] })
	return sorted(append(kept, added...))
}

func regrouped(rules []cloudfw.GroupRule, step cloudfw.Step) []cloudfw.GroupRule {
	rules = slices.Clone(rules)
	if step.Op != cloudfw.AuthoriseRules {
		rules = slices.DeleteFunc(rules, func(r cloudfw.GroupRule) bool {
			return slices.ContainsFunc(step.GroupRules, func(o cloudfw.GroupRule) bool { return o.ID != "" && o.ID == r.ID })
		})
	}
	if step.Op != cloudfw.RevokeRules {
		rules = append(rules, step.GroupRules...)
	}
	return rules
}
