package lint

import (
	"fmt"

	"fwsync/cloudfw"
)

// A rule that decides, and without which rules below it would decide the same. What
// no declared rule takes meets rules of other people or none, so a rule above the open
// end is never called redundant. Neither is one that asks for an application or stands
// above one that does: with strict mode such a rule does more than it says (reference
// §2.1).
var redundantRule = Check{
	Name: "redundant-rule", Severity: Note,
	Says: "a rule without which rules below it would do just the same",
	find: func(s *survey, report func(Subject, string, string)) {
		for i, r := range s.rules {
			if !s.fates[i].decides || r.Action == cloudfw.Log || r.Application != "ANY" {
				continue
			}
			heirs := map[int]bool{}
			if !s.counts(i, heirs) {
				report(subject(r), fmt.Sprintf("rule %q could be left out: %s would do the same with its packets", r.Name, s.named(ascending(heirs))),
					"remove it, unless it is there for people to read")
			}
		}
	},
}

// counts reports whether the rule makes a difference in a list, and collects the rules
// that would decide in its place.
func (s *survey) counts(rule int, heirs map[int]bool) bool {
	for _, l := range s.lists {
		for at, declaredAs := range l.rules {
			if declaredAs != rule || !possible(s.rules[rule], l.key.Family) {
				continue
			}
			for _, below := range l.effects.Meeting(at) {
				if below > at && s.rules[l.rules[below]].Application != "ANY" {
					return true
				}
			}
			if l.effects.Counts(at, func(heir int) bool {
				if heir < 0 {
					return false
				}
				h := l.rules[heir]
				alike := s.fates[h].decides && s.rules[h].Action == s.rules[rule].Action
				if alike {
					heirs[h] = true
				}
				return alike
			}) {
				return true
			}
		}
	}
	return len(heirs) == 0
}
