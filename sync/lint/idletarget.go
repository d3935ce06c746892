package lint

import (
	"fmt"
	"slices"

	"fwsync/cloudfw"
)

// A firewall that is a target and gets nothing to do.
var idleTarget = Check{
	Name: "idle-target", Severity: Warning,
	Says: "a firewall among the targets that takes none of the rules",
	find: func(s *survey, report func(Subject, string, string)) {
		for _, t := range s.Policy.Targets {
			if t.Firewall() && !slices.ContainsFunc(s.rules, t.Takes) {
				report(Subject{TargetKind, t.Name(), ""}, fmt.Sprintf("target %q takes none of the rules, so nothing is enforced there", t.Name()),
					"declare a rule with direction "+directions(t)+", or remove the target")
			}
		}
	},
}

// directions are those that a firewall sees.
func directions(t cloudfw.Target) string {
	switch t.Border.Kind() {
	case cloudfw.NATBorder:
		return string(cloudfw.Out)
	case cloudfw.VPCBorder:
		return string(cloudfw.Between)
	}
	return "in or out"
}
