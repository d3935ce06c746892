package packets

import (
	"slices"
)

// Ground is several lists of one family on which questions about single rules can be
// asked many times. It is immutable and safe for concurrent use.
type Ground struct {
	*universe
	tables []table
}

// NewGround prepares lists; there must be at least one.
func NewGround(lists ...*List) *Ground {
	u, tables := newUniverse(lists...)
	return &Ground{u, tables}
}

// Meeting returns the indexes of the rules of the list in that share a packet with a
// rule of the list of, in their order. Lists and rules are given by index. A rule that
// matches nothing meets none. What opaque conditions say is left open: rules under
// different conditions may share a packet.
func (g *Ground) Meeting(of, rule, in int) []int {
	at := slices.Index(g.tables[of].at, rule)
	if at < 0 {
		return nil
	}
	box := g.rules[g.tables[of].rules[at]].sets
	return g.within(box, g.tables[in])[0].at
}

// within are tables without the rules that match no packet of a box.
func (u *universe) within(box []int32, tables ...table) []table {
	meets := make([][]bool, len(box)) // per dimension, by set; nil where all meet
	for dim, number := range box {
		if number == 0 {
			continue
		}
		l := u.lines[dim]
		meets[dim] = make([]bool, len(l.sets))
		meets[dim][0] = true
		for _, atom := range l.atoms[number] {
			for _, n := range l.members[atom] {
				meets[dim][n] = true
			}
		}
	}
	kept := make([]table, len(tables))
	for i, from := range tables {
		kept[i] = table{pass: from.pass, list: from.list}
		for k, r := range from.rules {
			apart := false
			for dim, n := range u.rules[r].sets {
				if meets[dim] != nil && !meets[dim][n] {
					apart = true
					break
				}
			}
			if !apart {
				kept[i].rules = append(kept[i].rules, r)
				kept[i].at = append(kept[i].at, from.at[k])
			}
		}
	}
	return kept
}
