package conformance

import (
	"fmt"
	"slices"

	"fwsync/cloudfw"
)

// inventory is one line for each object that the suite did not make. Rules stand in
// the order of their list, without the position, which shifts with ours.
func (r *trial) inventory(live cloudfw.Snapshot) []string {
	lines := []string{fmt.Sprintf("strict %v", live.Strict)}
	for _, rule := range live.Rules {
		if !r.owner.Owns("rule", rule.Description) {
			rule.Order = 0
			lines = append(lines, fmt.Sprintf("rule %s in %s: %s", rule.ID, rule.Key(), plain(rule)))
		}
	}
	for _, b := range live.Books {
		if !r.owner.OwnsBook(b) {
			lines = append(lines, fmt.Sprintf("book %s: %s", b.Name, plain(b)))
		}
	}
	for _, l := range live.Lists {
		if !r.owner.OwnsList(l) {
			lines = append(lines, fmt.Sprintf("prefix list %s: %s", l.Name, plain(l)))
		}
	}
	for _, g := range live.Groups {
		rules := g.Rules
		g.Rules = nil
		lines = append(lines, fmt.Sprintf("group %s: %s", g.ID, plain(g)))
		for _, rule := range rules {
			if !r.owner.Owns("rule", rule.Description) {
				lines = append(lines, fmt.Sprintf("rule %s of group %s: %s", rule.ID, g.ID, plain(rule)))
			}
		}
	}
	for _, a := range live.Assets {
		lines = append(lines, "asset "+plain(a))
	}
	return lines
}

// difference says in words how two inventories differ.
func difference(before, after []string) []string {
	if slices.Equal(before, after) {
		return nil
	}
	var lines []string
	for _, line := range before {
		if !slices.Contains(after, line) {
			lines = append(lines, "gone or different now: "+line)
		}
	}
	for _, line := range after {
		if !slices.Contains(before, line) {
			lines = append(lines, "new: "+line)
		}
	}
	if lines == nil {
		for i, line := range before {
			if line != after[i] {
				return []string{"another order from here: " + line}
			}
		}
	}
	return lines
}
