package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"fwsync/cloudfw"
)

// precedence notes where our rules come to stand above rules of other people that
// they contradict: not a change to those, but a change to what they do. That the
// blocked are dropped above everything goes without saying.
func (a *arranging) precedence(live []cloudfw.FirewallRule) []string {
	type pair struct{ foreign, own int }
	var pairs []pair
	blocked := a.owner.BookName("blocked")
	for i, w := range a.wanted {
		if strings.HasPrefix(w.Source.Value, blocked) || strings.HasPrefix(w.Destination.Value, blocked) {
			continue
		}
		for _, at := range a.ground.Meeting(1, i, 0) {
			above := a.place[i] >= 0 && a.place[i] < at // it stood there before
			if r := live[at]; !above && !a.owner.Owns("rule", r.Description) && contradict(r, w) {
				pairs = append(pairs, pair{at, i})
			}
		}
	}
	slices.SortFunc(pairs, func(x, y pair) int { return cmp.Or(cmp.Compare(x.foreign, y.foreign), cmp.Compare(x.own, y.own)) })
	var notes []string
	for _, p := range pairs {
		notes = append(notes, fmt.Sprintf("our %s now stands above %s (%q, not ours), which it contradicts", a.wanted[p.own], live[p.foreign], live[p.foreign].Description))
	}
	return notes
}
