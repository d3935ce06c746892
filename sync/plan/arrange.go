package plan

import (
	"slices"

	"fwsync/cloudfw"
	"fwsync/cloudfw/packets"
)

// arrangement is how one ordered list gets into shape.
type arrangement struct {
	steps  []cloudfw.Step
	notes  []string
	fewest int // calls that no way can do without
}

// arrange brings one ordered list into shape with few calls: the wanted rules in
// their order, each above every rule of other people that contradicts it; what does
// not contradict stays where it is, ours as well as theirs.
//
//	live      wanted   steps
//	F A       A        move A up to 1 where F contradicts A, else nothing
//	B A       A B      move A up to 1
//	A X B     A B      delete X                          (X ours and not wanted)
//	B C A     A B C    move A up to 1
//	C A B     A B C    move C down to 3 where it agrees with A and B, else a copy at 3,
//	                   and the old C is deleted
//
// The longest run of wanted rules that are live in their order stays; the others are
// placed right after the one before them, from the top down; what is left of ours goes
// from the bottom up, or before all else where there is no room for both. Promise P2 is
// not taken for granted here: prove looks at the result.
func arrange(owner cloudfw.Owner, key cloudfw.ListKey, live, wanted []cloudfw.FirewallRule, was, willBe cloudfw.Snapshot, c *packets.Compiler, removeFirst bool) arrangement {
	a := arranging{
		owner: owner, target: key.Border.Firewall(), wanted: wanted,
		place: match(live, wanted),
	}
	// Strict mode would compile some rules twice; whether rules meet does not depend on it.
	was.Strict, willBe.Strict = false, false
	a.ground = packets.NewGround(c.Firewall(key, live, was), c.Firewall(key, wanted, willBe))
	for i, r := range live {
		a.list = append(a.list, item{rule: r, live: i, wanted: -1})
	}
	for i, at := range a.place {
		if at >= 0 {
			a.list[at].wanted = i
		}
	}
	if removeFirst {
		a.sweepLeftovers()
	}
	stay := a.staying(live)
	for i := range wanted {
		a.put(i, stay[i])
	}
	a.sweepLeftovers()
	return arrangement{a.steps, a.precedence(live), a.fewest}
}

// item is a rule in its present place. live and wanted are its indexes there, -1 where
// it is not.
type item struct {
	rule         cloudfw.FirewallRule
	live, wanted int
}

type arranging struct {
	owner  cloudfw.Owner
	target string
	wanted []cloudfw.FirewallRule
	place  []int // of each wanted rule in the live list, -1 without
	ground *packets.Ground
	list   []item
	next   int // where the next wanted rule goes
	steps  []cloudfw.Step
	fewest int
}

// match finds each wanted rule in the live list, every live one at the most once.
func match(live, wanted []cloudfw.FirewallRule) []int {
	place, taken := make([]int, len(wanted)), map[int]bool{}
	byMarker := map[string][]int{}
	for at, r := range live {
		byMarker[r.Description] = append(byMarker[r.Description], at)
	}
	for i, w := range wanted {
		place[i] = -1
		for _, at := range byMarker[w.Description] {
			if !taken[at] && live[at].Same(w) {
				place[i], taken[at] = at, true
				break
			}
		}
	}
	return place
}

// staying is the longest run of wanted rules that may stay where they are: in their
// order, and with no rule of other people above one of them that contradicts it or a
// wanted rule after it, which could not come to stand above that.
func (a *arranging) staying(live []cloudfw.FirewallRule) []bool {
	harms := make([]int, len(live)) // the last wanted rule that a foreign one contradicts
	for at := range harms {
		harms[at] = -1
	}
	for i, w := range a.wanted {
		for _, at := range a.ground.Meeting(1, i, 0) {
			if r := live[at]; !a.owner.Owns("rule", r.Description) && contradict(r, w) {
				harms[at] = i
			}
		}
	}
	var candidates []int
	worst := make([]int, len(live)+1) // the last wanted rule contradicted above a place
	worst[0] = -1
	for at, h := range harms {
		worst[at+1] = max(worst[at], h)
	}
	for i, at := range a.place {
		if at >= 0 && worst[at] < i {
			candidates = append(candidates, i)
		}
	}
	stay := make([]bool, len(a.wanted))
	for _, i := range longestRun(candidates, a.place) {
		stay[i] = true
	}
	return stay
}

