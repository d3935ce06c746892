package reconcile

import (
	"fmt"

	"fwsync/detect"
	"fwsync/policies"
)

// NewEngine returns a detection engine with the policy's detections.
func NewEngine(policy *policies.Policy) (*detect.Engine, error) {
	var rules []detect.Rule
	for _, d := range policy.Detections {
		rule := detect.Rule{Name: d.Name, Threshold: d.Threshold, Within: d.Within, LegitimateThreshold: d.LegitimateThreshold}
		for _, name := range d.Signals {
			kind, err := detect.ParseKind(name)
			if err != nil {
				return nil, fmt.Errorf("%s: detection %s: %w", d.Declared, d.Name, err)
			}
			rule.Signals = append(rule.Signals, kind)
		}
		rules = append(rules, rule)
	}
	engine, err := detect.New(rules, detect.Limits{})
	if err != nil {
		return nil, fmt.Errorf("preparing the detections: %w", err)
	}
	return engine, nil
}

// penalties are how long each detection blocks; one that only reports is absent.
func penalties(policy *policies.Policy) map[string]policies.Penalty {
	all := map[string]policies.Penalty{}
	for _, d := range policy.Detections {
		if d.Block != nil {
			all[d.Name] = *d.Block
		}
	}
	return all
}
