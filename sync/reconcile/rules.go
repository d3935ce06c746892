package reconcile

import (
	"fmt"
	"net/netip"

	"fwsync/detect"
	"fwsync/policies"
)

// newEngine returns a detection engine with the policy's detections.
func newEngine(policy *policies.Policy) (*detect.Engine, error) {
	var rules []detect.Rule
	for _, d := range policy.Detections {
		rule := detect.Rule{
			Name: d.Name, Of: subjects[d.By], Count: measures[d.Distinct],
			Threshold: d.Threshold, Within: d.Within, LegitimateThreshold: d.LegitimateThreshold,
			Members: d.Members, IPv4Bits: d.IPv4Bits, IPv6Bits: d.IPv6Bits, Weight: d.Weight, Acts: d.Block != nil,
		}
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
	var known []netip.Prefix
	for _, e := range policy.Allowlist {
		known = append(known, e.Prefix)
	}
	engine.Know(known)
	return engine, nil
}

// What the policy files call the subjects and measures of detect.
var (
	subjects = map[string]detect.Subject{"": detect.OfAddress, "network": detect.OfNetwork, "account": detect.OfAccount, "site": detect.OfSite}
	measures = map[string]detect.Measure{"": detect.Signals, "accounts": detect.Accounts, "addresses": detect.Addresses, "networks": detect.Networks, "countries": detect.Countries}
)

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
