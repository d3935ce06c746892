package lint

import (
	"fmt"
	"slices"

	"fwsync/policies"
)

// A declared signal that is read and never counted.
var unusedSignal = Check{
	Name: "unused-signal", Severity: Warning,
	Says: "a declared signal that no detection counts",
	find: func(s *survey, report func(Subject, string, string)) {
		for _, signal := range s.Policy.Signals {
			if !slices.ContainsFunc(s.Policy.Detections, func(d policies.Detection) bool { return slices.Contains(d.Signals, signal.Name) }) {
				report(Subject{SignalKind, signal.Name, signal.Declared}, fmt.Sprintf("signal %q is counted by no detection", signal.Name), "add it to the signals of a detection, or remove it")
			}
		}
	},
}