// contradict reports whether an enabled rule does something else than another one.
// Log lets pass like accept.
func contradict(r, other cloudfw.FirewallRule) bool {
	return !r.Disabled && (r.Action == cloudfw.Drop) != (other.Action == cloudfw.Drop)
}

// longestRun is the longest subsequence of candidates whose places ascend.
func longestRun(candidates, place []int) []int {
	var ends []int // the candidate that ends the best run of each length
	before := map[int]int{}
	for _, c := range candidates {
		at, _ := slices.BinarySearchFunc(ends, place[c], func(e, p int) int { return place[e] - p })
		if at > 0 {
			before[c] = ends[at-1]
		}
		if at == len(ends) {
			ends = append(ends, c)
		} else {
			ends[at] = c
		}
	}
	if len(ends) == 0 {
		return nil
	}
	run := []int{}
	for c, ok := ends[len(ends)-1], true; ok; c, ok = before[c] {
		run = append(run, c)
	}
	slices.Reverse(run)
	return run
}

// put brings a wanted rule right behind the one before it.
func (a *arranging) put(i int, stays bool) {
	at := slices.IndexFunc(a.list, func(it item) bool { return it.wanted == i })
	want := a.wanted[i]
	switch {
	case stays:
		a.next = at + 1
		return
	case at < 0:
		a.fewest++
		a.insert(i, want, reasonFor(a.owner, a.rules(), want))
	case at > a.next:
		a.fewest++
		a.move(at, a.next)
		a.next++
	case at == a.next:
		a.next++
	default: // it stands too high
		a.fewest++
		if a.free(at) {
			a.move(at, a.next-1)
		} else {
			a.list[at].wanted = -1
			a.insert(i, want, "must stand below "+describe(a.owner, a.list[a.next-1].rule)+"; a copy, as moving it would open a gap")
		}
	}
}

// free reports whether the rule may go down to the next place in one step: what it
// jumps over does the same or meets other packets.
func (a *arranging) free(at int) bool {
	i := a.list[at].wanted
	inLive, inWanted := a.ground.Meeting(1, i, 0), a.ground.Meeting(1, i, 1)
	return !slices.ContainsFunc(a.list[at+1:a.next], func(it item) bool {
		meets := it.live >= 0 && slices.Contains(inLive, it.live) || it.wanted >= 0 && slices.Contains(inWanted, it.wanted)
		return meets && contradict(it.rule, a.wanted[i])
	})
}

func (a *arranging) insert(i int, want cloudfw.FirewallRule, reason string) {
	a.steps = append(a.steps, cloudfw.Step{Op: cloudfw.InsertRule, Target: a.target, Rule: placed(want, a.next+1), Reason: reason})
	a.list = slices.Insert(a.list, a.next, item{rule: want, live: -1, wanted: i})
	a.next++
}

func (a *arranging) move(from, to int) {
	moved := a.list[from]
	neighbour := a.list[to]
	word := "must stand above "
	if from < to {
		word = "must stand below "
	}
	a.steps = append(a.steps, cloudfw.Step{Op: cloudfw.MoveRule, Target: a.target, Rule: placed(moved.rule, to+1), From: from + 1, Reason: word + describe(a.owner, neighbour.rule)})
	a.list = slices.Insert(slices.Delete(a.list, from, from+1), to, moved)
}

// sweepLeftovers deletes what is ours and not wanted, from the bottom up.
func (a *arranging) sweepLeftovers() {
	copies := map[int]bool{}
	for _, at := range a.place {
		if at >= 0 {
			copies[at] = true
		}
	}
	for i := len(a.list) - 1; i >= 0; i-- {
		it := a.list[i]
		if it.wanted >= 0 || !a.owner.Owns("rule", it.rule.Description) {
			continue
		}
		if !copies[it.live] { // the old one of a copy: moving it would have been one call
			a.fewest++
		}
		a.steps = append(a.steps, cloudfw.Step{Op: cloudfw.DeleteRule, Target: a.target, Rule: placed(it.rule, i+1), Reason: "ours and not wanted"})
		a.list = slices.Delete(a.list, i, i+1)
	}
}

func (a *arranging) rules() []cloudfw.FirewallRule {
	rules := make([]cloudfw.FirewallRule, 0, len(a.list))
	for _, it := range a.list {
		rules = append(rules, it.rule)
	}
	return rules
}
