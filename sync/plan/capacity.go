package plan

import (
	"fwsync/cloudfw"
	"fwsync/cloudfw/lower"
)

// capacity lists every bounded resource that the plan touches or fills. Foreign
// objects count, as the vendor counts them.
func capacity(owner cloudfw.Owner, live cloudfw.Snapshot, wanted lower.Wanted, limits cloudfw.Limits) []Use {
	foreignBooks, ownBooks := 0, 0
	for _, b := range live.Books {
		if owner.OwnsBook(b) {
			ownBooks++
		} else {
			foreignBooks++
		}
	}
	uses := []Use{{"address books", foreignBooks + ownBooks, foreignBooks + len(wanted.Books), limits.BooksPerAccount}}
	for _, b := range wanted.Books {
		have, _ := live.Book(b.Name)
		uses = append(uses, Use{"addresses in " + b.Name, len(have.Prefixes), len(b.Prefixes), limits.AddressesPerBook})
	}
	uses = append(uses, spread(owner, live, wanted, limits))
	for _, g := range wanted.Groups {
		group, _ := live.Group(g.Target.GroupID)
		before, after := 0, 0
		for _, r := range group.Rules {
			cost := lower.RuleCost(r, live)
			before += cost
			if !owner.Owns("rule", r.Description) {
				after += cost
			}
		}
		lists := cloudfw.Snapshot{Lists: wanted.Lists}
		for _, r := range g.Rules {
			after += lower.RuleCost(r, lists)
		}
		uses = append(uses, Use{"rules in security group " + g.Target.GroupID, before, after, limits.RulesPerGroup})
	}
	for _, l := range wanted.Lists {
		have, _ := listNamed(live, l.Name)
		uses = append(uses, Use{"entries in " + l.Name, len(have.Prefixes), len(l.Prefixes), l.MaxEntries})
	}
	return uses
}

// spread is the policy quota: sources × destinations × port ranges × applications
// of every policy (reference §2.2). What is live is taken as the vendor counts it.
func spread(owner cloudfw.Owner, live cloudfw.Snapshot, wanted lower.Wanted, limits cloudfw.Limits) Use {
	use := Use{What: "policy quota (spread units)", Limit: limits.SpreadUnits}
	for _, r := range live.Rules {
		use.Before += r.Cost
		if !owner.Owns("rule", r.Description) {
			use.After += r.Cost
		}
	}
	size := map[string]int{}
	for _, b := range wanted.Books {
		size[b.Name] = len(b.Prefixes)
	}
	units := func(p cloudfw.Peer) int {
		if n, ok := size[p.Value]; ok && p.Kind == cloudfw.Book {
			return n
		}
		return 1
	}
	for _, rules := range wanted.Rules {
		for _, r := range rules {
			use.After += units(r.Source) * units(r.Destination)
		}
	}
	return use
}

// untouched counts what belongs to other people.
func untouched(owner cloudfw.Owner, live cloudfw.Snapshot) []Untouched {
	var all []Untouched
	add := func(where string, n int) {
		if n > 0 {
			all = append(all, Untouched{where, n})
		}
	}
	for _, key := range live.Keys() {
		n := 0
		for _, r := range live.List(key) {
			if !owner.Owns("rule", r.Description) {
				n++
			}
		}
		where := "internet firewall rules, " + key.String()
		if key.Border != (cloudfw.Border{}) {
			where = key.Border.Firewall() + " rules"
		}
		add(where, n)
	}
	n := 0
	for _, b := range live.Books {
		if !owner.OwnsBook(b) {
			n++
		}
	}
	add("address books", n)
	for _, g := range live.Groups {
		n := 0
		for _, r := range g.Rules {
			if !owner.Owns("rule", r.Description) {
				n++
			}
		}
		add("rules in security group "+g.ID, n)
	}
	n = 0
	for _, l := range live.Lists {
		if !owner.OwnsList(l) {
			n++
		}
	}
	add("prefix lists", n)
	return all
}
