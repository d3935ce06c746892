package plan

import (
	"fmt"
	"slices"
	"strings"

	"fwsync/cloudfw"
)

// precedence notes where our rules come to stand above rules of other people that
// they contradict: not a change to those, but a change to what they do. That the
// blocked are dropped above everything goes without saying.
func precedence(owner cloudfw.Owner, list []cloudfw.FirewallRule, ours int, before []cloudfw.FirewallRule, world cloudfw.Snapshot) []string {
	var notes []string
	for _, foreign := range list[min(ours, len(list)):] {
		for _, own := range list[:ours] {
			if own.Action == foreign.Action || foreign.Disabled || strings.HasPrefix(own.Source.Value, owner.BookName("blocked")) {
				continue
			}
			if cloudfw.Overlap(own, foreign, world) && !already(before, own, foreign) {
				notes = append(notes, fmt.Sprintf("our %s now stands above %s (%q, not ours), which it contradicts", own, foreign, foreign.Description))
			}
		}
	}
	return notes
}

// already reports whether own stood above foreign before.
func already(before []cloudfw.FirewallRule, own, foreign cloudfw.FirewallRule) bool {
	ownAt := slices.IndexFunc(before, own.Same)
	foreignAt := slices.IndexFunc(before, func(r cloudfw.FirewallRule) bool { return r.ID == foreign.ID })
	return ownAt >= 0 && ownAt < foreignAt
}
