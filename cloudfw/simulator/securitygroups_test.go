package simulator

import (
	"fmt"
	"strings"
	"testing"
)

func ruleArgs(group string, rules ...string) []string {
	args := []string{"SecurityGroupId", group}
	for i, text := range rules {
		for field := range strings.FieldsSeq(text) {
			name, value, _ := strings.Cut(field, "=")
			args = append(args, fmt.Sprintf("Permissions.%d.%s", i+1, name), value)
		}
	}
	return args
}

// rules lists the rules of a group as short texts.
func (c client) rules(group string, more ...string) []string {
	c.t.Helper()
	a := c.ecs("DescribeSecurityGroupAttribute", append([]string{"SecurityGroupId", group}, more...)...)
	var out []string
	for _, r := range a.items("Permissions", "Permission") {
		peer := fmt.Sprint(r["SourceCidrIp"], r["Ipv6SourceCidrIp"], r["SourceGroupId"], r["SourcePrefixListId"],
			r["DestCidrIp"], r["Ipv6DestCidrIp"], r["DestGroupId"], r["DestPrefixListId"])
		out = append(out, fmt.Sprint(r["Direction"], " ", r["Policy"], " ", r["IpProtocol"], " ", r["PortRange"], " ", peer, " ", r["Priority"]))
	}
	return out
}

func TestDefaultGroupReadsBack(t *testing.T) {
	_, c := newWorld(t, Options{})
	got := strings.Join(c.rules("sg-mail", "NicType", "<nil>"), "\n")
	if want := "ingress Accept TCP 22/22 203.0.113.0/24 10\ningress Accept TCP 25/25 0.0.0.0/0 50"; got != want {
		t.Errorf("got\n%s", got)
	}
	a := c.ecs("DescribeSecurityGroupAttribute", "SecurityGroupId", "sg-mail")
	if r := a.items("Permissions", "Permission")[0]; r["Priority"] != "10" || r["NicType"] != "intranet" || a.text("InnerAccessPolicy") != "Accept" {
		t.Errorf("got %s", a.raw)
	}
	if a := c.want("InvalidSecurityGroupId.NotFound", versionECS, "DescribeSecurityGroupAttribute", "SecurityGroupId", "sg-none"); a.status != 404 {
		t.Errorf("got status %d", a.status)
	}
}

func TestAuthorize(t *testing.T) {
	_, c := newWorld(t, Options{})
	group := c.ecs("CreateSecurityGroup", "SecurityGroupName", "edge").text("SecurityGroupId")
	const drop = "IpProtocol=tcp PortRange=25/25 Policy=drop Priority=1 SourceCidrIp=198.51.100.7/32"
	c.ecs("AuthorizeSecurityGroup", ruleArgs(group, drop, "IpProtocol=all PortRange=-1/-1 Ipv6SourceCidrIp=2001:0db8:3c4d:15::1a2f:1a2b/0")...)
	c.ecs("AuthorizeSecurityGroupEgress", ruleArgs(group, "IpProtocol=udp PortRange=53/53 DestCidrIp=0.0.0.0/0 Policy=accept")...)
	c.ecs("AuthorizeSecurityGroup", append(ruleArgs(group, drop), "ClientToken", "again")...)
	want := "ingress Drop TCP 25/25 198.51.100.7/32 1\ningress Accept ALL -1/-1 2001:db8:3c4d:15::1a2f:1a2b/0 1\negress Accept UDP 53/53 0.0.0.0/0 1"
	if got := strings.Join(c.rules(group), "\n"); got != want {
		t.Errorf("got\n%s", got)
	}
	if got := c.rules(group, "Direction", "egress"); len(got) != 1 {
		t.Errorf("egress only: got %v", got)
	}
	c.ecs("AuthorizeSecurityGroup", "SecurityGroupId", group, "IpProtocol", "tcp", "PortRange", "26/26", "SourceCidrIp", "198.51.100.7", "NicType", "intranet", "Policy", "accept", "Priority", "7")
	c.ecs("AuthorizeSecurityGroup", ruleArgs(group, "IpProtocol=tcp PortRange=26/26 SourceCidrIp=198.51.100.7/32 Priority=7")...)
	if got := c.rules(group); len(got) != 4 || got[3] != "ingress Accept TCP 26/26 198.51.100.7 7" {
		t.Errorf("a flat rule and its twin with a mask: got %v", got)
	}
	c.ecs("AuthorizeSecurityGroup", ruleArgs(group, "IpProtocol=tcp PortRange=27/27 SourceCidrIp=192.0.2.0/24 SourceGroupId=sg-none SourcePrefixListId=pl-none")...)
	if got := c.rules(group); got[4] != "ingress Accept TCP 27/27 192.0.2.0/24 1" {
		t.Errorf("a CIDR beats group and list: got %v", got[4])
	}
}

