package lint

import (
	"fmt"
)

// On the bad day it is too late to find out that a prepared rule does nothing.
var deadIncidentRule = Check{
	Name: "dead-incident-rule", Severity: Warning,
	Says: "a rule of an incident that never decides, because rules of the incident above it take all its packets",
	find: func(s *survey, report func(Subject, string, string)) {
		for _, incident := range s.Policy.Incidents {
			overlay := &survey{Input: s.Input, rules: incident.Rules}
			overlay.fates = fatesOf(incident.Rules, listsOf(s.Policy.Targets, incident.Rules, nil))
			for i, r := range incident.Rules {
				if f := overlay.fates[i]; f.dead() {
					report(Subject{IncidentRuleKind, incident.Name + "/" + r.Name, r.Declared},
						fmt.Sprintf("rule %q of incident %q never decides a packet: %s takes them first", r.Name, incident.Name, overlay.named(f.takers)),
						"move it up, or remove it")
				}
			}
		}
	},
}
