package packets

import (
	"slices"
)

// Alternative is a rule that would decide a packet if more were true of it.
type Alternative struct {
	Decision
	When        []string // opaque conditions that are not said to be true; see Conditions
	Application []string // the applications of which it asks one; empty when it is met or does not matter
}

// Alternatives are the rules above the one that decides the packet which match all
// that its header tells: what keeps them from deciding is an opaque condition, or the
// application where the packet bears none. They come in the order of the list. What is
// empty leaves nothing open.
func (l *List) Alternatives(p Packet) []Alternative {
	var open []Alternative
	for i, r := range l.rules {
		if r.matches(p, l.family) {
			break
		}
		a := Alternative{Decision: Decision{action(r.pass), r.id, i}}
		likely := p
		likely.True = slices.Concat(p.True, r.conditions)
		if p.Application == "" && len(r.applications) > 0 {
			likely.Application = r.applications[0]
		}
		if !r.matches(likely, l.family) {
			continue
		}
		if likely.Application != p.Application {
			a.Application = r.applications
		}
		for _, c := range r.conditions {
			if !slices.Contains(p.True, c) {
				a.When = append(a.When, c)
			}
		}
		open = append(open, a)
	}
	return open
}
