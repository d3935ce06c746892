package reconcile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"fwsync/sync/plan"
)

// Moved says what is not as it was, a line for each object. Rules that merely slid
// because of others above them are not named.
func Moved(was, is []Object) []string {
	before, after := byName(was), byName(is)
	var lines []string
	tell := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	for _, o := range was {
		now, there := after[o.Object]
		switch {
		case !there:
			tell("%s is gone: %s", o.title(), o.Text)
		case o.Hash == now.Hash && o.List == now.List:
		case !slices.Equal(o.Holds, now.Holds):
			tell("%s %s", o.title(), o.edited(now))
		case o.Text != now.Text || o.List != now.List:
			tell("%s was %s, now %s", o.title(), o.Text, now.Text)
		default:
			tell("%s was changed: %s", o.title(), now.Text)
		}
	}
	for _, o := range is {
		if _, there := before[o.Object]; !there {
			tell("%s is new: %s", o.title(), o.Text)
		}
	}
	for _, o := range displaced(was, after) {
		tell("%s is now #%d: %s", o.title(), after[o.Object].Order, o.Text)
	}
	return lines
}

func byName(objects []Object) map[string]Object {
	named := make(map[string]Object, len(objects))
	for _, o := range objects {
		named[o.Object] = o
	}
	return named
}

// title names an object for people: a rule by its place.
func (o Object) title() string {
	if o.List == "" {
		return o.Object
	}
	return fmt.Sprintf("rule #%d of %s", o.Order, o.List)
}

// edited is "+2 -1: +198.51.100.7/32, …" of a set.
func (o Object) edited(now Object) string {
	var changes []string
	count := func(from, to []string, sign string) int {
		there := map[string]bool{}
		for _, x := range to {
			there[x] = true
		}
		n := 0
		for _, x := range from {
			if !there[x] {
				changes = append(changes, sign+x)
				n++
			}
		}
		return n
	}
	added, removed := count(now.Holds, o.Holds, "+"), count(o.Holds, now.Holds, "-")
	const most = 6
	shown := strings.Join(changes[:min(len(changes), most)], ", ")
	if len(changes) > most {
		shown += fmt.Sprintf(" and %d more", len(changes)-most)
	}
	return fmt.Sprintf("+%d -%d: %s", added, removed, shown)
}

// displaced are the rules that stand in another order among those that were there:
// the fewest that, taken out, leave the rest as it was.
func displaced(was []Object, after map[string]Object) []Object {
	lists := map[string][]Object{}
	for _, o := range was {
		if now, there := after[o.Object]; there && o.List != "" && now.List == o.List {
			lists[o.List] = append(lists[o.List], o)
		}
	}
	var out []Object
	for _, rules := range lists {
		slices.SortFunc(rules, func(a, b Object) int { return cmp.Compare(a.Order, b.Order) })
		// The longest run that still ascends: tails[n] ends the best run of n+1 rules.
		var tails []int
		previous := make([]int, len(rules))
		place := func(i int) int { return after[rules[i].Object].Order }
		for i := range rules {
			at, _ := slices.BinarySearchFunc(tails, place(i), func(tail, order int) int { return cmp.Compare(place(tail), order) })
			previous[i] = -1
			if at > 0 {
				previous[i] = tails[at-1]
			}
			if at == len(tails) {
				tails = append(tails, i)
			} else {
				tails[at] = i
			}
		}
		stays := map[int]bool{}
		for at := tails[len(tails)-1]; at >= 0; at = previous[at] {
			stays[at] = true
		}
		for i, r := range rules {
			if !stays[i] {
				out = append(out, r)
			}
		}
	}
	slices.SortFunc(out, func(a, b Object) int { return cmp.Or(cmp.Compare(a.List, b.List), cmp.Compare(a.Order, b.Order)) })
	return out
}

// otherSteps says which steps only one of two plans has.
func otherSteps(file, now plan.Plan) []string {
	texts := func(p plan.Plan) (all []string, set map[string]bool) {
		set = map[string]bool{}
		for _, s := range p.Steps {
			text := string(s.Op) + " " + s.Subject()
			all, set[text] = append(all, text), true
		}
		return all, set
	}
	inFile, fileSet := texts(file)
	inNow, nowSet := texts(now)
	var lines []string
	for _, text := range inFile {
		if !nowSet[text] {
			lines = append(lines, "only in the file: "+text)
		}
	}
	for _, text := range inNow {
		if !fileSet[text] {
			lines = append(lines, "needed now: "+text)
		}
	}
	return lines
}
