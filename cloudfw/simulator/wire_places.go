package simulator

import (
	"cmp"
	"math"
	"strconv"
)

// countPolicies counts the policies of a border within a place and direction.
func (s *State) countPolicies(in scope) int {
	n := 0
	for i := range s.Policies {
		if in.holds(&s.Policies[i]) {
			n++
		}
	}
	return n
}

func describeACLRuleCount(c *call) (any, error) {
	c.params.ignore("MemberUid")
	state, err := c.read()
	if err != nil {
		return nil, err
	}
	return struct{ InternetInAclCount, InternetOutAclCount, NatOutAclCount, VpcAclCount, TotalAclCount int }{
		state.countPolicies(scope{internetBorder, "", "in"}), state.countPolicies(scope{internetBorder, "", "out"}),
		state.countPolicies(scope{border: natBorder}), state.countPolicies(scope{border: vpcBorder}), len(state.Policies)}, nil
}

func describePolicyAdvancedConfig(c *call) (any, error) {
	state, err := c.read()
	if err != nil {
		return nil, err
	}
	return struct{ InternetSwitch string }{state.InternetSwitch}, nil
}

func modifyPolicyAdvancedConfig(c *call) (any, error) {
	p := c.params
	value := p.required("InternetSwitch")
	if value != "" && value != "on" && value != "off" {
		p.fail(bad("InvalidInternetSwitch", "Specified parameter InternetSwitch is not valid."))
	}
	// How the switch of single addresses shows in the answer is undocumented.
	if len(p.list("Eips")) > 0 {
		p.fail(bad("InvalidEips", "The simulator keeps one switch for the whole account."))
	}
	return c.change(func(e *edit) error {
		e.InternetSwitch = value
		return nil
	})
}

// wireNATGateway is an element of NatFirewallList; its fields are assumed.
type wireNATGateway struct {
	NatGatewayId   string
	NatGatewayName string
	ProxyId        string
	ProxyName      string
	ProxyStatus    string
	RegionId       string
	VpcId          string
	VpcName        string
	StrictMode     int
	AliUid         int64
	MemberUid      int64
}

func describeNATFirewallList(c *call) (any, error) {
	p := c.params
	// The names of the paging parameters and their defaults are assumed.
	number, size := p.number("PageNo", 1, 1, math.MaxInt32), p.number("PageSize", 10, 1, maxPolicyPage)
	id, proxy, name := p.text("NatGatewayId"), p.text("ProxyId"), p.text("ProxyName")
	region, status, vpc := p.text("RegionNo"), p.text("Status"), p.text("VpcId")
	p.ignore("MemberUid")
	state, err := c.read()
	if err != nil {
		return nil, err
	}
	account, _ := strconv.ParseInt(state.AccountID, 10, 64)
	found := []wireNATGateway{}
	for _, g := range state.NATGateways {
		w := wireNATGateway{
			NatGatewayId: g.ID, NatGatewayName: g.Name, ProxyId: g.ProxyID, ProxyName: g.Name, ProxyStatus: cmp.Or(g.Status, "normal"),
			RegionId: g.RegionID, VpcId: g.VPCID, VpcName: g.VPCName, AliUid: account, MemberUid: account,
		}
		if g.Strict {
			w.StrictMode = 1
		}
		if matches(id, g.ID) && matches(proxy, g.ProxyID) && matches(name, g.Name) && matches(region, g.RegionID) &&
			matches(status, w.ProxyStatus) && matches(vpc, g.VPCID) {
			found = append(found, w)
		}
	}
	return struct {
		TotalCount      int
		NatFirewallList []wireNATGateway
	}{len(found), numberedPage(found, number, size, c.fault)}, nil
}

// wireACLGroup is an element of AclGroupList (reference §2.5).
type wireACLGroup struct {
	AclGroupId   string
	AclGroupName string
	AclRuleCount int
	MemberUid    string
}

func describeVPCFirewallACLGroupList(c *call) (any, error) {
	p := c.params
	number, size := pageNumbers(p, 1, 10, maxPolicyPage)
	// Every group of the simulator has a configured firewall.
	configured := oneOf(p, "FirewallConfigureStatus", "", "configured", "notconfigured")
	state, err := c.read()
	if err != nil {
		return nil, err
	}
	found := []wireACLGroup{}
	for _, f := range state.VPCFirewalls {
		if configured != "notconfigured" {
			found = append(found, wireACLGroup{f.ID, f.Name, state.countPolicies(scope{border: vpcBorder, place: f.ID}),
				cmp.Or(f.MemberUID, state.AccountID)})
		}
	}
	return struct {
		TotalCount   int
		AclGroupList []wireACLGroup
	}{len(found), numberedPage(found, number, size, c.fault)}, nil
}
