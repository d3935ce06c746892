package simulator

import (
	"slices"
	"strconv"
)

// wireRule is an element of Permissions.Permission (reference §3.1).
type wireRule struct {
	SecurityGroupRuleId     string
	Direction               string
	IpProtocol              string
	PortRange               string
	SourcePortRange         string
	Policy                  string
	Priority                string // a string in the vendor's answer
	NicType                 string
	SourceCidrIp            string
	Ipv6SourceCidrIp        string
	SourceGroupId           string
	SourceGroupName         string
	SourceGroupOwnerAccount string
	SourcePrefixListId      string
	SourcePrefixListName    string
	DestCidrIp              string
	Ipv6DestCidrIp          string
	DestGroupId             string
	DestGroupName           string
	DestGroupOwnerAccount   string
	DestPrefixListId        string
	DestPrefixListName      string
	Description             string
	CreateTime              string
}

func (s *State) toWireRule(r SecurityRule) wireRule {
	return wireRule{
		SecurityGroupRuleId: r.ID, Direction: r.Direction, IpProtocol: r.Protocol, PortRange: r.PortRange,
		SourcePortRange: r.SourcePortRange, Policy: r.Policy, Priority: strconv.Itoa(r.Priority), NicType: "intranet",
		SourceCidrIp: r.SourceCIDR, Ipv6SourceCidrIp: r.IPv6SourceCIDR, SourceGroupId: r.SourceGroupID,
		SourceGroupName: s.groupName(r.SourceGroupID), SourcePrefixListId: r.SourcePrefixListID,
		SourcePrefixListName: s.prefixListName(r.SourcePrefixListID),
		DestCidrIp:           r.DestCIDR, Ipv6DestCidrIp: r.IPv6DestCIDR, DestGroupId: r.DestGroupID,
		DestGroupName: s.groupName(r.DestGroupID), DestPrefixListId: r.DestPrefixListID,
		DestPrefixListName: s.prefixListName(r.DestPrefixListID),
		Description:        r.Description, CreateTime: r.CreateTime,
	}
}

func (s *State) groupName(id string) string {
	if i := s.groupIndex(id); i >= 0 {
		return s.SecurityGroups[i].Name
	}
	return ""
}

func (s *State) prefixListName(id string) string {
	if i := s.prefixListIndex(id); i >= 0 {
		return s.PrefixLists[i].Name
	}
	return ""
}

func describeSecurityGroupAttribute(c *call) (any, error) {
	p := c.params
	id, direction := p.required("SecurityGroupId"), p.text("Direction")
	token, results := p.text("NextToken"), p.number("MaxResults", 500, 10, 1000)
	// No filter on VPC groups, and some clients send the literal <nil> (reference §10).
	p.ignore("NicType")
	state, err := c.read()
	if err != nil {
		return nil, err
	}
	i := state.groupIndex(id)
	if i < 0 {
		return nil, noSuchGroup(id)
	}
	if !slices.Contains([]string{"", "all", "ingress", "egress"}, direction) {
		return nil, bad("InvalidDirection", "Specified parameter Direction is not valid.")
	}
	g := &state.SecurityGroups[i]
	var found []SecurityRule
	for _, r := range g.Rules {
		if direction == "" || direction == "all" || r.Direction == direction {
			found = append(found, r)
		}
	}
	page, next, err := tokenPage(found, token, results, c.fault)
	if err != nil {
		return nil, err
	}
	out := struct {
		RegionId, SecurityGroupId, SecurityGroupName, Description, VpcId, InnerAccessPolicy, NextToken string
		Permissions                                                                                    struct{ Permission []wireRule }
	}{p.text("RegionId"), g.ID, g.Name, g.Description, g.VPCID, g.InnerAccess, next, struct{ Permission []wireRule }{[]wireRule{}}}
	if out.InnerAccessPolicy == "" {
		out.InnerAccessPolicy = "Accept"
	}
	for _, r := range page {
		out.Permissions.Permission = append(out.Permissions.Permission, state.toWireRule(r))
	}
	return out, nil
}

