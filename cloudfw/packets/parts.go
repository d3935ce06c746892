package packets

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// atom is the i-th atom of the region.
func (s *search) atom(dim, i int) int32 {
	if s.region[dim] == nil {
		return int32(i)
	}
	return s.region[dim][i]
}

func (s *search) atoms(dim int) int {
	if s.region[dim] == nil {
		return len(s.lines[dim].members)
	}
	return len(s.region[dim])
}

// used are the sets that the rules have in the dimension, ascending, with marks to
// know them by.
func (s *search) used(dim int, lists ...[]int32) used {
	s.asked++
	u := used{line: s.lines[dim], marks: s.marks[dim], asked: s.asked}
	for _, rules := range lists {
		for _, pos := range rules {
			if n := s.box(pos)[dim]; n != 0 && u.marks[n] != u.asked {
				u.marks[n] = u.asked
				u.sets = append(u.sets, n)
			}
		}
	}
	slices.Sort(u.sets)
	return u
}

// used are the sets of a dimension that matter.
type used struct {
	line  *line
	sets  []int32
	marks []uint32
	asked uint32
}

// holding appends those of the sets that hold an atom, whichever way is shorter: atoms
// can lie in thousands of sets of which few matter.
func (u used) holding(atom int32, sets []int32) []int32 {
	members := u.line.members[atom]
	if 8*len(u.sets) < len(members) {
		for _, n := range u.sets {
			if _, in := slices.BinarySearch(members, n); in {
				sets = append(sets, n)
			}
		}
		return sets
	}
	for _, n := range members {
		if u.marks[n] == u.asked {
			sets = append(sets, n)
		}
	}
	return sets
}

// free is an atom of the region that lies in none of the sets.
func (s *search) free(dim int, u used) (int32, bool) {
	var sets []int32
	for i := range s.atoms(dim) {
		atom := s.atom(dim, i)
		if sets = u.holding(atom, sets[:0]); len(sets) == 0 {
			return atom, true
		}
	}
	return 0, false
}

// parts splits the region's atoms of a dimension by the sets that they lie in, those
// in the fewest first. Each part has one atom to stand for it.
func (s *search) parts(dim int, u used) []group {
	index := map[string]bool{}
	var parts []group
	var key []byte
	var sets []int32
	for i := range s.atoms(dim) {
		atom := s.atom(dim, i)
		key, sets = key[:0], u.holding(atom, sets[:0])
		for _, n := range sets {
			key = binary.LittleEndian.AppendUint32(key, uint32(n))
		}
		if !index[string(key)] {
			index[string(key)] = true
			parts = append(parts, group{atoms: []int32{atom}, sets: slices.Clone(sets)})
		}
	}
	slices.SortStableFunc(parts, func(a, b group) int { return cmp.Compare(len(a.sets), len(b.sets)) })
	return parts
}
