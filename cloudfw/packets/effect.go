package packets

import (
	"slices"
)

// Effects answers what single rules of a list do: whether a rule decides anything, which
// others keep it from it, and whether it could be left out. The work for a rule is
// limited to the rules that share packets with it. Rules are named by their index in
// the list. Not safe for concurrent use.
type Effects struct {
	*universe
	from   table
	boxes  table
	beside []map[int32][]uint64 // see near
	marks  [][]uint32           // per dimension and set, the number of the question in which it was used
	asked  uint32
}

// NewEffects prepares a list, and boxes of packets of the same family to ask about:
// the rules of a second list, which may be nil.
func NewEffects(list, boxes *List) *Effects {
	lists := []*List{list}
	if boxes != nil {
		lists = append(lists, boxes)
	}
	u, tables := newUniverse(lists...)
	e := &Effects{universe: u, from: tables[0]}
	if boxes != nil {
		e.boxes = tables[1]
	}
	for _, l := range u.lines {
		e.beside = append(e.beside, map[int32][]uint64{})
		e.marks = append(e.marks, make([]uint32, len(l.sets)))
	}
	return e
}

// Decides reports whether some packet is decided by the rule: no rule above it takes
// it. A rule that matches nothing decides nothing.
func (e *Effects) Decides(rule int) bool {
	s, ok := e.search(rule)
	return ok && s.any(0, s.above, nil)
}

// DecidesWithin is Decides for the packets alone that another rule matches too.
func (e *Effects) DecidesWithin(rule, other int) bool { return e.decidesIn(rule, e.from, other) }

// DecidesInBox is Decides for the packets alone that a rule of the boxes matches.
func (e *Effects) DecidesInBox(rule, box int) bool { return e.decidesIn(rule, e.boxes, box) }

func (e *Effects) decidesIn(rule int, of table, other int) bool {
	at, known := slices.BinarySearch(of.at, other)
	if !known {
		return false
	}
	s, ok := e.search(rule)
	return ok && s.narrow(e.rules[of.rules[at]].sets) && s.any(0, s.above, nil)
}

// Counts reports whether the list without the rule would treat some packet
// otherwise. What is the same treatment is the caller's to say: alike is asked about
// the rule that would decide in its place, -1 for the fallback.
func (e *Effects) Counts(rule int, alike func(heir int) bool) bool {
	s, ok := e.search(rule)
	if !ok {
		return false
	}
	s.alike = func(pos int32) bool {
		if pos < 0 {
			return alike(-1)
		}
		return alike(e.from.at[pos])
	}
	return s.any(0, s.above, s.below)
}

// Meeting are the other rules that share a packet with the rule, in their order. What
// opaque conditions say is left open.
func (e *Effects) Meeting(rule int) []int {
	pos, ok := slices.BinarySearch(e.from.at, rule)
	if !ok {
		return nil
	}
	var met []int
	for _, other := range e.meeting(int32(pos)) {
		if int(other) != pos {
			met = append(met, e.from.at[other])
		}
	}
	return met
}

// Coverer is the first rule above the given one that matches every packet that it
// matches, -1 without one.
func (e *Effects) Coverer(rule int) int {
	s, ok := e.search(rule)
	if !ok {
		return -1
	}
	for _, pos := range s.above {
		if e.holds(s.box(pos), s.box(s.pos)) {
			return e.from.at[pos]
		}
	}
	return -1
}

// Holds reports whether a rule matches every packet that another rule matches.
// Rules that match nothing hold nothing and are held by nothing.
func (e *Effects) Holds(rule, other int) bool {
	a, ok := slices.BinarySearch(e.from.at, rule)
	b, known := slices.BinarySearch(e.from.at, other)
	return ok && known && e.holds(e.box(int32(a)), e.box(int32(b)))
}

// Takers are rules above the given one that between them match every packet that it
// matches, in their order, each of which decides one of those packets: why a rule that
// decides nothing does not. Nil for one that decides something or matches nothing.
func (e *Effects) Takers(rule int) []int {
	s, ok := e.search(rule)
	if !ok {
		return nil
	}
	var takers []int32
	for s.any(0, takers, nil) {
		at := slices.IndexFunc(s.above, s.takes)
		if at < 0 {
			return nil
		}
		takers = append(takers, s.above[at])
		clear(s.hopeless)
	}
	slices.Sort(takers)
	rules := make([]int, len(takers))
	for i, pos := range takers {
		rules[i] = e.from.at[pos]
	}
	return rules
}

// holds reports whether a box holds all of another.
func (u *universe) holds(outer, inner []int32) bool {
	for dim, n := range outer {
		if n == 0 || n == inner[dim] {
			continue
		}
		if inner[dim] == 0 {
			return false
		}
		for _, atom := range u.lines[dim].atoms[inner[dim]] {
			if _, in := slices.BinarySearch(u.lines[dim].members[atom], n); !in {
				return false
			}
		}
	}
	return true
}
