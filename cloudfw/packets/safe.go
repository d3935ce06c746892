package packets

import (
	"slices"
)

// Moments are the states of one list along a plan: before it, after each step, and
// after the last. A moment is safe when it gives every packet the verdict of the
// first state or of the last (promise P2).
type Moments struct {
	*universe
	tables []table
}

// NewMoments compiles the states together; there must be at least one. States that
// a step left alone may be the same List.
func NewMoments(states []*List) *Moments {
	u, tables := newUniverse(concerned(states)...)
	return &Moments{u, tables}
}

// concerned are the states without the rules that no change can concern: those that
// are in every state, in their order, and share no packet with one that is not.
func concerned(states []*List) []*List {
	ids, rules := map[*rule]int32{}, []*rule(nil)
	numbers := make([][]int32, len(states))
	for i, l := range states {
		numbers[i] = make([]int32, len(l.rules))
		for at, r := range l.rules {
			id, ok := ids[r]
			if !ok {
				id = int32(len(rules))
				ids[r], rules = id, append(rules, r)
			}
			numbers[i][at] = id
		}
	}
	keep := make([]bool, len(rules))
	for i := 1; i < len(states); i++ {
		for _, id := range changedRules(numbers[i-1], numbers[i]) {
			keep[id] = true
		}
	}
	var changed [byApplication]set // the union of what changed rules match, by dimension
	var whole [byApplication]bool
	for dim := range changed {
		var sets []set
		for id, r := range rules {
			if keep[id] {
				s := r.dimensions()[dim]
				whole[dim] = whole[dim] || s == nil
				sets = append(sets, s)
			}
		}
		if !whole[dim] {
			changed[dim] = newSet(slices.Concat(sets...))
		}
	}
	for id, r := range rules {
		meets := true
		for dim, s := range r.dimensions() {
			meets = meets && (whole[dim] || s == nil || meet(s, changed[dim]))
		}
		keep[id] = keep[id] || meets
	}
	kept := make([]*List, len(states))
	for i, l := range states {
		some := *l
		some.rules = nil
		for at, id := range numbers[i] {
			if keep[id] {
				some.rules = append(some.rules, l.rules[at])
			}
		}
		kept[i] = &some
	}
	return kept
}

// dimensions are the sets of a rule that are not names.
func (r *rule) dimensions() [byApplication]set {
	return [byApplication]set{r.source, r.destination, r.service}
}

// Unsafe lists packets that the state with the given index decides neither as the
// first state nor as the last, at most so many boxes, with the verdicts of the first
// state, of this one and of the last. It takes for granted that the state before it
// is safe and looks only at packets that a changed rule matches; asked for every
// index in turn it is exact.
func (m *Moments) Unsafe(at, most int) []Difference {
	last := len(m.tables) - 1
	if at <= 0 || at >= last {
		return nil
	}
	var all []Difference
	for _, changed := range changedRules(m.tables[at-1].rules, m.tables[at].rules) {
		region := m.rules[changed].sets
		w := &walk{universe: m.universe, tables: m.within(region, m.tables[0], m.tables[at], m.tables[last]), region: region}
		w.settled = func(left [][]int32) bool {
			return w.tables[1].pass == w.tables[0].pass && slices.Equal(left[1], left[0]) ||
				w.tables[1].pass == w.tables[2].pass && slices.Equal(left[1], left[2]) ||
				uniform(m.universe, w.tables, left, 1, 0) || uniform(m.universe, w.tables, left, 1, 2)
		}
		w.interesting = func(pass []bool) bool { return pass[1] != pass[0] && pass[1] != pass[2] }
		if all = append(all, w.boxes(w.run(), most-len(all))...); len(all) >= most {
			break
		}
	}
	return all
}

// changedRules are rules whose packets may be decided differently in the second
// sequence: those that only one of the two holds, or the one that moved.
func changedRules(a, b []int32) []int32 {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	n := len(a)
	if n > 1 && n == len(b) {
		switch {
		case a[0] == b[n-1] && slices.Equal(a[1:], b[:n-1]):
			return a[:1]
		case b[0] == a[n-1] && slices.Equal(b[1:], a[:n-1]):
			return b[:1]
		}
		if aligned := replaced(a, b); aligned != nil {
			return aligned
		}
	}
	return sortedRules(slices.Concat(a, b))
}

// replaced are the rules at the places where two sequences of one length differ, when
// that explains all: an edit of a book changes its rules where they stand.
func replaced(a, b []int32) []int32 {
	var out []int32
	for i := range a {
		if a[i] != b[i] {
			out = append(out, a[i], b[i])
		}
	}
	if len(out) > len(a) {
		return nil
	}
	return sortedRules(out)
}

func sortedRules(rules []int32) []int32 {
	slices.Sort(rules)
	return slices.Compact(rules)
}
