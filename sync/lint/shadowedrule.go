package lint

import "fmt"

// One rule above takes every packet and does the same with it.
var shadowedRule = Check{
	Name: "shadowed-rule", Severity: Warning,
	Says: "a rule that never decides, because one rule above it takes all its packets and does the same",
	find: func(s *survey, report func(Subject, string, string)) {
		for i, r := range s.rules {
			f := s.fates[i]
			if f.dead() && f.coverer >= 0 && passes(s.rules[f.coverer]) == passes(r) {
				report(subject(r), fmt.Sprintf("rule %q never decides a packet: %s takes them all", r.Name, told(s.rules[f.coverer])),
					"remove it, or make the rule above narrower")
			}
		}
	},
}
