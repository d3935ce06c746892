package conformance

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"fwsync/cloudfw"
)

// uncanonical lists what is wrong with a snapshot by itself: parts out of order,
// doubled identities and values not in the one form that the model writes them in.
func uncanonical(live cloudfw.Snapshot) []string {
	var wrong []string
	complain := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if live.TakenAt.IsZero() || live.TakenAt.Location() != time.UTC {
		complain("a snapshot taken at %v, want a time in UTC", live.TakenAt)
	}
	sorted := copied(live)
	sorted.Sort()
	if plain(sorted) != plain(live) {
		complain("a snapshot that is not sorted")
	}
	seen := map[string]bool{}
	once := func(kind, id string) {
		if id == "" || seen[kind+id] {
			complain("a %s with the id %q, which is empty or another's", kind, id)
		}
		seen[kind+id] = true
	}
	order := map[cloudfw.ListKey]int{}
	for _, r := range live.Rules {
		once("rule", r.ID)
		if r.Order <= order[r.Key()] {
			complain("%s: rule %s at position %d follows one at %d", r.Key(), r.ID, r.Order, order[r.Key()])
		}
		order[r.Key()] = r.Order
		for _, p := range []cloudfw.Peer{r.Source, r.Destination} {
			if !canonicalPeer(p) {
				complain("rule %s: %q is not a canonical network", r.ID, p.Value)
			}
		}
		names := strings.Split(r.Application, ",")
		if !slices.IsSorted(names) || strings.ToUpper(r.Application) != r.Application || slices.Contains(names, "") {
			complain("rule %s: applications %q, want upper case in alphabetical order", r.ID, r.Application)
		}
		if r.Ports.AllPorts() && r.Ports != (cloudfw.PortRange{}) || r.PortBook != "" && r.Ports != (cloudfw.PortRange{}) {
			complain("rule %s: ports %d-%d, want 0-0 for every port and beside a port book", r.ID, r.Ports.First, r.Ports.Last)
		}
		if v := r.Validity; !v.Start.IsZero() && v.Start.Location() != time.UTC || !v.End.IsZero() && v.End.Location() != time.UTC {
			complain("rule %s: in force from %v to %v, want UTC", r.ID, v.Start, v.End)
		}
	}
	for _, b := range live.Books {
		once("book", b.ID)
		once("book name", b.Name)
		if !slices.Equal(cloudfw.SortPrefixes(slices.Clone(b.Prefixes)), b.Prefixes) || !slices.IsSorted(b.Entries) {
			complain("book %s: entries are not sorted or doubled", b.Name)
		}
		for _, p := range b.Prefixes {
			if cloudfw.FamilyOf(p) != b.Family || p != p.Masked() || b.Type != cloudfw.Addresses {
				complain("book %s of type %q, %s: holds %s", b.Name, b.Type, b.Family, p)
			}
		}
	}
	for _, l := range live.Lists {
		once("prefix list", l.ID)
		if !slices.Equal(cloudfw.SortPrefixes(slices.Clone(l.Prefixes)), l.Prefixes) || len(l.Prefixes) > l.MaxEntries {
			complain("prefix list %s: %d of %d entries, not sorted, doubled or too many", l.Name, len(l.Prefixes), l.MaxEntries)
		}
	}
	for _, g := range live.Groups {
		once("group", g.ID)
		for _, r := range g.Rules {
			once("group rule", r.ID)
			if !canonicalPeer(r.Peer) || r.Ports.AllPorts() && r.Ports != (cloudfw.PortRange{}) {
				complain("group %s: rule %s from %s ports %d-%d is not canonical", g.ID, r.ID, r.Peer, r.Ports.First, r.Ports.Last)
			}
		}
	}
	return wrong
}

// canonicalPeer lets pass what is no network at all: the vendor lets others write it.
func canonicalPeer(p cloudfw.Peer) bool {
	prefix, err := cloudfw.ParsePrefix(p.Value)
	return p.Kind != cloudfw.Net || err != nil || prefix.String() == p.Value
}

// copied is a snapshot that may be sorted without moving the original.
func copied(live cloudfw.Snapshot) cloudfw.Snapshot {
	live.Books, live.Rules = slices.Clone(live.Books), slices.Clone(live.Rules)
	live.Lists, live.Assets = slices.Clone(live.Lists), slices.Clone(live.Assets)
	live.Groups = slices.Clone(live.Groups)
	for i := range live.Groups {
		live.Groups[i].Rules = slices.Clone(live.Groups[i].Rules)
	}
	return live
}
