package simulator

import "strings"

// NATGateway is a NAT gateway that has a NAT firewall, the place of NAT border
// policies (reference §2.6).
type NATGateway struct {
	ID       string `json:"id,omitempty"`
	Name     string `json:"name,omitempty"`
	RegionID string `json:"regionId,omitempty"`
	VPCID    string `json:"vpcId,omitempty"`
	VPCName  string `json:"vpcName,omitempty"`
	ProxyID  string `json:"proxyId,omitempty"` // of the NAT firewall itself
	Status   string `json:"status,omitempty"`  // normal (also empty) | configuring | closed | …
	Strict   bool   `json:"strict,omitempty"`  // strict mode
}

// VPCFirewall is an ACL group of the VPC border: a cen-… or vfw-… id that
// policies are kept under (reference §2.5).
type VPCFirewall struct {
	ID        string `json:"id,omitempty"`
	Name      string `json:"name,omitempty"`
	MemberUID string `json:"memberUid,omitempty"` // owner; empty is the account
}

// Role is a RAM role that callers may assume.
type Role struct {
	ARN string `json:"arn"` // acs:ram::<account>:role/<name>
	// Trusted lists who may assume it: access key ids, role ARNs, or
	// acs:ram::<account>:root for every key of the account. Left out it is
	// everybody, an empty list is nobody.
	Trusted []string `json:"trusted,omitzero"`
}

// checkPlaces reports malformed gateways, ACL groups and roles.
func (s *State) checkPlaces(report reporter) {
	for _, g := range s.NATGateways {
		if !strings.HasPrefix(g.ID, "ngw-") {
			report("NAT gateway %q has an id that does not begin with ngw-", g.ID)
		}
	}
	for _, f := range s.VPCFirewalls {
		if !strings.HasPrefix(f.ID, "cen-") && !strings.HasPrefix(f.ID, "vfw-") {
			report("VPC firewall %q has an id that begins with neither cen- nor vfw-", f.ID)
		}
	}
	seen := map[string]bool{}
	for _, r := range s.Roles {
		if _, _, ok := r.parts(); !ok {
			report("role %q is not of the form acs:ram::<account>:role/<name>", r.ARN)
		}
		if seen[r.ARN] {
			report("two roles are %q", r.ARN)
		}
		seen[r.ARN] = true
	}
}
