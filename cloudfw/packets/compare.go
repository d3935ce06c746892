package packets

import (
	"slices"
)

// Equal reports whether two lists of one family decide every packet alike, whatever
// rules they use for it.
func Equal(a, b *List) bool { return len(Differences(a, b, 1)) == 0 }

// Differences lists the packets on which two lists of one family disagree, as boxes
// that do not overlap: at most so many of them, in a fixed order.
func Differences(a, b *List, most int) []Difference {
	w, diagram := differ(a, b)
	return w.boxes(diagram, most)
}

func differ(a, b *List) (*walk, *node) {
	u, tables := newUniverse(a, b)
	w := &walk{
		universe: u, tables: tables,
		settled: func(left [][]int32) bool {
			return a.pass == b.pass && slices.Equal(left[0], left[1]) || uniform(u, tables, left, 0, 1)
		},
		interesting: func(pass []bool) bool { return pass[0] != pass[1] },
	}
	return w, w.run()
}

// uniform reports whether two tables let the same, all or nothing, pass.
func uniform(u *universe, tables []table, left [][]int32, one, other int) bool {
	verdict := tables[one].pass
	if len(left[one]) > 0 {
		verdict = u.rules[left[one][0]].pass
	}
	for _, t := range []int{one, other} {
		rules := left[t]
		for _, r := range rules {
			if u.rules[r].pass != verdict {
				return false
			}
		}
		if (len(rules) == 0 || !u.open(rules[len(rules)-1], 0)) && tables[t].pass != verdict {
			return false
		}
	}
	return true
}

// Deciders reports for each compiled rule whether some packet is decided by it. A
// rule that never decides is dead: others above it take every packet it matches.
func (l *List) Deciders() []bool {
	deciding := make([]bool, len(l.rules))
	u, tables := newUniverse(l)
	t := tables[0]
	first := map[int32]int{} // of rules with the same content only the first can decide
	for i, r := range t.rules {
		if _, again := first[r]; !again {
			first[r] = t.at[i]
		}
	}
	w := &walk{
		universe: u, tables: tables,
		settled: func(left [][]int32) bool {
			return !slices.ContainsFunc(left[0], func(r int32) bool { return !deciding[first[r]] })
		},
		interesting: func([]bool) bool { return true },
	}
	w.found = func(by []int32) {
		if by[0] >= 0 {
			deciding[first[by[0]]] = true
		}
	}
	w.run()
	return deciding
}

// Redundant reports whether the list decides every packet alike without the
// compiled rule at the index.
func (l *List) Redundant(at int) bool {
	if l.rules[at].never {
		return true
	}
	without := *l
	without.rules = slices.Delete(slices.Clone(l.rules), at, at+1)
	return Equal(l, &without)
}