func TestAuthorizeRefusals(t *testing.T) {
	cloud, c := newWorld(t, Options{})
	before := len(cloud.Snapshot().SecurityGroups[0].Rules)
	const good = "IpProtocol=tcp PortRange=99/99 SourceCidrIp=192.0.2.0/24"
	for _, tt := range []struct{ name, code, rule string }{
		{"no peer", "MissingParameter.Source", "IpProtocol=tcp PortRange=25/25"},
		{"no ports", "MissingParameter", "IpProtocol=tcp SourceCidrIp=0.0.0.0/0"},
		{"no protocol", "MissingParameter", "PortRange=25/25 SourceCidrIp=0.0.0.0/0"},
		{"a bad protocol", "InvalidIpProtocol.Malformed", "IpProtocol=sctp PortRange=25/25 SourceCidrIp=0.0.0.0/0"},
		{"a bad port range", "InvalidIpPortRange.Malformed", "IpProtocol=tcp PortRange=25 SourceCidrIp=0.0.0.0/0"},
		{"port 0", "InvalidIpPortRange.Malformed", "IpProtocol=tcp PortRange=0/0 SourceCidrIp=0.0.0.0/0"},
		{"no ports for TCP", "OperationDenied", "IpProtocol=tcp PortRange=-1/-1 SourceCidrIp=0.0.0.0/0"},
		{"ports for ICMP", "OperationDenied", "IpProtocol=icmp PortRange=1/1 SourceCidrIp=0.0.0.0/0"},
		{"a bad source", "InvalidSourceCidrIp.Malformed", "IpProtocol=tcp PortRange=25/25 SourceCidrIp=300.0.0.0/8"},
		{"IPv6 in the IPv4 field", "InvalidSourceCidrIp.Malformed", "IpProtocol=tcp PortRange=25/25 SourceCidrIp=2001:db8::/32"},
		{"a bad destination", "InvalidDestCidrIp.Malformed", "IpProtocol=tcp PortRange=25/25 SourceCidrIp=0.0.0.0/0 DestCidrIp=x"},
		{"priority 0", "InvalidPriority.ValueNotSupported", "IpProtocol=tcp PortRange=25/25 SourceCidrIp=0.0.0.0/0 Priority=0"},
		{"priority 101", "InvalidPriority.ValueNotSupported", "IpProtocol=tcp PortRange=25/25 SourceCidrIp=0.0.0.0/0 Priority=101"},
		{"priority in words", "InvalidPriority.Malformed", "IpProtocol=tcp PortRange=25/25 SourceCidrIp=0.0.0.0/0 Priority=high"},
		{"a bad policy", "InvalidPolicy.Malformed", "IpProtocol=tcp PortRange=25/25 SourceCidrIp=0.0.0.0/0 Policy=reject"},
		{"a bad NIC type", "InvalidNicType.ValueNotSupported", "IpProtocol=tcp PortRange=25/25 SourceCidrIp=0.0.0.0/0 NicType=wifi"},
		{"an unknown group", "InvalidSourceGroupId.NotFound", "IpProtocol=tcp PortRange=25/25 SourceGroupId=sg-none"},
		{"its own group", "InvalidParamter.Conflict", "IpProtocol=tcp PortRange=25/25 SourceGroupId=sg-mail"},
		{"an unknown prefix list", "InvalidPrefixListId.NotFound", "IpProtocol=tcp PortRange=25/25 SourcePrefixListId=pl-none"},
		{"an unknown field", "InvalidParameter", "IpProtocol=tcp PortRange=25/25 SourceCidrIp=0.0.0.0/0 Colour=red"},
		{"a peer of the other direction", "InvalidParameter", "IpProtocol=tcp PortRange=25/25 SourceCidrIp=0.0.0.0/0 DestGroupId=sg-x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c.want(tt.code, versionECS, "AuthorizeSecurityGroup", ruleArgs("sg-mail", good, tt.rule)...)
		})
	}
	c.want("InvalidSecurityGroupId.NotFound", versionECS, "AuthorizeSecurityGroup", ruleArgs("sg-none", good)...)
	if after := len(cloud.Snapshot().SecurityGroups[0].Rules); after != before {
		t.Errorf("refused calls added %d rules", after-before)
	}
	var many []string
	for i := range 101 {
		many = append(many, fmt.Sprintf("IpProtocol=tcp PortRange=%d/%d SourceCidrIp=0.0.0.0/0", i+100, i+100))
	}
	c.want("InvalidParameter", versionECS, "AuthorizeSecurityGroup", ruleArgs("sg-mail", many...)...)
}

