package plan

import (
	"fmt"
	"slices"
	"strings"

	"fwsync/cloudfw"
	"fwsync/cloudfw/lower"
)

// scarcePercent is the share of a limit from which on people are warned.
const scarcePercent = 80

// capacity lists every bounded resource that the plan touches or fills (promise P4).
// Foreign objects count, as the vendor counts them. Single books and lists never
// warn: they are filled to the brim on purpose, what may run out are the places.
func capacity(owner cloudfw.Owner, live cloudfw.Snapshot, wanted lower.Wanted, limits cloudfw.Limits, most peaks) []Use {
	foreignBooks, ownBooks := 0, 0
	for _, b := range live.Books {
		if owner.OwnsBook(b) {
			ownBooks++
		} else {
			foreignBooks++
		}
	}
	uses := []Use{use("address books", foreignBooks+ownBooks, foreignBooks+len(wanted.Books), limits.BooksPerAccount).upTo(most.books)}
	for _, b := range wanted.Books {
		have, _ := live.Book(b.Name)
		uses = append(uses, full(inBook+b.Name, len(have.Prefixes), len(b.Prefixes), limits.AddressesPerBook))
	}
	uses = append(uses, spread(owner, live, wanted, limits, most)...)
	for _, g := range wanted.Groups {
		group, _ := live.Group(g.Target.GroupID)
		before, after, both := 0, 0, 0
		for _, r := range group.Rules {
			cost := lower.RuleCost(r, live)
			before += cost
			if !owner.Owns("rule", r.Description) {
				after += cost
			}
		}
		lists := cloudfw.Snapshot{Lists: wanted.Lists}
		for _, r := range g.Rules {
			cost := lower.RuleCost(r, lists)
			after += cost
			if !slices.ContainsFunc(group.Rules, withListID(r, live).Alike) {
				both += cost
			}
		}
		u := use("rules in security group "+g.Target.GroupID, before, after, limits.RulesPerGroup)
		if both += before; both <= limits.RulesPerGroup { // else groupSteps takes away first
			u.Peak = max(u.Peak, both)
		}
		uses = append(uses, u)
	}
	for _, l := range wanted.Lists {
		have, _ := listNamed(live, l.Name)
		uses = append(uses, full(inList+l.Name, len(have.Prefixes), len(l.Prefixes), l.MaxEntries))
	}
	for _, p := range wanted.Places {
		uses = append(uses, use(fmt.Sprintf("places for blocked %s at %s", p.Family, p.Target), p.Before, p.After, p.Limit))
	}
	return uses
}

// Taken is what may run out of an account that would hold what is wanted, beside what
// other people have there: everything but single books and lists.
func Taken(owner cloudfw.Owner, live cloudfw.Snapshot, wanted lower.Wanted, limits cloudfw.Limits) []Use {
	return slices.DeleteFunc(capacity(owner, live, wanted, limits, peaks{}), func(u Use) bool {
		return strings.HasPrefix(u.What, inBook) || strings.HasPrefix(u.What, inList)
	})
}

// How the uses of single books and lists are called.
const inBook, inList = "addresses in ", "entries in "

// use is a resource that warns before it runs out.
func use(what string, before, after, limit int) Use {
	u := full(what, before, after, limit)
	u.Warning = limit > 0 && after*100 >= limit*scarcePercent
	return u
}

// full is a resource that is filled to the brim on purpose.
func full(what string, before, after, limit int) Use {
	return Use{What: what, Before: before, After: after, Peak: max(before, after), Limit: limit}
}

// upTo adds what the steps take on the way.
func (u Use) upTo(p peak) Use {
	u.Peak = max(u.Peak, p.most)
	return u
}

// scarce are the notes on what will soon run out.
func scarce(uses []Use) []string {
	var notes []string
	for _, u := range uses {
		if u.Warning {
			notes = append(notes, fmt.Sprintf("%s: %d of %d used, %d left", u.What, u.After, u.Limit, max(u.Limit-u.After, 0)))
		}
	}
	return notes
}

// spread is the policy quota: sources × destinations × port ranges × applications
// of every policy (reference §2.2), for each kind of border by itself, as the
// reference gives the internet and the VPC border a quota each; that the NAT border
// has one too is assumed. What is live is taken as the vendor counts it. The
// internet border is always listed, others when they hold something.
func spread(owner cloudfw.Owner, live cloudfw.Snapshot, wanted lower.Wanted, limits cloudfw.Limits, most peaks) []Use {
	before, after := map[cloudfw.BorderKind]int{}, map[cloudfw.BorderKind]int{}
	for _, r := range live.Rules {
		kind := r.Border.Kind()
		before[kind] += r.Cost
		if !owner.Owns("rule", r.Description) {
			after[kind] += r.Cost
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
	for key, rules := range wanted.Rules {
		for _, r := range rules { // a wanted rule has one port range
			after[key.Border.Kind()] += units(r.Source) * units(r.Destination) * lower.Applications(r.Application)
		}
	}
	var uses []Use
	for _, kind := range []cloudfw.BorderKind{cloudfw.InternetBorder, cloudfw.NATBorder, cloudfw.VPCBorder} {
		what := "policy quota (spread units)"
		if kind != cloudfw.InternetBorder {
			if before[kind]+after[kind] == 0 {
				continue
			}
			what += " of " + string(kind) + " firewalls"
		}
		uses = append(uses, use(what, before[kind], after[kind], limits.SpreadUnits).upTo(most.spread[kind]))
	}
	return uses
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
