package cloudfw

import (
	"net/netip"
	"slices"
)

// Done reports whether the step's effect is present in the snapshot. It is how a
// write whose reply was lost is settled: by looking, not by repeating (promise P6).
// A snapshot without the step's group says nothing about it; the answer is false.
func Done(step Step, live Snapshot) bool {
	if !step.Complete() {
		return false
	}
	switch step.Op {
	case CreateBook:
		b, ok := live.Book(step.Book.Name)
		return ok && b.Type == step.Book.Type && b.Family == step.Book.Family &&
			slices.Equal(b.Prefixes, step.Book.Prefixes) && slices.Equal(b.Entries, step.Book.Entries)
	case AppendAddresses:
		b, ok := live.Book(step.Book.Name)
		return ok && containsAll(b.Prefixes, step.Prefixes) && !slices.ContainsFunc(step.Book.Entries, func(e string) bool { return !slices.Contains(b.Entries, e) })
	case RemoveAddresses:
		b, ok := live.Book(step.Book.Name)
		return ok && containsNone(b.Prefixes, step.Prefixes) && !slices.ContainsFunc(step.Book.Entries, func(e string) bool { return slices.Contains(b.Entries, e) })
	case MarkBook:
		b, ok := live.Book(step.Book.Name)
		return ok && b.Description == step.Book.Description
	case DeleteBook:
		_, ok := live.Book(step.Book.Name)
		return !ok
	case InsertRule:
		return slices.ContainsFunc(live.List(step.Rule.Key()), func(r FirewallRule) bool {
			return r.Order == step.Rule.Order && r.Same(*step.Rule)
		})
	case MoveRule:
		return slices.ContainsFunc(live.Rules, func(r FirewallRule) bool {
			return r.ID == step.Rule.ID && r.Order == step.Rule.Order
		})
	case EditRule:
		return slices.ContainsFunc(live.Rules, func(r FirewallRule) bool {
			return r.ID == step.Rule.ID && r.Same(*step.Rule)
		})
	case DeleteRule:
		return !slices.ContainsFunc(live.Rules, func(r FirewallRule) bool { return r.ID == step.Rule.ID })
	case CreateList, EditList:
		l, ok := live.listNamed(step.List.Name)
		if step.Op == CreateList && (l.MaxEntries != step.List.MaxEntries || l.Family != step.List.Family) {
			return false
		}
		return ok && containsAll(l.Prefixes, step.Prefixes) && containsAll(l.Prefixes, step.List.Prefixes) && containsNone(l.Prefixes, step.Removed)
	case MarkList:
		l, ok := live.listNamed(step.List.Name)
		return ok && l.Description == step.List.Description
	case DeleteList:
		_, ok := live.listNamed(step.List.Name)
		return !ok
	case EditGroupRule:
		group, ok := live.Group(step.GroupID)
		return ok && len(step.GroupRules) == 1 && slices.ContainsFunc(group.Rules, func(r GroupRule) bool {
			return r.ID == step.GroupRules[0].ID && r.Same(live.resolve(step.GroupRules[0]))
		})
	case AuthoriseRules, RevokeRules:
		group, ok := live.Group(step.GroupID)
		return ok && !slices.ContainsFunc(step.GroupRules, func(want GroupRule) bool {
			if step.Op == AuthoriseRules { // the vendor adds no rule that differs in its description only (reference §3.1)
				return !slices.ContainsFunc(group.Rules, func(r GroupRule) bool { return r.Alike(live.resolve(want)) })
			}
			return slices.ContainsFunc(group.Rules, func(r GroupRule) bool { return r.Same(live.resolve(want)) })
		})
	}
	return false
}

// resolve replaces the name of a prefix list by its id.
func (s Snapshot) resolve(r GroupRule) GroupRule {
	if l, ok := s.listNamed(r.Peer.Value); ok && r.Peer.Kind == List {
		r.Peer.Value = l.ID
	}
	return r
}

func (s Snapshot) listNamed(name string) (PrefixList, bool) {
	for _, l := range s.Lists {
		if l.Name == name {
			return l, true
		}
	}
	return PrefixList{}, false
}

func containsAll(sorted, wanted []netip.Prefix) bool {
	return !slices.ContainsFunc(wanted, func(p netip.Prefix) bool { return !contains(sorted, p) })
}

func containsNone(sorted, unwanted []netip.Prefix) bool {
	return !slices.ContainsFunc(unwanted, func(p netip.Prefix) bool { return contains(sorted, p) })
}

func contains(sorted []netip.Prefix, p netip.Prefix) bool {
	_, found := slices.BinarySearchFunc(sorted, p, ComparePrefixes)
	return found
}