func TestRuleLimit(t *testing.T) {
	cloud, c := newWorld(t, Options{Limits: Limits{RulesPerGroup: 12}})
	list, err := cloud.CreatePrefixList(PrefixList{Name: "blocked", Family: "IPv4", MaxEntries: 9})
	if err != nil {
		t.Fatal(err)
	}
	c.ecs("AuthorizeSecurityGroup", ruleArgs("sg-mail", "IpProtocol=tcp PortRange=25/25 SourcePrefixListId="+list)...)
	// 2 of the world, 9 for the empty list: one more fits.
	rule := func(n int) string {
		return fmt.Sprintf("IpProtocol=tcp PortRange=%d/%d SourceCidrIp=0.0.0.0/0", n, n)
	}
	if a := c.want("AuthorizationLimitExceed", versionECS, "AuthorizeSecurityGroup", ruleArgs("sg-mail", rule(1), rule(2))...); a.status != 403 {
		t.Errorf("got status %d", a.status)
	}
	c.ecs("AuthorizeSecurityGroup", ruleArgs("sg-mail", rule(1))...)
	c.want("AuthorizationLimitExceed", versionECS, "AuthorizeSecurityGroupEgress", ruleArgs("sg-mail", "IpProtocol=tcp PortRange=1/1 DestCidrIp=0.0.0.0/0")...)
	c.ecs("AuthorizeSecurityGroup", ruleArgs("sg-mail", rule(1))...)
	c.want("DependencyViolation", versionECS, "DeletePrefixList", "PrefixListId", list)
}

func TestRevoke(t *testing.T) {
	cloud, c := newWorld(t, Options{})
	id := cloud.Snapshot().SecurityGroups[0].Rules[0].ID
	c.want("InvalidParam.SecurityGroupRuleId", versionECS, "RevokeSecurityGroup", "SecurityGroupId", "sg-mail", "SecurityGroupRuleId.1", id, "SecurityGroupRuleId.2", "sgr-none")
	c.want("InvalidParam.SecurityGroupRuleId", versionECS, "RevokeSecurityGroupEgress", "SecurityGroupId", "sg-mail", "SecurityGroupRuleId.1", id)
	if got := c.rules("sg-mail"); len(got) != 2 {
		t.Fatalf("refused calls left %v", got)
	}
	c.want("InvalidParameter", versionECS, "RevokeSecurityGroup", append(ruleArgs("sg-mail", "IpProtocol=tcp PortRange=25/25 SourceCidrIp=0.0.0.0/0"), "SecurityGroupRuleId.1", id)...)
	c.ecs("RevokeSecurityGroup", "SecurityGroupId", "sg-mail", "SecurityGroupRuleId.1", id)
	c.ecs("RevokeSecurityGroup", ruleArgs("sg-mail", "IpProtocol=tcp PortRange=25/25 SourceCidrIp=0.0.0.0/0 Priority=49")...)
	if got := c.rules("sg-mail"); len(got) != 1 {
		t.Errorf("no match must succeed and delete nothing: %v", got)
	}
	for range 2 {
		c.ecs("RevokeSecurityGroup", "SecurityGroupId", "sg-mail", "IpProtocol", "tcp", "PortRange", "25/25", "SourceCidrIp", "0.0.0.0/0", "Priority", "50", "NicType", "intranet")
	}
	if got := c.rules("sg-mail"); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}

