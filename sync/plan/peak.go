package plan

import (
	"fwsync/cloudfw"
	"fwsync/cloudfw/lower"
)

// peaks are the most that a plan takes of what is shared by the old and the new while
// both are there, at any moment on the way.
type peaks struct {
	books  peak
	spread map[cloudfw.BorderKind]peak
}

// peak is the most of one thing, and the step after which that is reached; 0 is the
// beginning.
type peak struct{ most, step int }

func (p peak) reach(n, step int) peak {
	if n > p.most {
		return peak{n, step}
	}
	return p
}

// fit reports whether the vendor takes every step: a limit that was passed before the
// plan, or is not known, refuses nothing here.
func (p peaks) fit(limits cloudfw.Limits) bool {
	over := func(k peak, limit int) bool { return limit > 0 && k.step > 0 && k.most > limit }
	for _, k := range p.spread {
		if over(k, limits.SpreadUnits) {
			return false
		}
	}
	return !over(p.books, limits.BooksPerAccount)
}

// peaksOf follows the steps. What is other people's costs what the vendor says, what
// is ours what reference §2.2 makes of it.
func peaksOf(owner cloudfw.Owner, live cloudfw.Snapshot, steps []cloudfw.Step) peaks {
	q := quota{size: map[string]int{}, weight: map[string]map[cloudfw.BorderKind]int{}, now: map[cloudfw.BorderKind]int{}}
	for _, b := range live.Books {
		q.size[b.Name] = len(b.Prefixes)
	}
	for i := range live.Rules {
		if r := &live.Rules[i]; owner.Owns("rule", r.Description) {
			q.rule(r, +1)
		} else {
			q.now[r.Border.Kind()] += r.Cost
		}
	}
	most := peaks{spread: map[cloudfw.BorderKind]peak{}}
	books := len(live.Books)
	for i := -1; i < len(steps); i++ {
		if i >= 0 {
			books += q.follow(steps[i])
		}
		most.books = most.books.reach(books, i+1)
		for kind, n := range q.now {
			most.spread[kind] = most.spread[kind].reach(n, i+1)
		}
	}
	return most
}

// quota is the spread units in use, by kind of border.
type quota struct {
	size   map[string]int                        // addresses by book
	weight map[string]map[cloudfw.BorderKind]int // what one address more in a book costs
	now    map[cloudfw.BorderKind]int
}

// follow makes a step and returns how many books there are more.
func (q *quota) follow(s cloudfw.Step) int {
	switch s.Op {
	case cloudfw.CreateBook:
		q.size[s.Book.Name] = len(s.Book.Prefixes)
		return 1
	case cloudfw.DeleteBook:
		delete(q.size, s.Book.Name)
		return -1
	case cloudfw.AppendAddresses:
		q.grow(s.Book.Name, len(s.Prefixes))
	case cloudfw.RemoveAddresses:
		q.grow(s.Book.Name, -len(s.Prefixes))
	case cloudfw.InsertRule:
		q.rule(s.Rule, +1)
	case cloudfw.DeleteRule:
		q.rule(s.Rule, -1)
	}
	return 0
}

func (q *quota) grow(book string, n int) {
	q.size[book] += n
	for kind, w := range q.weight[book] {
		q.now[kind] += n * w
	}
}

// rule adds a rule or takes it away. Of its two books one at the most is edited while
// it stands: those of declared groups never are.
func (q *quota) rule(r *cloudfw.FirewallRule, sign int) {
	kind := r.Border.Kind()
	factor := sign * lower.Applications(r.Application)
	source, destination := q.units(r.Source), q.units(r.Destination)
	q.now[kind] += factor * source * destination
	for _, side := range []struct {
		peer  cloudfw.Peer
		other int
	}{{r.Source, destination}, {r.Destination, source}} {
		if side.peer.Kind == cloudfw.Book {
			if q.weight[side.peer.Value] == nil {
				q.weight[side.peer.Value] = map[cloudfw.BorderKind]int{}
			}
			q.weight[side.peer.Value][kind] += factor * side.other
		}
	}
}

func (q *quota) units(p cloudfw.Peer) int {
	if n, ok := q.size[p.Value]; ok && p.Kind == cloudfw.Book {
		return n
	}
	return 1
}
