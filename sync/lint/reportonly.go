package lint

import (
	"fmt"
	"slices"

	"fwsync/policies"
)

// Reporting alone can be meant, and then another detection mostly blocks for the same
// signals at a higher count.
var reportOnly = Check{
	Name: "report-only", Severity: Note,
	Says: "a detection that never blocks, while no other one blocks for any of its signals",
	find: func(s *survey, report func(Subject, string, string)) {
		for _, d := range s.Policy.Detections {
			if d.Block == nil && !slices.ContainsFunc(s.Policy.Detections, func(o policies.Detection) bool { return o.Block != nil && share(d.Signals, o.Signals) }) {
				report(Subject{DetectionKind, d.Name, d.Declared}, fmt.Sprintf("detection %q reports and never blocks", d.Name), "add block: {for: 1h}, unless a report is all that is meant")
			}
		}
	},
}

func share(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}
