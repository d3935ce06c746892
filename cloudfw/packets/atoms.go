package packets

import (
	"cmp"
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
	sets    []set              // by number; number 0 stands for everything
	numbers map[uint64][]int32 // by a hash of the content
	whole   set
	members [][]int32 // atom to the numbers of the sets that hold it, ascending
	atoms   [][]int32 // set to its atoms
	spans   []set     // atom to its points
}

func newLine(whole set) *line {
	return &line{sets: []set{nil}, numbers: map[uint64][]int32{}, whole: whole}
}

// number registers a set; equal sets share a number.
func (l *line) number(s set) int32 {
	if s == nil || slices.Equal(s, l.whole) {
		return 0
	}
	h := s.hash()
	for _, n := range l.numbers[h] {
		if slices.Equal(l.sets[n], s) {
			return n
		}
	}
	n := int32(len(l.sets))
	l.sets = append(l.sets, s)
	l.numbers[h] = append(l.numbers[h], n)
	return n
}

// hash is for finding equal sets, nothing else.
func (s set) hash() uint64 {
	h := uint64(len(s))
	for _, sp := range s {
		h = scramble(h ^ sp.first.hi ^ sp.last.hi*3 ^ sp.first.lo*5 ^ sp.last.lo*7)
	}
	return h
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
	several := 0
	for _, s := range l.sets {
		several += 2 * len(s)
	}
	edges := make([]edge, 0, several)
	for n, s := range l.sets {
		for _, sp := range s {
			edges = append(edges, edge{sp.first, int32(n), true})
			if sp.last != end {
				edges = append(edges, edge{sp.last.next(), int32(n), false})
			}
		}
	}
	slices.SortFunc(edges, func(a, b edge) int {
		if a.at.hi == b.at.hi { // nearly always
			return cmp.Compare(a.at.lo, b.at.lo)
		}
		return cmp.Compare(a.at.hi, b.at.hi)
	})
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
