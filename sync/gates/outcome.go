package gates

import (
	"net/netip"
	"slices"
	"strings"

	"fwsync/cloudfw"
	"fwsync/sync/plan"
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
	o := &outcome{after: cloudfw.After(in.Live, in.Plan.Steps), before: blocking(owner, in.Live), held: holding(owner, in.Live)}
	now := blocking(owner, o.after)
	o.heldSet = union(o.held)
	if in.Plan.Kind == plan.Release {
		// Nobody is unblocked or blocked: the ownership gate sees to it that what is given up stays as it is.
		o.entries = now
	} else {
		o.removed = union(o.before).minus(union(now))
		o.entries = sorted(append(now, written(owner, o.after, in.Plan.Steps)...))
	}
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
		if r.Action == cloudfw.Drop && !r.Disabled && !r.Validity.Lapsed(s.TakenAt) && owner.Owns("rule", r.Description) {
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

// written is what the steps write into sets of blocked addresses and group rules, and
// what is in the sets that they make ours.
func written(owner cloudfw.Owner, after cloudfw.Snapshot, steps []cloudfw.Step) []netip.Prefix {
	var all []netip.Prefix
	for _, s := range steps {
		switch s.Op {
		case cloudfw.CreateBook:
			if !strings.HasPrefix(s.Book.Name, owner.BookName("group-")) {
				all = append(all, s.Book.Prefixes...)
			}
		case cloudfw.MarkBook:
			if b, there := after.Book(s.Book.Name); there && blocks(owner, b) {
				all = append(all, b.Prefixes...)
			}
		case cloudfw.MarkList:
			for _, l := range after.Lists {
				if l.Name == s.List.Name && owner.OwnsList(l) {
					all = append(all, l.Prefixes...)
				}
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
