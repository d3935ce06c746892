package plan

import (
	"fmt"

	"fwsync/cloudfw"
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
