package lower

import (
	"fmt"
	"strings"

	"fwsync/cloudfw"
)

// room is how many places the firewalls have for blocked prefixes of one family, in
// how many books, and which limit leaves no more.
type room struct {
	places, books int
	bound         string
}

// roomFor divides what the limits leave between the families: a fifth is IPv6's if
// it needs it, and what one family does not need the other may take.
func roomFor(intent cloudfw.Intent, live cloudfw.Snapshot, limits cloudfw.Limits, need map[cloudfw.Family]int) map[cloudfw.Family]room {
	all := map[cloudfw.Family]room{}
	perBook := max(limits.AddressesPerBook, 0)
	needed := map[cloudfw.Family]int{}
	for f, n := range need {
		if perBook > 0 {
			needed[f] = (n + perBook - 1) / perBook
		}
	}
	books := divide(freeBooks(intent, live, limits), needed)
	for _, f := range cloudfw.Families {
		all[f] = room{books[f] * perBook, books[f], fmt.Sprintf("%d address books of %d", books[f], perBook)}
	}
	if limits.SpreadUnits <= 0 {
		return all
	}
	for _, kind := range []cloudfw.BorderKind{cloudfw.InternetBorder, cloudfw.NATBorder, cloudfw.VPCBorder} {
		fixed, weight := spreadOf(intent, kind)
		free := limits.Usable(limits.SpreadUnits) - fixed
		for _, r := range live.Rules {
			if r.Border.Kind() == kind && !intent.Owner.Owns("rule", r.Description) {
				free -= r.Cost
			}
		}
		units := map[cloudfw.Family]int{}
		for f, n := range need {
			units[f] = n * weight[f]
		}
		shares := divide(free, units)
		for _, f := range cloudfw.Families {
			if weight[f] == 0 {
				continue
			}
			if places := shares[f] / weight[f]; places < all[f].places {
				all[f] = room{places, all[f].books, fmt.Sprintf("the policy quota of %d, of which each address takes %d", limits.SpreadUnits, weight[f])}
			}
		}
	}
	return all
}

// freeBooks is how many books blocked addresses may have beside other people's and
// those of declared groups.
func freeBooks(intent cloudfw.Intent, live cloudfw.Snapshot, limits cloudfw.Limits) int {
	free := limits.Usable(limits.BooksPerAccount)
	for _, b := range live.Books {
		if !intent.Owner.OwnsBook(b) {
			free--
		}
	}
	groups := map[string]bool{}
	eachRule(intent, func(key cloudfw.ListKey, r cloudfw.Rule) {
		for _, side := range []cloudfw.Side{r.From, r.To} {
			if side.Group != "" && len(side.Of(key.Family)) > 0 {
				groups[side.Group+" "+string(key.Family)] = true
			}
		}
	})
	return free - len(groups)
}

// divide shares a total: each family the most that it may take.
func divide(total int, need map[cloudfw.Family]int) map[cloudfw.Family]int {
	total = max(total, 0)
	six := total / 5
	return map[cloudfw.Family]int{
		cloudfw.IPv4: max(total-six, total-need[cloudfw.IPv6]),
		cloudfw.IPv6: max(six, total-need[cloudfw.IPv4]),
	}
}

// spreadOf is the policy quota that the declared rules cost at one kind of border:
// what does not depend on the blocked addresses, and what each of these adds.
func spreadOf(intent cloudfw.Intent, kind cloudfw.BorderKind) (fixed int, weight map[cloudfw.Family]int) {
	weight = map[cloudfw.Family]int{}
	eachRule(intent, func(key cloudfw.ListKey, r cloudfw.Rule) {
		if key.Border.Kind() != kind {
			return
		}
		cost := max(len(r.Ports), 1) * Applications(r.Application)
		for _, side := range []cloudfw.Side{r.From, r.To} {
			if !side.Blocked {
				cost *= len(side.Of(key.Family))
			}
		}
		if r.From.Blocked || r.To.Blocked {
			weight[key.Family] += cost
		} else {
			fixed += cost
		}
	})
	return fixed, weight
}

// Applications counts those that a rule names: a factor of what it costs.
func Applications(names string) int { return strings.Count(names, ",") + 1 }

// eachRule visits the rules that the firewalls take, once for each list.
func eachRule(intent cloudfw.Intent, visit func(cloudfw.ListKey, cloudfw.Rule)) {
	for _, target := range intent.Targets {
		if !target.Firewall() {
			continue
		}
		for _, rule := range intent.Rules {
			if !target.Takes(rule) {
				continue
			}
			for _, key := range target.Border.Keys() {
				if key.Direction == rule.Direction {
					visit(key, rule)
				}
			}
		}
	}
}

// needs is how many places each family would take: as declared if that fits with
// ease, else at the least without loss.
func needs(c *chooser, intent cloudfw.Intent, live cloudfw.Snapshot, limits cloudfw.Limits) map[cloudfw.Family]room {
	need := map[cloudfw.Family]int{}
	for _, f := range cloudfw.Families {
		need[f] = c.pools[f].Len()
	}
	rooms := roomFor(intent, live, limits, need)
	if need[cloudfw.IPv4] <= rooms[cloudfw.IPv4].places && need[cloudfw.IPv6] <= rooms[cloudfw.IPv6].places {
		return rooms
	}
	for _, f := range cloudfw.Families {
		need[f] = c.pools[f].Aggregated()
	}
	return roomFor(intent, live, limits, need)
}
