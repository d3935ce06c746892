package packets

import (
	"encoding/binary"
	"slices"
)

// walk compares tables of one universe, dimension by dimension. It returns a diagram
// of the packets that are of interest, shared where parts of it are alike.
type walk struct {
	*universe
	tables []table
	// region bounds the packets looked at: a set number per dimension; nil for all.
	region []int32
	// settled tells from the rules that are left in each table that no packet below is
	// of interest. May be nil.
	settled func(left [][]int32) bool
	// interesting judges the verdicts of a leaf, one per table.
	interesting func(pass []bool) bool
	// found hears of each leaf: the deciding rule of each table. May be nil.
	found func(by []int32)

	done  map[string]*node
	alike map[string]*node
}

// node is a part of the diagram: what is left to distinguish once the dimensions
// before dim are settled. Leaves have the deciding rule of each table.
type node struct {
	number int
	dim    int
	ways   []way
	leaf   []int32 // rule numbers, -1 for the fallback; nil in inner nodes
}

// way leads from a node to what is below it for some atoms of its dimension.
type way struct {
	atoms []int32
	to    *node
}

// run walks everything. Nil means that there is no packet of interest.
func (w *walk) run() *node {
	w.done, w.alike = map[string]*node{}, map[string]*node{}
	left := make([][]int32, len(w.tables))
	for i, t := range w.tables {
		left[i] = t.rules
	}
	return w.from(0, left)
}

func (w *walk) from(dim int, left [][]int32) *node {
	left = w.cut(dim, left)
	if w.settled != nil && w.settled(left) {
		return nil
	}
	if w.decided(dim, left) {
		return w.leaf(left)
	}
	key := remember(dim, left)
	if n, ok := w.done[key]; ok {
		return n
	}
	n := w.inner(dim, left)
	w.done[key] = n
	return n
}

// cut drops the rules behind the first one that matches whatever is left.
func (w *walk) cut(dim int, left [][]int32) [][]int32 {
	short := make([][]int32, len(left))
	for i, rules := range left {
		at := slices.IndexFunc(rules, func(r int32) bool { return w.open(r, dim) })
		if at >= 0 {
			rules = rules[:at+1]
		}
		short[i] = rules
	}
	return short
}

// decided reports whether each table's verdict is settled.
func (w *walk) decided(dim int, left [][]int32) bool {
	return !slices.ContainsFunc(left, func(rules []int32) bool { return len(rules) > 0 && !w.open(rules[0], dim) })
}

func (w *walk) leaf(left [][]int32) *node {
	pass, by := make([]bool, len(left)), make([]int32, len(left))
	for i, rules := range left {
		pass[i], by[i] = w.tables[i].pass, -1
		if len(rules) > 0 {
			pass[i], by[i] = w.rules[rules[0]].pass, rules[0]
		}
	}
	if w.found != nil {
		w.found(by)
	}
	if !w.interesting(pass) {
		return nil
	}
	key := remember(-1, [][]int32{by})
	if n, ok := w.alike[key]; ok {
		return n
	}
	n := &node{number: len(w.alike), leaf: by}
	w.alike[key] = n
	return n
}

// inner splits the atoms of the dimension by the rules that are left for them.
func (w *walk) inner(dim int, left [][]int32) *node {
	within := int32(0)
	if w.region != nil {
		within = w.region[dim]
	}
	sets := w.setsOf(dim, left)
	if within == 0 && len(sets) == 0 {
		return w.from(dim+1, left)
	}
	byNode := map[*node][]int32{}
	var order []*node
	for _, g := range w.groups(dim, within, sets) {
		below := w.from(dim+1, w.kept(dim, left, g.sets))
		if below == nil {
			continue
		}
		if byNode[below] == nil {
			order = append(order, below)
		}
		byNode[below] = append(byNode[below], g.atoms...)
	}
	if len(order) == 0 {
		return nil
	}
	n := &node{dim: dim}
	parts := [][]int32{}
	for _, below := range order {
		atoms := byNode[below]
		slices.Sort(atoms)
		n.ways = append(n.ways, way{atoms, below})
		parts = append(parts, []int32{int32(below.number)}, atoms)
	}
	key := remember(dim, parts)
	if same, ok := w.alike[key]; ok {
		return same
	}
	n.number = len(w.alike)
	w.alike[key] = n
	return n
}

// setsOf are the numbers of the sets that the rules left have in the dimension.
func (w *walk) setsOf(dim int, left [][]int32) []int32 {
	var sets []int32
	seen := map[int32]bool{0: true}
	for _, rules := range left {
		for _, r := range rules {
			if n := w.rules[r].sets[dim]; !seen[n] {
				seen[n] = true
				sets = append(sets, n)
			}
		}
	}
	return sets
}

// group is the atoms that lie in the same of the sets.
type group struct {
	atoms []int32
	sets  []int32
}

// groups splits the atoms of a set by the given sets, in a fixed order.
func (w *walk) groups(dim int, within int32, sets []int32) []group {
	l := w.lines[dim]
	holders := map[int32][]int32{}
	for _, s := range sets {
		for _, atom := range l.atoms[s] {
			holders[atom] = append(holders[atom], s)
		}
	}
	index := map[string]int{}
	var groups []group
	for _, atom := range l.all(within) {
		key := remember(0, [][]int32{holders[atom]})
		at, ok := index[key]
		if !ok {
			at = len(groups)
			index[key] = at
			groups = append(groups, group{sets: holders[atom]})
		}
		groups[at].atoms = append(groups[at].atoms, atom)
	}
	return groups
}

// kept are the rules that still match in one of the sets, or whatever the dimension.
func (w *walk) kept(dim int, left [][]int32, sets []int32) [][]int32 {
	kept := make([][]int32, len(left))
	for i, rules := range left {
		for _, r := range rules {
			if n := w.rules[r].sets[dim]; n == 0 || slices.Contains(sets, n) {
				kept[i] = append(kept[i], r)
			}
		}
	}
	return kept
}

// remember makes a key of a dimension and some lists.
func remember(dim int, lists [][]int32) string {
	size := 8
	for _, l := range lists {
		size += 4*len(l) + 4
	}
	key := binary.LittleEndian.AppendUint32(make([]byte, 0, size), uint32(dim+1))
	for _, l := range lists {
		key = binary.LittleEndian.AppendUint32(key, uint32(len(l)))
		for _, v := range l {
			key = binary.LittleEndian.AppendUint32(key, uint32(v))
		}
	}
	return string(key)
}
