package packets

import (
	"encoding/binary"
	"slices"

	"fwsync/cloudfw"
)

// The dimensions, in the order in which a walk takes them. Each opaque condition is
// one more.
const (
	bySource = iota
	byDestination
	byService
	byApplication
	byCondition
)

// table is a list within a universe: the numbers of its rules, those that match
// nothing left out.
type table struct {
	rules []int32
	at    []int // of each rule, its index in the list
	pass  bool
	list  *List
}

// newUniverse puts lists of one family into one universe. What they share has one
// number, so that lists are alike where their numbers are.
func newUniverse(lists ...*List) (*universe, []table) {
	u := &universe{lines: []*line{newLine(everyAddress(lists[0].family)), newLine(everyAddress(lists[0].family)), newLine(everyService)}}
	applications, conditions := []string{""}, []string{}
	seen := map[*rule]bool{}
	for _, l := range lists {
		for _, r := range l.rules {
			if seen[r] {
				continue
			}
			seen[r] = true
			applications = append(applications, r.applications...)
			conditions = append(conditions, r.conditions...)
		}
	}
	u.applications, u.conditions = sorted(applications), sorted(conditions)
	// One more application than are named: any other.
	u.lines = append(u.lines, newLine(set{numbered(0, len(u.applications))}))
	for range u.conditions {
		u.lines = append(u.lines, newLine(set{numbered(0, 1)}))
	}
	known, compiled := map[string]int32{}, map[*rule]int32{}
	tables := make([]table, len(lists))
	for i, l := range lists {
		tables[i] = table{pass: l.pass, list: l}
		for at, r := range l.rules {
			if r.never {
				continue
			}
			n, ok := compiled[r]
			if !ok {
				n = u.number(known, r)
				compiled[r] = n
			}
			tables[i].rules = append(tables[i].rules, n)
			tables[i].at = append(tables[i].at, at)
		}
	}
	for _, l := range u.lines {
		l.cut()
	}
	return u, tables
}

func sorted(texts []string) []string {
	slices.Sort(texts)
	return slices.Compact(texts)
}

func numbered(first, last int) span { return span{point{0, uint64(first)}, point{0, uint64(last)}} }

// number registers a rule by its content.
func (u *universe) number(known map[string]int32, r *rule) int32 {
	b := boxed{pass: r.pass, sets: make([]int32, len(u.lines))}
	b.sets[bySource] = u.lines[bySource].number(r.source)
	b.sets[byDestination] = u.lines[byDestination].number(r.destination)
	b.sets[byService] = u.lines[byService].number(r.service)
	if r.applications != nil {
		var spans []span
		for _, a := range r.applications {
			at, _ := slices.BinarySearch(u.applications, a)
			spans = append(spans, numbered(at, at))
		}
		b.sets[byApplication] = u.lines[byApplication].number(newSet(spans))
	}
	for _, c := range r.conditions {
		at, _ := slices.BinarySearch(u.conditions, c)
		b.sets[byCondition+at] = u.lines[byCondition+at].number(set{numbered(1, 1)})
	}
	key := make([]byte, 0, 4*len(b.sets)+1)
	for _, n := range b.sets {
		key = binary.LittleEndian.AppendUint32(key, uint32(n))
	}
	if b.pass {
		key = append(key, 1)
	}
	if n, ok := known[string(key)]; ok {
		return n
	}
	n := int32(len(u.rules))
	known[string(key)] = n
	u.rules = append(u.rules, b)
	return n
}

// family is that of the addresses.
func (u *universe) family() cloudfw.Family {
	if u.lines[bySource].whole[0].last == end {
		return cloudfw.IPv6
	}
	return cloudfw.IPv4
}

// open reports whether the rule matches whatever the dimensions from dim on are.
func (u *universe) open(rule int32, dim int) bool {
	for _, n := range u.rules[rule].sets[dim:] {
		if n != 0 {
			return false
		}
	}
	return true
}
