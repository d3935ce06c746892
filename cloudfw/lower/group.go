package lower

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"fwsync/cloudfw"
)

// groupPriority is the highest: at equal priority drop wins (reference §3.1), so
// no accept of the group can stand above ours.
const groupPriority = 1

// lowerGroup gives one security group the highest-scoring blocks that fit.
func lowerGroup(w *Wanted, intent cloudfw.Intent, target cloudfw.Target, group cloudfw.SecurityGroup, live cloudfw.Snapshot, limits cloudfw.Limits) {
	room := limits.RulesPerGroup - foreignCost(intent.Owner, group, live)
	wanted := Group{Target: target}
	for _, f := range cloudfw.Families {
		blocks := rank(intent, f, heldBy(intent.Owner, group, f, live))
		if len(blocks) == 0 {
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
		chosen := blocks[:min(len(blocks), capacity)]
		for _, b := range blocks[len(chosen):] {
			w.Shelved = append(w.Shelved, Shelved{target.Name(), b, fmt.Sprintf("the group holds %d %s blocks and these score higher", capacity, f)})
		}
		if len(chosen) == 0 {
			continue
		}
		prefixes := make([]netip.Prefix, len(chosen))
		for i, b := range chosen {
			prefixes[i] = b.Prefix
		}
		slices.SortFunc(prefixes, cloudfw.ComparePrefixes)
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

// rank orders a family's blocks by score; at equal score those that are in place
// stay, so that newcomers of the same weight cause no churn.
func rank(intent cloudfw.Intent, f cloudfw.Family, held map[netip.Prefix]bool) []cloudfw.Block {
	var blocks []cloudfw.Block
	for _, b := range intent.Blocked {
		if cloudfw.FamilyOf(b.Prefix) == f {
			blocks = append(blocks, b)
		}
	}
	slices.SortFunc(blocks, func(a, b cloudfw.Block) int {
		if a.Score != b.Score {
			return cmp.Compare(b.Score, a.Score)
		}
		if held[a.Prefix] != held[b.Prefix] {
			if held[a.Prefix] {
				return -1
			}
			return 1
		}
		return cloudfw.ComparePrefixes(a.Prefix, b.Prefix)
	})
	return blocks
}

// heldBy is what our rules and lists in the group block now.
func heldBy(owner cloudfw.Owner, group cloudfw.SecurityGroup, f cloudfw.Family, live cloudfw.Snapshot) map[netip.Prefix]bool {
	held := map[netip.Prefix]bool{}
	for _, r := range group.Rules {
		if !owner.Owns("rule", r.Description) {
			continue
		}
		switch r.Peer.Kind {
		case cloudfw.Net:
			if p, err := cloudfw.ParsePrefix(r.Peer.Value); err == nil && cloudfw.FamilyOf(p) == f {
				held[p] = true
			}
		case cloudfw.List:
			for _, l := range live.Lists {
				if l.ID == r.Peer.Value && l.Family == f {
					for _, p := range l.Prefixes {
						held[p] = true
					}
				}
			}
		}
	}
	return held
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
