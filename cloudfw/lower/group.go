package lower

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"fwsync/cloudfw"
)

// groupPriority is the highest: at equal priority drop wins (reference §3.1), so
// no accept of the group can stand above ours.
const groupPriority = 1

// lowerGroup gives one security group the blocked addresses, condensed and by score
// as far as they do not fit.
func lowerGroup(w *Wanted, c *chooser, intent cloudfw.Intent, target cloudfw.Target, group cloudfw.SecurityGroup, live cloudfw.Snapshot, limits cloudfw.Limits) {
	room := limits.Usable(limits.RulesPerGroup) - foreignCost(intent.Owner, group, live)
	wanted := Group{Target: target}
	for _, f := range cloudfw.Families {
		if len(c.candidates[f]) == 0 {
			continue
		}
		share := share(target.Capacity, f)
		capacity := max(min(share, room), 0)
		if target.Via != cloudfw.ViaRules {
			// A list's size is fixed when it is made: in steps of ten, it survives small
			// changes of the room that other people's rules leave.
			capacity = min(capacity, limits.EntriesPerList)
			if capacity < share {
				capacity -= capacity % 10
			}
		}
		held := heldBy(intent.Owner, group, f, live)
		chosen := c.chooseAgain(f, capacity, held)
		w.record(target.Name(), chosen, intent.Blocked, fmt.Sprintf("the group holds %d %s blocks and these score higher", capacity, f), shelvedFor(len(intent.Targets)))
		w.Places = append(w.Places, Places{target.Name(), f, len(held), len(chosen.Prefixes), capacity, "its capacity"})
		prefixes := chosen.Prefixes
		if len(prefixes) == 0 {
			continue
		}
		if target.Via == cloudfw.ViaRules {
			room -= len(prefixes)
			for _, p := range prefixes {
				wanted.Rules = append(wanted.Rules, groupRule(intent.Owner, target, cloudfw.Peer{Kind: cloudfw.Net, Value: p.String()}))
			}
			continue
		}
		room -= capacity
		list := prefixList(intent.Owner, target, f, capacity)
		list.Prefixes = prefixes
		w.Lists = append(w.Lists, list)
		wanted.Rules = append(wanted.Rules, groupRule(intent.Owner, target, cloudfw.Peer{Kind: cloudfw.List, Value: list.Name}))
	}
	w.Groups = append(w.Groups, wanted)
}

// share splits a group's capacity between the families once and for all: a list's
// size must not depend on whether the other family has anything to block.
func share(capacity int, f cloudfw.Family) int {
	six := capacity / 5
	if f == cloudfw.IPv6 {
		return six
	}
	return capacity - six
}

func groupRule(owner cloudfw.Owner, target cloudfw.Target, peer cloudfw.Peer) cloudfw.GroupRule {
	return cloudfw.GroupRule{
		Direction: cloudfw.In, Action: cloudfw.Drop, Protocol: cloudfw.AnyProtocol,
		Peer: peer, Priority: groupPriority,
		Description: cloudfw.Marker{Owner: owner, Kind: "rule", Name: "blocked-" + target.GroupID}.String(),
	}
}

func prefixList(owner cloudfw.Owner, target cloudfw.Target, f cloudfw.Family, capacity int) cloudfw.PrefixList {
	purpose := fmt.Sprintf("blocked%s-%s-%d", familyDigit(f), target.GroupID, capacity)
	return cloudfw.PrefixList{
		Name: owner.BookName(purpose), Family: f, MaxEntries: capacity,
		Description: cloudfw.Marker{Owner: owner, Kind: "list", Name: purpose}.String(),
	}
}

// heldBy is what our rules and lists in the group block now.
func heldBy(owner cloudfw.Owner, group cloudfw.SecurityGroup, f cloudfw.Family, live cloudfw.Snapshot) []netip.Prefix {
	var held []netip.Prefix
	for _, r := range group.Rules {
		if !owner.Owns("rule", r.Description) {
			continue
		}
		switch r.Peer.Kind {
		case cloudfw.Net:
			if p, err := cloudfw.ParsePrefix(r.Peer.Value); err == nil && cloudfw.FamilyOf(p) == f {
				held = append(held, p)
			}
		case cloudfw.List:
			for _, l := range live.Lists {
				if l.ID == r.Peer.Value && l.Family == f {
					held = append(held, l.Prefixes...)
				}
			}
		}
	}
	return cloudfw.SortPrefixes(held)
}

// foreignCost is what other people's rules take of the group's quota. A reference
// to a prefix list costs the list's size (reference §3.1).
func foreignCost(owner cloudfw.Owner, group cloudfw.SecurityGroup, live cloudfw.Snapshot) int {
	cost := 0
	for _, r := range group.Rules {
		if !owner.Owns("rule", r.Description) {
			cost += RuleCost(r, live)
		}
	}
	return cost
}

// RuleCost is the share of the group's quota that one live rule takes.
func RuleCost(r cloudfw.GroupRule, live cloudfw.Snapshot) int {
	if r.Peer.Kind == cloudfw.List {
		for _, l := range live.Lists {
			if l.ID == r.Peer.Value || l.Name == r.Peer.Value {
				return l.MaxEntries
			}
		}
	}
	return 1
}

// ListOf reports whether a list is one that lowering made for the group, of
// whatever size and family.
func ListOf(owner cloudfw.Owner, groupID string, l cloudfw.PrefixList) bool {
	if !owner.OwnsList(l) {
		return false
	}
	m, _ := cloudfw.ParseMarker(l.Description)
	size, ok := strings.CutPrefix(m.Name, "blocked"+familyDigit(l.Family)+"-"+groupID+"-")
	_, err := strconv.Atoi(size)
	return ok && err == nil
}
