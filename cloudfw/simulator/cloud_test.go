package simulator

import (
	"testing"
)

// TestGoMethodsEditTheSameWorldAsTheWire plays the colleague who edits by hand.
func TestGoMethodsEditTheSameWorldAsTheWire(t *testing.T) {
	cloud, c := newWorld(t, Options{})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	uuid := c.firewall("AddControlPolicy", policyArgs()...).text("AclUuid")
	must(cloud.ModifyControlPolicy(uuid, func(p *Policy) {
		p.Description, p.Direction, p.Order, p.UUID, p.IPVersion = "by hand", "out", 1, "other", 6
	}))
	p := c.firewall("DescribeControlPolicy", "AclUuid", uuid, "CurrentPage", "1", "PageSize", "1").items("Policys")[0]
	if p["Description"] != "by hand" || p["Direction"] != "in" || p["Order"] != number("2") || p["IpVersion"] != number("4") {
		t.Errorf("got %v", p)
	}
	if err := cloud.ModifyControlPolicy(uuid, func(p *Policy) { p.Proto = "SCTP" }); code(err) != "ErrorParametersProto" {
		t.Errorf("got %v", err)
	}

	book := c.firewall("AddAddressBook", "GroupName", "blocked", "GroupType", "ip", "Description", "some", "AddressList", "198.51.100.1").text("GroupUuid")
	must(cloud.EditAddresses(book, ModeCover, "198.51.100.2"))
	if got := c.addresses(book); got != "[198.51.100.2]" {
		t.Errorf("got %s", got)
	}
	must(cloud.DeleteAddressBook(book))
	if err := cloud.EditAddresses(book, ModeCover, "198.51.100.2"); code(err) != "ErrorAddressGroupNotExist" {
		t.Errorf("got %v", err)
	}

	list, err := cloud.CreatePrefixList(PrefixList{Name: "blocked", Family: "IPv4", MaxEntries: 2, Entries: []PrefixEntry{{CIDR: "198.51.100.1"}}})
	must(err)
	must(cloud.ModifyPrefixList(list, []PrefixEntry{{CIDR: "198.51.100.2/32"}}, []string{"198.51.100.1"}))
	if got := c.entries(list); got != "[map[Cidr:198.51.100.2/32 Description:]]" {
		t.Errorf("got %s", got)
	}
	group, err := cloud.CreateSecurityGroup(SecurityGroup{Name: "edge", Type: "enterprise"})
	must(err)
	must(cloud.AuthorizeSecurityGroup(group, SecurityRule{Direction: "ingress", Protocol: "tcp", PortRange: "25/25", Policy: "drop", SourcePrefixListID: list}))
	if err := cloud.AuthorizeSecurityGroup(group, SecurityRule{Direction: "ingress", Protocol: "tcp", PortRange: "25/25", SourceGroupID: "sg-mail"}); code(err) != "InvalidParameter.Conflict" {
		t.Errorf("a group as peer in an advanced group: %v", err)
	}
	if err := cloud.DeletePrefixList(list); code(err) != "DependencyViolation" {
		t.Errorf("got %v", err)
	}
	rules := cloud.Snapshot().SecurityGroups[1].Rules
	must(cloud.RevokeSecurityGroup(group, rules[0].ID))
	must(cloud.DeletePrefixList(list))
	must(cloud.DeleteSecurityGroup(group))
	if err := cloud.DeleteSecurityGroup(group); code(err) != "InvalidSecurityGroupId.NotFound" {
		t.Errorf("got %v", err)
	}
}

func TestIdsRepeatFromRunToRun(t *testing.T) {
	run := func() string {
		cloud, c := newWorld(t, Options{})
		a := c.firewall("AddControlPolicy", policyArgs()...)
		id, err := cloud.CreateSecurityGroup(SecurityGroup{})
		if err != nil {
			t.Fatal(err)
		}
		return a.raw + id
	}
	if a, b := run(), run(); a != b {
		t.Errorf("got %s, then %s", a, b)
	}
}
