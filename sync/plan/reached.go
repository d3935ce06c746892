package plan

import (
	"slices"

	"fwsync/cloudfw"
)

// reachedGroup is a security group that steps reach, and which parts of it: the
// directions and families of what is written into its rules and prefix lists.
type reachedGroup struct {
	at         int             // in the snapshot
	lists      map[string]bool // that its rules name now or then, by id and by name
	edited     map[string]bool // those of them that steps change, by name
	directions []cloudfw.Direction
	families   []cloudfw.Family
	sides      []*footage
}

// groupsOf are the groups that steps reach, through their own rules or through a
// prefix list that these name, in the order of the snapshot.
func groupsOf(live cloudfw.Snapshot, steps []cloudfw.Step) []*reachedGroup {
	known, edited := map[string]cloudfw.PrefixList{}, map[string]bool{} // by id and name; by name
	for _, l := range live.Lists {
		known[l.ID], known[l.Name] = l, l
	}
	written := map[string][]cloudfw.GroupRule{} // by group
	for _, s := range steps {
		if s.List != nil {
			known[s.List.Name], edited[s.List.Name] = *s.List, true
		}
		if s.GroupID != "" {
			written[s.GroupID] = append(written[s.GroupID], s.GroupRules...)
		}
	}
	var reached []*reachedGroup
	for at, g := range live.Groups {
		r := &reachedGroup{at: at, lists: map[string]bool{}, edited: map[string]bool{}}
		for _, rule := range written[g.ID] {
			r.touch(g.ID, rule, known)
		}
		for _, rule := range slices.Concat(g.Rules, written[g.ID]) {
			if rule.Peer.Kind != cloudfw.List {
				continue
			}
			l := known[rule.Peer.Value]
			r.lists[rule.Peer.Value], r.lists[l.Name] = true, true
			if edited[l.Name] {
				r.edited[l.Name] = true
				r.touch(g.ID, rule, known)
			}
		}
		if len(r.sides) > 0 {
			reached = append(reached, r)
		}
	}
	return reached
}

// world is what the names in the group's rules stand for at the moment.
func (r *reachedGroup) world(replay *cloudfw.Replay) cloudfw.Snapshot {
	var named cloudfw.Snapshot
	for _, l := range replay.Names().Lists {
		if r.lists[l.Name] || r.lists[l.ID] {
			named.Lists = append(named.Lists, l)
		}
	}
	return named
}

// touch notes that what a rule matches may change.
func (r *reachedGroup) touch(group string, rule cloudfw.GroupRule, lists map[string]cloudfw.PrefixList) {
	for _, f := range cloudfw.Families {
		switch l, isList := lists[rule.Peer.Value]; {
		case rule.Peer.Kind == cloudfw.List && isList && l.Family != f:
		case rule.Peer.Kind == cloudfw.Net && familyOf(rule.Peer) != f:
		default:
			r.side(group, rule.Direction, f)
		}
	}
}

func familyOf(network cloudfw.Peer) cloudfw.Family {
	p, err := cloudfw.ParsePrefix(network.Value)
	if err != nil {
		return ""
	}
	return cloudfw.FamilyOf(p)
}

func (r *reachedGroup) side(group string, direction cloudfw.Direction, family cloudfw.Family) {
	for i := range r.sides {
		if r.directions[i] == direction && r.families[i] == family {
			return
		}
	}
	r.directions, r.families = append(r.directions, direction), append(r.families, family)
	r.sides = append(r.sides, &footage{list: "security group " + group + " " + string(direction) + " " + string(family)})
}