func TestModifyRule(t *testing.T) {
	cloud, c := newWorld(t, Options{})
	id := cloud.Snapshot().SecurityGroups[0].Rules[0].ID
	modify := func(code string, pairs ...string) {
		t.Helper()
		c.want(code, versionECS, "ModifySecurityGroupRule", append([]string{"SecurityGroupId", "sg-mail", "SecurityGroupRuleId", id}, pairs...)...)
	}
	modify("", "Priority", "20", "Policy", "drop", "SourceCidrIp", "203.0.113.0/25")
	if got := c.rules("sg-mail")[0]; got != "ingress Drop TCP 22/22 203.0.113.0/25 20" {
		t.Errorf("got %s", got)
	}
	modify("InvalidSecurityGroupRule.RuleExist", "Priority", "50", "Policy", "accept", "SourceCidrIp", "0.0.0.0/0", "PortRange", "25/25")
	modify("InvalidPriority.ValueNotSupported", "Priority", "0")
	c.want("InvalidParam.SecurityGroupRuleId", versionECS, "ModifySecurityGroupEgressRule", "SecurityGroupId", "sg-mail", "SecurityGroupRuleId", id, "Priority", "3")
	other := c.ecs("CreateSecurityGroup").text("SecurityGroupId")
	c.ecs("AuthorizeSecurityGroup", ruleArgs("sg-mail", "IpProtocol=tcp PortRange=25/25 SourceGroupId="+other)...)
	id = cloud.Snapshot().SecurityGroups[0].Rules[2].ID
	modify("InvalidParameter.Conflict", "SourceCidrIp", "203.0.113.0/25")
	flat := []string{"SecurityGroupId", "sg-mail", "IpProtocol", "tcp", "PortRange", "25/25", "SourceCidrIp", "0.0.0.0/0", "Priority", "50", "Policy", "accept"}
	for range 2 {
		c.ecs("ModifySecurityGroupRule", append(flat, "Description", "for all")...)
	}
	if got := cloud.Snapshot().SecurityGroups[0].Rules[1].Description; got != "for all" {
		t.Errorf("got description %q", got)
	}
	flat[11] = "drop"
	c.want("InvalidSecurityGroupRule.RuleNotExist", versionECS, "ModifySecurityGroupRule", flat...)
	c.want("DependencyViolation", versionECS, "DeleteSecurityGroup", "SecurityGroupId", other)
}

