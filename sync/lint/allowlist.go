package lint

import "fmt"

// The allowlist keeps addresses from being blocked; a declared drop is stronger.
var allowlistDropped = Check{
	Name: "allowlist-dropped", Severity: Warning,
	Says: "an entry of the allowlist whose packets a drop of certain addresses takes",
	find: func(s *survey, report func(Subject, string, string)) {
		for i, r := range s.rules {
			if passes(r) || !s.fates[i].decides || everybody(remote(r)) || remote(r).Blocked {
				continue
			}
			reported := map[Subject]bool{}
			for e, x := range s.Policy.Allowlist {
				about := Subject{AllowKind, x.Reason, r.Declared}
				if x.Reason == "allowlist" {
					about.Name = x.Prefix.String()
				}
				if reported[about] || !s.drops(i, e) {
					continue
				}
				reported[about] = true
				report(about, fmt.Sprintf("%s is on the allowlist (%s), and %s drops packets of it all the same", x.Prefix, x.Reason, told(r)),
					"accept it above that rule, or take it off the allowlist")
			}
		}
	},
}

// drops reports whether a rule decides packets of an entry of the allowlist.
func (s *survey) drops(rule, entry int) bool {
	for _, l := range s.lists {
		for at, declaredAs := range l.rules {
			if declaredAs == rule && l.effects.DecidesInBox(at, entry) {
				return true
			}
		}
	}
	return false
}
