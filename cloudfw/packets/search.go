package packets

import (
	"math/bits"
	"slices"
)

// search looks for one packet that a rule decides. Rules are named by their position
// in the table, as rules of the same content may be told apart by the caller.
type search struct {
	*Effects
	pos          int32
	above, below []int32   // positions of the rules that share packets with it
	region       [][]int32 // per dimension the atoms to look at, nil for all
	alike        func(pos int32) bool
	hopeless     map[string]bool
	witness      []int32 // the packet found, an atom per dimension
}

// search prepares the search for a rule of the list; it is false for one that matches
// nothing.
func (e *Effects) search(rule int) (*search, bool) {
	pos, ok := slices.BinarySearch(e.from.at, rule)
	if !ok {
		return nil, false
	}
	s := &search{Effects: e, pos: int32(pos), region: make([][]int32, len(e.lines)), witness: make([]int32, len(e.lines)), hopeless: map[string]bool{}}
	for dim, n := range s.box(s.pos) {
		if n != 0 {
			s.region[dim] = e.lines[dim].atoms[n]
		}
	}
	for _, other := range e.meeting(s.pos) {
		switch {
		case other < s.pos:
			s.above = append(s.above, other)
		case other > s.pos:
			s.below = append(s.below, other)
		}
	}
	return s, true
}

// meeting are the positions of the rules that share packets with one, itself included.
func (e *Effects) meeting(pos int32) []int32 {
	all := make([]uint64, (len(e.from.rules)+63)/64)
	for i := range all {
		all[i] = ^uint64(0)
	}
	for dim, n := range e.box(pos) {
		if n == 0 {
			continue
		}
		for i, word := range e.near(dim, n) {
			all[i] &= word
		}
	}
	var met []int32
	for i, word := range all {
		for ; word != 0; word &= word - 1 {
			if at := i*64 + bits.TrailingZeros64(word); at < len(e.from.rules) {
				met = append(met, int32(at))
			}
		}
	}
	return met
}

// near are the rules, a bit each, whose set in the dimension shares a point with the
// given one.
func (e *Effects) near(dim int, n int32) []uint64 {
	if known := e.beside[dim][n]; known != nil {
		return known
	}
	l := e.lines[dim]
	meets := make([]bool, len(l.sets))
	for m, other := range l.sets {
		meets[m] = m == 0 || l.sets[n].meets(other)
	}
	set := make([]uint64, (len(e.from.rules)+63)/64)
	for at, r := range e.from.rules {
		if meets[e.rules[r].sets[dim]] {
			set[at/64] |= 1 << (at % 64)
		}
	}
	e.beside[dim][n] = set
	return set
}

// meets reports whether two sets share a point.
func (s set) meets(o set) bool {
	for len(s) > 0 && len(o) > 0 {
		switch {
		case s[0].last.compare(o[0].first) < 0:
			s = s[1:]
		case o[0].last.compare(s[0].first) < 0:
			o = o[1:]
		default:
			return true
		}
	}
	return false
}

func (e *Effects) box(pos int32) []int32 { return e.rules[e.from.rules[pos]].sets }

// narrow limits the search to another box as well. It is false when nothing is left.
func (s *search) narrow(box []int32) bool {
	for dim, n := range box {
		if n == 0 {
			continue
		}
		if s.region[dim] == nil {
			s.region[dim] = s.lines[dim].atoms[n]
			continue
		}
		s.region[dim] = slices.DeleteFunc(slices.Clone(s.region[dim]), func(atom int32) bool {
			return !s.in(dim, atom, n)
		})
		if len(s.region[dim]) == 0 {
			return false
		}
	}
	return true
}

// takes reports whether a rule matches the packet that was found.
func (s *search) takes(pos int32) bool {
	for dim, n := range s.box(pos) {
		if n != 0 && !s.in(dim, s.witness[dim], n) {
			return false
		}
	}
	return true
}

func (s *search) in(dim int, atom, set int32) bool {
	_, in := slices.BinarySearch(s.lines[dim].members[atom], set)
	return in
}

// any reports whether some packet within the region is matched by none of the rules
// above and, where that is asked, would be treated otherwise by those below. The
// dimensions before dim are settled.
func (s *search) any(dim int, above, below []int32) bool {
	if slices.ContainsFunc(above, func(pos int32) bool { return s.open(s.from.rules[pos], dim) }) {
		return false
	}
	if at := slices.IndexFunc(below, func(pos int32) bool { return s.open(s.from.rules[pos], dim) }); at >= 0 {
		below = below[:at+1]
	}
	if s.alike != nil && s.nothingElse(dim, below) {
		return false
	}
	if len(above) == 0 && (s.alike == nil || s.settled(dim, below)) {
		for ; dim < len(s.region); dim++ { // the rest is as it may be
			s.witness[dim] = s.atom(dim, 0)
		}
		return true // where a treatment is settled it is known by now to be another
	}
	key := remember(dim, [][]int32{above, below})
	if s.hopeless[key] {
		return false
	}
	if s.split(dim, above, below) {
		return true
	}
	s.hopeless[key] = true
	return false
}

// split goes through what the dimension tells apart: first a point in no set at all,
// where the fewest rules match, and then the rest, the points in few sets first.
func (s *search) split(dim int, above, below []int32) bool {
	used := s.used(dim, above, below)
	try := func(g group) bool {
		s.witness[dim] = g.atoms[0]
		return s.any(dim+1, s.matching(dim, above, g.sets), s.matching(dim, below, g.sets))
	}
	if free, ok := s.free(dim, used); ok {
		if try(group{atoms: []int32{free}}) {
			return true
		}
		if s.alike == nil || len(used.sets) == 0 {
			return false // where more rules match there is even less to find
		}
	}
	var failed []group
	for _, g := range s.parts(dim, used) {
		if s.alike == nil && slices.ContainsFunc(failed, func(f group) bool { return within(f.sets, g.sets) }) {
			continue
		}
		if try(g) {
			return true
		}
		if len(failed) < mostFailed {
			failed = append(failed, g)
		}
	}
	return false
}

// mostFailed bounds how much is compared to spare a search.
const mostFailed = 64

// within reports whether a sorted set of numbers is part of another.
func within(part, whole []int32) bool {
	return !slices.ContainsFunc(part, func(n int32) bool {
		_, in := slices.BinarySearch(whole, n)
		return !in
	})
}

// nothingElse reports whether all that could decide instead treats packets alike.
func (s *search) nothingElse(dim int, below []int32) bool {
	for _, pos := range below {
		if !s.alike(pos) {
			return false
		}
	}
	return len(below) > 0 && s.open(s.from.rules[below[len(below)-1]], dim) || s.alike(-1)
}

func (s *search) settled(dim int, below []int32) bool {
	return len(below) == 0 || s.open(s.from.rules[below[0]], dim)
}

func (s *search) matching(dim int, rules, sets []int32) []int32 {
	var kept []int32
	for _, pos := range rules {
		n := s.box(pos)[dim]
		if n == 0 {
			kept = append(kept, pos)
		} else if _, in := slices.BinarySearch(sets, n); in {
			kept = append(kept, pos)
		}
	}
	return kept
}
