package packets

import (
	"slices"
)

// universe is what several lists have in common: their distinct rules, and for each
// dimension the atoms that the rules' sets make of it.
type universe struct {
	lines        []*line
	rules        []boxed
	applications []string // sorted; their indexes are points
	conditions   []string // sorted; a dimension each
}

// boxed is a rule as the walk sees it: one set per dimension, by number; 0 is the
// whole dimension.
type boxed struct {
	sets []int32
	pass bool
}

// line is one dimension, cut into atoms: the points that lie in the same sets.
type line struct {
	sets    []set            // by number; number 0 stands for everything
	numbers map[string]int32 // by content
	whole   set
	members [][]int32 // atom to the numbers of the sets that hold it, ascending
	atoms   [][]int32 // set to its atoms
	spans   []set     // atom to its points
}

func newLine(whole set) *line {
	return &line{sets: []set{nil}, numbers: map[string]int32{}, whole: whole}
}

// number registers a set; equal sets share a number.
func (l *line) number(s set) int32 {
	if s == nil || slices.Equal(s, l.whole) {
		return 0
	}
	key := fingerprint(s)
	if n, ok := l.numbers[key]; ok {
		return n
	}
	n := int32(len(l.sets))
	l.sets = append(l.sets, s)
	l.numbers[key] = n
	return n
}

func fingerprint(s set) string {
	b := make([]byte, 0, 32*len(s))
	for _, sp := range s {
		for _, v := range [4]uint64{sp.first.hi, sp.first.lo, sp.last.hi, sp.last.lo} {
			for shift := 0; shift < 64; shift += 8 {
				b = append(b, byte(v>>shift))
			}
		}
	}
	return string(b)
}

// edge is a point at which a set begins, or the one after its end.
type edge struct {
	at  point
	set int32
	in  bool
}

// cut computes the atoms. It sweeps the line once: the work is that of sorting the
// edges of all sets.
func (l *line) cut() {
	var edges []edge
	for n, s := range l.sets {
		for _, sp := range s {
			edges = append(edges, edge{sp.first, int32(n), true})
			if sp.last != end {
				edges = append(edges, edge{sp.last.next(), int32(n), false})
			}
		}
	}
	slices.SortFunc(edges, func(a, b edge) int { return a.at.compare(b.at) })
	l.members, l.atoms, l.spans = nil, make([][]int32, len(l.sets)), nil
	byMembers := map[uint64][]int32{} // hash of the active sets to atoms
	active, hash := map[int32]bool{}, uint64(0)
	assign := func(s span) {
		atom := l.atomOf(byMembers, active, hash)
		l.spans[atom] = append(l.spans[atom], s)
	}
	from := l.whole[0].first
	last := l.whole[len(l.whole)-1].last
	for i := 0; i < len(edges); {
		at := edges[i].at
		if from.compare(at) < 0 {
			assign(span{from, at.before()})
		}
		for ; i < len(edges) && edges[i].at == at; i++ {
			if edges[i].in {
				active[edges[i].set] = true
			} else {
				delete(active, edges[i].set)
			}
			hash ^= scramble(uint64(edges[i].set))
		}
		from = at
	}
	if from.compare(last) <= 0 {
		assign(span{from, last})
	}
}

// atomOf finds the atom of the active sets, or makes it.
func (l *line) atomOf(byMembers map[uint64][]int32, active map[int32]bool, hash uint64) int32 {
	for _, atom := range byMembers[hash] {
		if members := l.members[atom]; len(members) == len(active) && !slices.ContainsFunc(members, func(n int32) bool { return !active[n] }) {
			return atom
		}
	}
	members := make([]int32, 0, len(active))
	for n := range active {
		members = append(members, n)
	}
	slices.Sort(members)
	atom := int32(len(l.members))
	l.members, l.spans = append(l.members, members), append(l.spans, nil)
	byMembers[hash] = append(byMembers[hash], atom)
	for _, n := range members {
		l.atoms[n] = append(l.atoms[n], atom)
	}
	return atom
}

// all are the atoms of a set; number 0 has every atom.
func (l *line) all(number int32) []int32 {
	if number != 0 {
		return l.atoms[number]
	}
	every := make([]int32, len(l.members))
	for i := range every {
		every[i] = int32(i)
	}
	return every
}

// scramble spreads a small number over 64 bits (the finaliser of splitmix64).
func scramble(v uint64) uint64 {
	v += 0x9e3779b97f4a7c15
	v = (v ^ v>>30) * 0xbf58476d1ce4e5b9
	v = (v ^ v>>27) * 0x94d049bb133111eb
	return v ^ v>>31
}