// readRule reads one rule, from Permissions.N.* or from the deprecated flat parameters.
func readRule(p *params, direction string) SecurityRule {
	r := SecurityRule{Direction: direction, Protocol: p.required("IpProtocol"), PortRange: p.required("PortRange")}
	readRuleOptions(p, &r)
	return r
}

func readRuleOptions(p *params, r *SecurityRule) {
	p.set("Policy", &r.Policy)
	p.set("SourcePortRange", &r.SourcePortRange)
	p.set("SourceCidrIp", &r.SourceCIDR)
	p.set("Ipv6SourceCidrIp", &r.IPv6SourceCIDR)
	p.set("DestCidrIp", &r.DestCIDR)
	p.set("Ipv6DestCidrIp", &r.IPv6DestCIDR)
	p.set("Description", &r.Description)
	if r.Direction == "ingress" {
		p.set("SourceGroupId", &r.SourceGroupID)
		p.set("SourcePrefixListId", &r.SourcePrefixListID)
		p.ignore("SourceGroupOwnerAccount", "SourceGroupOwnerId")
	} else {
		p.set("DestGroupId", &r.DestGroupID)
		p.set("DestPrefixListId", &r.DestPrefixListID)
		p.ignore("DestGroupOwnerAccount", "DestGroupOwnerId")
	}
	if text := p.text("Priority"); text != "" {
		n, err := strconv.Atoi(text)
		switch {
		case err != nil:
			p.fail(bad("InvalidPriority.Malformed", "The priority %q is not a number.", text))
		case n < 1 || n > 100:
			p.fail(bad("InvalidPriority.ValueNotSupported", "The priority %d is not between 1 and 100.", n))
		}
		r.Priority = n
	}
	switch p.text("NicType") {
	case "", "intranet", "internet", "<nil>":
	default:
		p.fail(bad("InvalidNicType.ValueNotSupported", "Specified parameter NicType is not valid."))
	}
}

// readRules reads Permissions.N, at most 100, or one flat rule if there is any.
func readRules(p *params, direction string) []SecurityRule {
	var rules []SecurityRule
	count := p.each("Permissions", func(item *params) { rules = append(rules, readRule(item, direction)) })
	switch {
	case count > 100:
		p.fail(bad("InvalidParameter", "A call takes at most 100 permissions, not %d.", count))
	case count == 0:
		rules = append(rules, readRule(p, direction))
	}
	return rules
}

func authorizeSecurityGroup(direction string) func(*call) (any, error) {
	return func(c *call) (any, error) {
		p := c.params
		id, rules := p.required("SecurityGroupId"), readRules(p, direction)
		p.ignore("ClientToken")
		return c.change(func(e *edit) error { return e.authorize(id, rules) })
	}
}

func revokeSecurityGroup(direction string) func(*call) (any, error) {
	return func(c *call) (any, error) {
		p := c.params
		id, ids := p.required("SecurityGroupId"), p.list("SecurityGroupRuleId")
		p.ignore("ClientToken")
		if len(ids) == 0 {
			rules := readRules(p, direction)
			return c.change(func(e *edit) error { return e.revokeMatching(id, rules) })
		}
		// Permissions beside rule ids are then parameters that do not belong here
		// (reference §3.1: never both).
		if len(ids) > 100 {
			p.fail(bad("InvalidParam.SecurityGroupRuleId", "A call takes at most 100 rule ids, not %d.", len(ids)))
		}
		p.ignore("NicType")
		return c.change(func(e *edit) error { return e.revokeIDs(id, direction, ids) })
	}
}

func modifySecurityGroupRule(direction string) func(*call) (any, error) {
	return func(c *call) (any, error) {
		p := c.params
		id, ruleID := p.required("SecurityGroupId"), p.text("SecurityGroupRuleId")
		p.ignore("ClientToken")
		if ruleID == "" {
			r := readRule(p, direction)
			return c.change(func(e *edit) error { return e.describeRule(id, r) })
		}
		read := func(r *SecurityRule) {
			p.set("IpProtocol", &r.Protocol)
			p.set("PortRange", &r.PortRange)
			readRuleOptions(p, r)
		}
		// Read once to judge the parameters themselves, then again onto the rule.
		read(&SecurityRule{Direction: direction})
		return c.change(func(e *edit) error { return e.modifyRule(id, direction, ruleID, read) })
	}
}