func TestSecurityGroupListing(t *testing.T) {
	_, c := newWorld(t, Options{})
	for i := range 24 {
		c.ecs("CreateSecurityGroup", "SecurityGroupName", fmt.Sprintf("group %02d", i), "Tag.1.Key", "n", "Tag.1.Value", fmt.Sprint(i%2))
	}
	seen, token, pages := map[string]bool{}, "", 0
	for {
		args := []string{"MaxResults", "10"}
		if token != "" {
			args = append(args, "NextToken", token)
		}
		a := c.ecs("DescribeSecurityGroups", args...)
		for _, g := range a.items("SecurityGroups", "SecurityGroup") {
			seen[g["SecurityGroupId"].(string)] = true
		}
		pages++
		if token = a.text("NextToken"); token == "" {
			break
		}
	}
	if len(seen) != 25 || pages != 3 {
		t.Errorf("%d groups on %d pages", len(seen), pages)
	}
	count := func(pairs ...string) int {
		t.Helper()
		a := c.ecs("DescribeSecurityGroups", pairs...)
		list := a.items("SecurityGroups", "SecurityGroup")
		if list == nil {
			t.Errorf("%v: not an array: %s", pairs, a.raw)
		}
		return len(list)
	}
	for _, tt := range []struct {
		want int
		args []string
	}{
		{1, []string{"SecurityGroupId", "sg-mail"}},
		{0, []string{"SecurityGroupId", "sg-none"}},
		{1, []string{"SecurityGroupIds", `["sg-mail","sg-none"]`}},
		{1, []string{"VpcId", "vpc-mail"}},
		{1, []string{"SecurityGroupName", "mail"}},
		{12, []string{"Tag.1.Key", "n", "Tag.1.Value", "1", "MaxResults", "50"}},
		{10, nil},
		{5, []string{"PageNumber", "3", "PageSize", "10"}},
		{0, []string{"ServiceManaged", "true"}},
	} {
		if got := count(tt.args...); got != tt.want {
			t.Errorf("%v: got %d groups, want %d", tt.args, got, tt.want)
		}
	}
	c.want("InvalidNextToken", versionECS, "DescribeSecurityGroups", "NextToken", "x")
	a := c.ecs("DescribeSecurityGroups", "SecurityGroupName", "group 00")
	if g := a.items("SecurityGroups", "SecurityGroup")[0]; g["VpcId"] != DefaultVPC || g["ResourceGroupId"] != "" || g["ServiceManaged"] != false {
		t.Errorf("got %v", g)
	}
	id := a.items("SecurityGroups", "SecurityGroup")[0]["SecurityGroupId"].(string)
	c.ecs("DeleteSecurityGroup", "SecurityGroupId", id)
	c.want("InvalidSecurityGroupId.NotFound", versionECS, "DeleteSecurityGroup", "SecurityGroupId", id)
}

func TestRulePaging(t *testing.T) {
	_, c := newWorld(t, Options{})
	for i := range 23 {
		c.ecs("AuthorizeSecurityGroup", ruleArgs("sg-mail", fmt.Sprintf("IpProtocol=tcp PortRange=%d/%d SourceCidrIp=0.0.0.0/0", i+100, i+100))...)
	}
	total, token := 0, ""
	for page := 0; page == 0 || token != ""; page++ {
		args := []string{"SecurityGroupId", "sg-mail", "MaxResults", "10"}
		if token != "" {
			args = append(args, "NextToken", token)
		}
		a := c.ecs("DescribeSecurityGroupAttribute", args...)
		total += len(a.items("Permissions", "Permission"))
		token = a.text("NextToken")
	}
	if total != 25 {
		t.Errorf("the pages hold %d rules", total)
	}
	c.want("InvalidMaxResults", versionECS, "DescribeSecurityGroupAttribute", "SecurityGroupId", "sg-mail", "MaxResults", "9")
}

func TestClientToken(t *testing.T) {
	cloud, c := newWorld(t, Options{})
	first := c.ecs("CreateSecurityGroup", "SecurityGroupName", "edge", "ClientToken", "t1").text("SecurityGroupId")
	again := c.ecs("CreateSecurityGroup", "SecurityGroupName", "edge", "ClientToken", "t1").text("SecurityGroupId")
	if first != again || len(cloud.Snapshot().SecurityGroups) != 2 {
		t.Errorf("the repeated call made %q besides %q", again, first)
	}
	c.want("IdempotentParameterMismatch", versionECS, "CreateSecurityGroup", "SecurityGroupName", "other", "ClientToken", "t1")
	c.want("InvalidClientToken.ValueNotSupported", versionECS, "CreateSecurityGroup", "ClientToken", strings.Repeat("x", 65))
}
