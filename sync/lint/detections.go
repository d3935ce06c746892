package lint

import (
	"fmt"
	"slices"

	"fwsync/cloudfw"
)

// A block that reaches no cloud.
var detectionWithoutEffect = Check{
	Name: "detection-without-effect", Severity: Error,
	Says: "a detection that blocks, while no target holds the blocked addresses and no rule drops them",
	find: func(s *survey, report func(Subject, string, string)) {
		if s.enforcesBlocks() {
			return
		}
		for _, d := range s.Policy.Detections {
			if d.Block != nil {
				report(Subject{DetectionKind, d.Name, d.Declared}, fmt.Sprintf("what detection %q blocks gets through all the same: no target enforces blocks", d.Name),
					"add a security-group, or a rule that drops $blocked and a firewall that takes it")
			}
		}
	},
}

func (s *survey) enforcesBlocks() bool {
	return slices.ContainsFunc(s.Policy.Targets, func(t cloudfw.Target) bool {
		return t.Kind == cloudfw.SecurityGroupTarget || slices.ContainsFunc(s.rules, func(r cloudfw.Rule) bool {
			return r.From.Blocked && t.Takes(r) || r.To.Blocked && t.Takes(r)
		})
	})
}
