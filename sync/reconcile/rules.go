package reconcile

import (
	"fmt"
	"net/netip"

	"fwsync/detect"
	"fwsync/policies"
	"fwsync/sync/decide"
)

// newEngine returns a detection engine with the policy's detections.
func newEngine(policy *policies.Policy) (*detect.Engine, error) {
	declared, err := Declared(policy)
	if err != nil {
		return nil, err
	}
	var rules []detect.Rule
	for _, d := range policy.Detections {
		rule := detect.Rule{
			Name: d.Name, Of: subjects[d.By], Count: measures[d.Distinct],
			Threshold: d.Threshold, Within: d.Within, LegitimateThreshold: d.LegitimateThreshold,
			Members: d.Members, IPv4Bits: d.IPv4Bits, IPv6Bits: d.IPv6Bits, Weight: d.Weight, Acts: d.Block != nil,
		}
		for _, name := range d.Signals {
			kind, err := declared.Catalogue().Kind(name)
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
	engine.Name(declared.Catalogue())
	engine.Know(known)
	return engine, nil
}

// What the policy files call the subjects and measures of detect.
var (
	subjects = map[string]detect.Subject{"": detect.OfAddress, "network": detect.OfNetwork, "account": detect.OfAccount, "site": detect.OfSite}
	measures = map[string]detect.Measure{"": detect.Signals, "accounts": detect.Accounts, "addresses": detect.Addresses, "networks": detect.Networks, "countries": detect.Countries}
)

// acquit lets the engine count anew against those whose blocks are over. Of a source
// that shifts its log's time nobody knows when that was in the log.
func acquit(engine *detect.Engine, closed []decide.Close, shifted map[string]bool) {
	for _, c := range closed {
		if !shifted[c.Source] {
			engine.Acquit(c.Rule, c.Prefix, c.At)
		}
	}
}

// shifted names the sources whose last line counts as now.
func (l *Look) shifted() map[string]bool {
	shifted := map[string]bool{}
	for _, s := range l.Sources {
		shifted[s.Name] = s.LastLineIsNow
	}
	return shifted
}
