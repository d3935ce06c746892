package packets

import (
	"slices"
)

// piece is a box of packets that can be cut: per dimension the points that it holds,
// and the opaque conditions that are true and false of its packets. It serves
// questions about few rules, where preparing a universe would cost more.
type piece struct {
	sides [byCondition]set // nil for the whole dimension; never empty
	holds []string         // conditions that are true
	fails []string         // conditions that are false
}

// plane is what pieces of one list have in common: the whole of each dimension, the
// numbers of the applications.
type plane struct {
	whole        [byCondition]set
	applications []string
}

func (l *List) plane(also ...string) plane {
	names := append([]string{""}, also...)
	for _, r := range l.rules {
		names = append(names, r.applications...)
	}
	names = sorted(names)
	// One more application than are named: any other.
	addresses := everyAddress(l.family)
	return plane{[byCondition]set{addresses, addresses, everyService, {numbered(0, len(names))}}, names}
}

// piece is the box of a rule.
func (p plane) piece(r *rule) piece {
	return piece{sides: [byCondition]set{r.source, r.destination, r.service, p.named(r.applications)}, holds: r.conditions}
}

func (p plane) named(applications []string) set {
	if applications == nil {
		return nil
	}
	spans := make([]span, 0, len(applications))
	for _, a := range applications {
		at, _ := slices.BinarySearch(p.applications, a)
		spans = append(spans, numbered(at, at))
	}
	return newSet(spans)
}

// apart reports whether no packet lies in both, as far as the dimensions tell.
func (b *piece) apart(o *piece) bool {
	// From the cheapest to the dearest.
	for _, dim := range [...]int{byService, byApplication, byDestination, bySource} {
		if s, t := b.sides[dim], o.sides[dim]; s != nil && t != nil && !meet(s, t) {
			return true
		}
	}
	return slices.ContainsFunc(o.holds, func(c string) bool { return slices.Contains(b.fails, c) })
}

// common is what two pieces share; false when that is nothing.
func (b *piece) common(o *piece) (piece, bool) {
	if b.apart(o) {
		return piece{}, false
	}
	both := piece{holds: sorted(slices.Concat(b.holds, o.holds)), fails: b.fails}
	for dim := range both.sides {
		both.sides[dim] = b.sides[dim].and(o.sides[dim])
	}
	return both, true
}

// within reports whether every packet of the piece lies in the other.
func (p plane) within(b, o *piece) bool {
	for dim, s := range o.sides {
		if s != nil && len(p.minus(dim, b.sides[dim], s)) > 0 {
			return false
		}
	}
	return !slices.ContainsFunc(o.holds, func(c string) bool { return !slices.Contains(b.holds, c) })
}

// left reports whether some packet of the piece lies in none of the others. What is
// left after each is cut into pieces that do not overlap, and the first that survives
// all ends the search.
func (p plane) left(b piece, others []*piece) bool {
	for i, o := range others {
		if b.apart(o) {
			continue
		}
		rest := b
		for dim, s := range o.sides {
			if s == nil {
				continue
			}
			if outside := p.minus(dim, rest.sides[dim], s); len(outside) > 0 {
				cut := rest
				cut.sides[dim] = outside
				if p.left(cut, others[i+1:]) {
					return true
				}
			}
			rest.sides[dim] = rest.sides[dim].and(s)
		}
		for _, c := range o.holds {
			if slices.Contains(rest.holds, c) {
				continue
			}
			cut := rest
			cut.fails = append(slices.Clip(rest.fails), c)
			if p.left(cut, others[i+1:]) {
				return true
			}
			rest.holds = append(slices.Clip(rest.holds), c)
		}
		return false
	}
	return true
}

// minus are the points of a set of the dimension that another one lacks.
func (p plane) minus(dim int, s, t set) set {
	if s == nil {
		s = p.whole[dim]
	}
	return s.without(t)
}

// meet reports whether two sets have a point in common.
func meet(s, t set) bool {
	if len(s) > len(t) {
		s, t = t, s
	}
	for _, sp := range s {
		at, found := slices.BinarySearchFunc(t, sp.first, func(o span, p point) int { return o.first.compare(p) })
		if found || at > 0 && sp.first.compare(t[at-1].last) <= 0 || at < len(t) && t[at].first.compare(sp.last) <= 0 {
			return true
		}
	}
	return false
}

// and are the points of both sets; nil is the whole dimension.
func (s set) and(t set) set {
	switch {
	case s == nil:
		return t
	case t == nil:
		return s
	}
	var both set
	for i, j := 0, 0; i < len(s) && j < len(t); {
		first, last := s[i].first, s[i].last
		if t[j].first.compare(first) > 0 {
			first = t[j].first
		}
		if t[j].last.compare(last) < 0 {
			last = t[j].last
		}
		if first.compare(last) <= 0 {
			both = append(both, span{first, last})
		}
		if s[i].last.compare(t[j].last) < 0 {
			i++
		} else {
			j++
		}
	}
	return both
}

// without are the points that the other set lacks.
func (s set) without(t set) set {
	var rest set
	j := 0
	for _, sp := range s {
		from, open := sp.first, true
		for j < len(t) && t[j].last.compare(from) < 0 {
			j++
		}
		for k := j; open && k < len(t) && t[k].first.compare(sp.last) <= 0; k++ {
			if from.compare(t[k].first) < 0 {
				rest = append(rest, span{from, t[k].first.before()})
			}
			if open = t[k].last.compare(sp.last) < 0; open {
				from = t[k].last.next()
			}
		}
		if open {
			rest = append(rest, span{from, sp.last})
		}
	}
	return rest
}
