package gates

import (
	"fmt"
	"net/netip"
	"strings"

	"fwsync/cloudfw"
)

// radius is promise P13: how much one plan may newly block, stop blocking without
// a decision that ended, and delete.
func radius(in Input) []Refusal {
	now := blockedNow(in)
	wanted := map[netip.Prefix]bool{}
	added := 0
	for _, b := range in.Intent.Blocked {
		wanted[b.Prefix] = true
		if !now[b.Prefix] {
			added++
		}
	}
	removed := 0
	for p := range now {
		if !wanted[p] && !in.Ended[p] {
			removed++
		}
	}
	deleted, ours := 0, 0
	for _, s := range in.Plan.Steps {
		if s.Op == cloudfw.DeleteRule {
			deleted++
		}
	}
	for _, r := range in.Live.Rules {
		if in.Plan.Owner.Owns("rule", r.Description) {
			ours++
		}
	}
	var all []Refusal
	judge := func(b Budget, n, present int, what, flag string) {
		if why, over := b.over(n, present); over {
			all = append(all, Refusal{"blast-radius", fmt.Sprintf("the plan would %s: %s", fmt.Sprintf(what, n), why),
				fmt.Sprintf("if that is right, pass %s %d", flag, n)})
		}
	}
	judge(in.Limits.NewBlocks, added, len(now), "newly block %d addresses", "--max-new-blocks")
	judge(in.Limits.RemovedBlocks, removed, len(now), "stop blocking %d addresses whose decisions have not ended", "--max-removed-blocks")
	judge(in.Limits.DeletedRules, deleted, ours, "delete %d of our rules", "--max-deleted-rules")
	return all
}

// blockedNow is what our blocked books hold at present.
func blockedNow(in Input) map[netip.Prefix]bool {
	now := map[netip.Prefix]bool{}
	for _, b := range in.Live.Books {
		if in.Plan.Owner.OwnsBook(b) && strings.HasPrefix(b.Name, in.Plan.Owner.BookName("blocked")) {
			for _, p := range b.Prefixes {
				now[p] = true
			}
		}
	}
	return now
}

// Widened returns the limits with the budget's numbers raised so that n passes:
// what a person says with a flag.
func (b Budget) Widened(n int) Budget {
	if n > b.Floor {
		b.Floor = n
	}
	return b
}

// capacity refuses what cannot fit (promise P4): better no step than half of them.
func capacity(in Input) []Refusal {
	var full []string
	for _, u := range in.Plan.Capacity {
		if u.Limit > 0 && u.After > u.Limit && u.After > u.Before {
			full = append(full, fmt.Sprintf("%s: %d of %d", u.What, u.After, u.Limit))
		}
	}
	if len(full) == 0 {
		return nil
	}
	return []Refusal{{"capacity", "the plan does not fit: " + some(full), "buy quota and raise limits.spread_units, block fewer or wider prefixes, or free what is listed as not ours"}}
}
