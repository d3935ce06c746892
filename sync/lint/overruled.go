package lint

import (
	"fmt"

	"fwsync/cloudfw"
)

// An accept that lets in part of what a drop below it names. Either order can be
// meant; where the drop names no addresses in particular it is the usual exception.
var overruledInPart = Check{
	Name: "overruled-in-part", Severity: Note,
	Says: "a drop of certain addresses that an accept above it, made for others, lets through in part",
	find: func(s *survey, report func(Subject, string, string)) {
		for i, drop := range s.rules {
			if passes(drop) || !s.fates[i].decides || remote(drop).Any || remote(drop).Blocked {
				continue
			}
			if above := s.lettingPast(i); len(above) > 0 {
				report(subject(drop), fmt.Sprintf("rule %q does not drop all it names: %s lets part of it through first", drop.Name, s.named(above)),
					fmt.Sprintf("move %q to the top if it is meant for every service", drop.Name))
			}
		}
	},
}

// lettingPast are the rules above a drop that pass packets of it and that the drop
// does not hold: an accept within a drop is an exception on purpose.
func (s *survey) lettingPast(rule int) []int {
	found := map[int]bool{}
	for _, l := range s.lists {
		for at, declaredAs := range l.rules {
			if declaredAs != rule {
				continue
			}
			for _, above := range l.effects.Meeting(at) {
				a := l.rules[above]
				if above < at && passes(s.rules[a]) && !l.effects.Holds(at, above) && !found[a] &&
					narrower(remote(s.rules[rule]), remote(s.rules[a]), l.key.Family) && l.effects.DecidesWithin(above, at) {
					found[a] = true
				}
			}
		}
	}
	return ascending(found)
}

// narrower reports whether a side holds fewer addresses than another: all of its
// addresses are in the other's.
func narrower(a, b cloudfw.Side, family cloudfw.Family) bool {
	for _, p := range a.Of(family) {
		covered := b.Any
		for _, q := range b.Prefixes {
			covered = covered || cloudfw.Covers(q, p)
		}
		if !covered {
			return false
		}
	}
	return true
}

// remote is the side of a rule that is not the account's own; between its own networks
// the source.
func remote(r cloudfw.Rule) cloudfw.Side {
	if r.Direction == cloudfw.Out {
		return r.To
	}
	return r.From
}
