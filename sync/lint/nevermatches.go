package lint

import (
	"fmt"

	"fwsync/cloudfw"
)

// A rule that no packet can match because of where it is enforced. Sides of different
// families are refused before it comes to this.
var neverMatches = Check{
	Name: "never-matches", Severity: Error,
	Says: "a rule that no firewall takes, or whose addresses are of a family that its firewalls do not see",
	find: func(s *survey, report func(Subject, string, string)) {
		for i, r := range s.rules {
			switch f := s.fates[i]; {
			case !f.taken:
				report(subject(r), fmt.Sprintf("rule %q is enforced nowhere: no target takes rules with direction %s, or it is not among those that they name", r.Name, r.Direction),
					"add a target that takes it: "+takers(r.Direction))
			case !f.possible:
				report(subject(r), fmt.Sprintf("rule %q can never match: the firewalls that take it see no packet of its addresses' family", r.Name),
					"NAT and VPC firewalls see IPv4 only; the internet firewall sees both")
			}
		}
	},
}

// takers are the targets that take rules of a direction.
func takers(d cloudfw.Direction) string {
	switch d {
	case cloudfw.Out:
		return "internet-firewall or nat-firewall"
	case cloudfw.Between:
		return "vpc-firewall"
	}
	return "internet-firewall"
}
