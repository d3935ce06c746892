package packets

import (
	"math"
	"net/netip"
	"slices"
	"sort"

	"fwsync/cloudfw"
)

// Question asks what a list does with the packets of many prefixes. What it leaves
// open, its zero value, is any.
type Question struct {
	Prefixes      []netip.Prefix // of the list's family; others fall back
	AtDestination bool           // the packets go to the prefixes; else they come from them
	Opposite      []netip.Prefix // the other side of the packets
	Protocol      cloudfw.Protocol
	Ports         []cloudfw.PortRange
	Application   string
}

// Fate is what becomes of a prefix's packets.
type Fate struct {
	Passes bool // some packet passes, given that opaque conditions are as they please
	// Rule decides: of a prefix that passes the first rule that lets a packet pass, else
	// the one that drops whatever the rules above it left. It is a rule's id, its
	// description where it has none; empty: the fallback.
	Rule string
}

// Fates answers the question for each of its prefixes, in their order. A packet that
// a rule would drop only under an opaque condition passes, unless a rule below drops
// it; one that a rule would pass only under such a condition passes too.
//
// The addresses are cut into classes that the same rules match, once; each class is
// judged once. The work is that of sorting the list's addresses plus a search per
// prefix.
func (l *List) Fates(q Question) []Fate {
	j := newJudge(l, q)
	fates := make([]Fate, len(q.Prefixes))
	for i, p := range q.Prefixes {
		fates[i] = j.prefix(p)
	}
	return fates
}

// judge has the rules that share packets with the question, the prefixes' own
// dimension left out, and the classes of that dimension.
type judge struct {
	plane
	list  *List
	asked piece
	rules []judged
	any   []int // of rules, those that match every address
	sets  [][]int
	rungs []rung
	seats [][]int32 // class to the numbers of the sets that hold it, ascending
	known []verdict
}

// judged is a rule with what it matches beside the prefixes.
type judged struct {
	rule  *rule
	box   piece
	whole bool // it matches all that is asked
}

// rung is a stretch of addresses, up to the next rung, and its class.
type rung struct {
	first point
	class int32
}

type verdict struct {
	done bool
	pass bool
	at   int // of judge.rules; its length for the fallback
}

func newJudge(l *List, q Question) *judge {
	j := &judge{list: l, plane: l.plane(applicationsOf(q)...)}
	j.asked.sides[byApplication] = j.named(applicationsOf(q))
	if q.Opposite != nil {
		j.asked.sides[byDestination] = prefixSet(q.Opposite, l.family)
	}
	asked := &rule{}
	j.asked.sides[byService] = service(asked, q.Protocol, cloudfw.PortRange{}, "", names{})
	if len(q.Ports) > 0 {
		if s, known := serviceOf(q.Protocol, q.Ports); known && !slices.Equal(s, everyService) {
			j.asked.sides[byService] = s
		}
	}
	numbers := map[*span]int{}
	var sets []set
	for _, r := range l.rules {
		own, other := r.source, r.destination
		if q.AtDestination {
			own, other = other, own
		}
		box := piece{sides: [byCondition]set{nil, other, r.service, j.named(r.applications)}, holds: r.conditions}
		if r.never || j.asked.apart(&box) {
			continue
		}
		at := len(j.rules)
		j.rules = append(j.rules, judged{r, box, j.within(&j.asked, &box)})
		if own == nil {
			j.any = append(j.any, at)
			continue
		}
		n, again := numbers[&own[0]]
		if !again {
			n = len(sets)
			numbers[&own[0]] = n
			sets, j.sets = append(sets, own), append(j.sets, nil)
		}
		j.sets[n] = append(j.sets[n], at)
	}
	j.climb(sets)
	return j
}

func applicationsOf(q Question) []string {
	if q.Application == "" || q.Application == "ANY" {
		return nil
	}
	return []string{q.Application}
}

// climb cuts the line of addresses where a set begins or ends.
func (j *judge) climb(sets []set) {
	type step struct {
		at  point
		set int32
		in  bool
	}
	var steps []step
	for n, s := range sets {
		for _, sp := range s {
			steps = append(steps, step{sp.first, int32(n), true})
			if sp.last != end {
				steps = append(steps, step{sp.last.next(), int32(n), false})
			}
		}
	}
	slices.SortFunc(steps, func(a, b step) int { return a.at.compare(b.at) })
	classes, active, hash := map[uint64][]int32{}, []int32(nil), uint64(0)
	class := func() int32 {
		for _, c := range classes[hash] {
			if slices.Equal(j.seats[c], active) {
				return c
			}
		}
		c := int32(len(j.seats))
		j.seats = append(j.seats, slices.Clone(active))
		classes[hash] = append(classes[hash], c)
		return c
	}
	j.rungs = append(make([]rung, 0, len(steps)+1), rung{point{}, class()})
	for i := 0; i < len(steps); {
		at := steps[i].at
		for ; i < len(steps) && steps[i].at == at; i++ {
			where, _ := slices.BinarySearch(active, steps[i].set)
			if steps[i].in {
				active = slices.Insert(active, where, steps[i].set)
			} else {
				active = slices.Delete(active, where, where+1)
			}
			hash ^= scramble(uint64(steps[i].set))
		}
		j.rungs = append(j.rungs, rung{at, class()})
	}
	j.known = make([]verdict, len(j.seats))
}

// prefix joins the verdicts on the classes within.
func (j *judge) prefix(p netip.Prefix) Fate {
	if cloudfw.FamilyOf(p) != j.list.family {
		return Fate{Passes: j.list.pass}
	}
	s := prefixSpan(p)
	// The last rung that is not above the prefix's first address; the lowest is at 0.
	at := sort.Search(len(j.rungs), func(i int) bool { return j.rungs[i].first.compare(s.first) > 0 }) - 1
	worst := verdict{at: -1}
	for ; at < len(j.rungs) && j.rungs[at].first.compare(s.last) <= 0; at++ {
		v := j.class(j.rungs[at].class)
		switch {
		case v.pass && (!worst.pass || v.at < worst.at):
			worst = v
		case !v.pass && !worst.pass && v.at > worst.at:
			worst = v
		}
	}
	fate := Fate{Passes: worst.pass}
	if worst.at < len(j.rules) {
		fate.Rule = j.rules[worst.at].rule.id
	}
	return fate
}

func (j *judge) class(c int32) verdict {
	if !j.known[c].done {
		j.known[c] = j.judge(j.seats[c])
	}
	return j.known[c]
}

// judge goes down the rules that match the addresses of the given sets.
func (j *judge) judge(seats []int32) verdict {
	var own []int
	for _, s := range seats {
		own = append(own, j.sets[s]...)
	}
	slices.Sort(own)
	var drops []*piece
	last := len(j.rules)
	all := j.any
	for len(own) > 0 || len(all) > 0 {
		var at int
		if next := headOf(own); next < headOf(all) {
			at, own = next, own[1:]
		} else {
			at, all = all[0], all[1:]
		}
		r := &j.rules[at]
		if r.rule.pass {
			if met, some := j.asked.common(&r.box); some && j.left(met, drops) {
				return verdict{true, true, at}
			}
			if r.whole { // what it would let pass is dropped above
				return verdict{true, false, last}
			}
			continue
		}
		drops, last = append(drops, &r.box), at
		if r.whole {
			return verdict{true, false, at}
		}
	}
	if j.left(j.asked, drops) {
		return verdict{true, j.list.pass, len(j.rules)}
	}
	return verdict{true, false, last}
}

func headOf(sorted []int) int {
	if len(sorted) == 0 {
		return math.MaxInt
	}
	return sorted[0]
}
