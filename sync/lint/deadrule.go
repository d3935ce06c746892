package lint

import (
	"fmt"
	"slices"
)

// Several rules above take every packet between them and do the same with it.
var deadRule = Check{
	Name: "dead-rule", Severity: Warning,
	Says: "a rule that never decides, because several rules above it together take all its packets and do the same",
	find: func(s *survey, report func(Subject, string, string)) {
		for i, r := range s.rules {
			f := s.fates[i]
			if f.dead() && f.coverer < 0 && !slices.ContainsFunc(f.takers, func(at int) bool { return passes(s.rules[at]) != passes(r) }) {
				report(subject(r), fmt.Sprintf("rule %q never decides a packet: together %s take them all", r.Name, s.named(f.takers)),
					"remove it, or the narrower rules above it")
			}
		}
	},
}
