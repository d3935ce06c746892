package lint

import (
	"fmt"
	"slices"
)

// Two opinions of the same packets, of which only one can have its way. Which one is
// meant nobody but the author can tell.
var contradiction = Check{
	Name: "contradiction", Severity: Error,
	Says: "a rule that never decides, because rules above it do the opposite with its packets",
	find: func(s *survey, report func(Subject, string, string)) {
		for i, r := range s.rules {
			f := s.fates[i]
			opposes := func(at int) bool { return passes(s.rules[at]) != passes(r) }
			switch {
			case !f.dead():
			case f.coverer >= 0 && opposes(f.coverer):
				report(subject(r), fmt.Sprintf("rule %q would %s what %s takes first: it never decides a packet", r.Name, verb(r), told(s.rules[f.coverer])),
					fmt.Sprintf("move %q above it if %s is meant, remove it otherwise", r.Name, verb(r)))
			case f.coverer < 0 && slices.ContainsFunc(f.takers, opposes):
				report(subject(r), fmt.Sprintf("rule %q would %s what other rules take first: it never decides a packet, because of %s", r.Name, verb(r), s.named(f.takers)),
					fmt.Sprintf("move %q above them if %s is meant, remove it otherwise", r.Name, verb(r)))
			}
		}
	},
}
