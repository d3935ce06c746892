package plan

import (
	"fmt"
	"net/netip"

	"fwsync/cloudfw"
	"fwsync/cloudfw/lower"
)

func placed(r cloudfw.FirewallRule, order int) *cloudfw.FirewallRule {
	r.Order = order
	return &r
}

func describe(owner cloudfw.Owner, r cloudfw.FirewallRule) string {
	if owner.Owns("rule", r.Description) {
		return "our " + r.String()
	}
	return fmt.Sprintf("%s (%q, not ours)", r.String(), r.Description)
}

// reasonFor tells a rule that was edited behind our back from one that is missing.
func reasonFor(owner cloudfw.Owner, live []cloudfw.FirewallRule, want cloudfw.FirewallRule) string {
	for _, r := range live {
		if r.Description == want.Description && owner.Owns("rule", r.Description) {
			return "the live rule of that marker was changed: " + r.String()
		}
	}
	return "the rule does not exist"
}

// endless are the notes on blocks that the firewall itself was to end and does not, one
// for each reason.
func endless(all []lower.Endless) []string {
	var reasons []string
	by := map[string][]netip.Prefix{}
	for _, e := range all {
		if by[e.Reason] == nil {
			reasons = append(reasons, e.Reason)
		}
		by[e.Reason] = append(by[e.Reason], e.Prefix)
	}
	var notes []string
	for _, reason := range reasons {
		named := by[reason][0].String()
		if more := len(by[reason]) - 1; more > 0 {
			named += fmt.Sprintf(" and %d more", more)
		}
		notes = append(notes, fmt.Sprintf("the firewall itself does not end the block of %s, fwsync does: %s", named, reason))
	}
	return notes
}
