package plan

import (
	"net/netip"
	"slices"

	"fwsync/cloudfw"
	"fwsync/cloudfw/lower"
)

// diffGroups plans the security groups and their prefix lists. Each blocked packet
// is decided by exactly one kind of rule, a drop at the highest priority, so adding
// before removing keeps every packet at its old or its new verdict. Where the
// group has no room for both, the leavers go first: they are unblocked a moment
// before the newcomers are blocked, which is their new verdict too. An address that
// stays blocked but changes from one rule to another needs room for both.
func diffGroups(owner cloudfw.Owner, live cloudfw.Snapshot, wanted lower.Wanted, limits cloudfw.Limits) []cloudfw.Step {
	target := listTargets(wanted)
	var before, after []cloudfw.Step
	keep := map[string]bool{}
	for _, want := range wanted.Lists {
		keep[want.Name] = true
		have, ok := listNamed(live, want.Name)
		if !ok {
			want.Description = cloudfw.Summed(want.Description, want.Prefixes)
			before = append(before, cloudfw.Step{Op: cloudfw.CreateList, Target: target[want.Name], List: &want, Reason: "the prefix list does not exist"})
			continue
		}
		if !owner.OwnsList(have) || have.MaxEntries != want.MaxEntries {
			continue // the name is taken: gates refuses the plan
		}
		added, removed := difference(have.Prefixes, want.Prefixes)
		if len(added) > 0 || len(removed) > 0 {
			edited, reason := have, "the highest scores have changed"
			if cloudfw.Edited(have.Description, have.Prefixes) {
				reason = "somebody else has edited the list"
			}
			edited.Prefixes, edited.Description = nil, cloudfw.Summed(have.Description, want.Prefixes)
			before = append(before, cloudfw.Step{Op: cloudfw.EditList, Target: target[want.Name], List: &edited, Prefixes: added, Removed: removed, Reason: reason})
		}
	}
	for _, l := range live.Lists {
		if owner.OwnsList(l) && !keep[l.Name] && refersNowhereElse(l, wanted, owner) {
			gone := l
			after = append(after, cloudfw.Step{Op: cloudfw.DeleteList, Target: "security-group", List: &gone, Reason: "no group needs the list any more"})
		}
	}
	for _, want := range wanted.Groups {
		before = append(before, groupSteps(owner, live, want, wanted.Lists, limits)...)
	}
	return append(before, after...)
}

func groupSteps(owner cloudfw.Owner, live cloudfw.Snapshot, want lower.Group, lists []cloudfw.PrefixList, limits cloudfw.Limits) []cloudfw.Step {
	group, _ := live.Group(want.Target.GroupID)
	var missing, leftover []cloudfw.GroupRule
	matched := make([]bool, len(group.Rules))
	for _, w := range want.Rules {
		at := slices.IndexFunc(group.Rules, func(r cloudfw.GroupRule) bool { return r.Alike(withListID(w, live)) })
		if at < 0 {
			missing = append(missing, w)
		} else {
			matched[at] = true
		}
	}
	used := 0
	for i, r := range group.Rules {
		used += lower.RuleCost(r, live)
		if !matched[i] && owner.Owns("rule", r.Description) {
			leftover = append(leftover, r)
		}
	}
	need := 0
	for _, r := range missing {
		need += cost(r, live, want)
	}
	authorise := batch(cloudfw.AuthoriseRules, want.Target, missing, limits.RulesPerCall, "blocked and not in the group")
	if used+need <= limits.RulesPerGroup {
		return append(authorise, batch(cloudfw.RevokeRules, want.Target, leftover, limits.RulesPerCall, "ours and not wanted")...)
	}
	leaving, replaced := apart(leftover, want, lists, live)
	for _, r := range leaving {
		used -= lower.RuleCost(r, live)
	}
	steps := batch(cloudfw.RevokeRules, want.Target, leaving, limits.RulesPerCall, "ours and no longer blocked")
	rest := batch(cloudfw.RevokeRules, want.Target, replaced, limits.RulesPerCall, "ours, and its addresses are held in another way")
	if used+need <= limits.RulesPerGroup {
		return slices.Concat(steps, authorise, rest)
	}
	return slices.Concat(steps, rest, authorise) // no room for both: the proof names the moment
}

// apart tells leftover rules whose addresses are no longer blocked, which may go at
// once, from those whose addresses another rule holds from now on.
func apart(leftover []cloudfw.GroupRule, want lower.Group, lists []cloudfw.PrefixList, live cloudfw.Snapshot) (leaving, replaced []cloudfw.GroupRule) {
	var held []netip.Prefix
	for _, r := range want.Rules {
		held = append(held, addressesOf(r.Peer, live, lists)...)
	}
	for _, r := range leftover {
		if slices.ContainsFunc(addressesOf(r.Peer, live, nil), func(p netip.Prefix) bool { return slices.ContainsFunc(held, p.Overlaps) }) {
			replaced = append(replaced, r)
		} else {
			leaving = append(leaving, r)
		}
	}
	return leaving, replaced
}

func addressesOf(peer cloudfw.Peer, live cloudfw.Snapshot, wanted []cloudfw.PrefixList) []netip.Prefix {
	for _, l := range wanted {
		if peer.Kind == cloudfw.List && l.Name == peer.Value {
			return l.Prefixes
		}
	}
	prefixes, _ := live.Addresses(peer)
	return prefixes
}

func cost(r cloudfw.GroupRule, live cloudfw.Snapshot, want lower.Group) int {
	if r.Peer.Kind == cloudfw.List {
		if _, ok := listNamed(live, r.Peer.Value); !ok {
			return want.Target.Capacity
		}
	}
	return lower.RuleCost(r, live)
}

func batch(op cloudfw.Op, target cloudfw.Target, rules []cloudfw.GroupRule, size int, reason string) []cloudfw.Step {
	var steps []cloudfw.Step
	for chunk := range slices.Chunk(rules, max(size, 1)) {
		steps = append(steps, cloudfw.Step{Op: op, Target: target.Name(), GroupID: target.GroupID, GroupRules: chunk, Reason: reason})
	}
	return steps
}

// withListID replaces a list's name by its id, which is what the live rule holds.
func withListID(r cloudfw.GroupRule, live cloudfw.Snapshot) cloudfw.GroupRule {
	if r.Peer.Kind == cloudfw.List {
		if l, ok := listNamed(live, r.Peer.Value); ok {
			r.Peer.Value = l.ID
		}
	}
	return r
}

func listNamed(live cloudfw.Snapshot, name string) (cloudfw.PrefixList, bool) {
	at := slices.IndexFunc(live.Lists, func(l cloudfw.PrefixList) bool { return l.Name == name })
	if at < 0 {
		return cloudfw.PrefixList{}, false
	}
	return live.Lists[at], true
}

func listTargets(wanted lower.Wanted) map[string]string {
	targets := map[string]string{}
	for _, g := range wanted.Groups {
		for _, r := range g.Rules {
			if r.Peer.Kind == cloudfw.List {
				targets[r.Peer.Value] = g.Target.Name()
			}
		}
	}
	return targets
}

// refersNowhereElse reports whether the list was made for one of the observed
// groups: only then is it known that nothing refers to it after the plan. The list
// of a group that was taken out of the policies stays until a person removes it.
func refersNowhereElse(l cloudfw.PrefixList, wanted lower.Wanted, owner cloudfw.Owner) bool {
	return slices.ContainsFunc(wanted.Groups, func(g lower.Group) bool {
		return lower.ListOf(owner, g.Target.GroupID, l)
	})
}
