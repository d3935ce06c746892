package simulator

import (
	"fmt"
	"testing"
)

func (c client) entries(id string) string {
	c.t.Helper()
	return fmt.Sprint(c.ecs("DescribePrefixListAttributes", "PrefixListId", id).items("Entries", "Entry"))
}

func TestPrefixListLife(t *testing.T) {
	_, c := newWorld(t, Options{})
	id := c.ecs("CreatePrefixList", "PrefixListName", "blocked", "AddressFamily", "IPv4", "MaxEntries", "3", "Entry.1.Cidr", "198.51.100.1",
		"Entry.1.Description", "first", "Entry.2.Cidr", "203.0.113.0/24").text("PrefixListId")
	want := func(text string) {
		t.Helper()
		if got := c.entries(id); got != text {
			t.Errorf("got %s, want %s", got, text)
		}
	}
	modify := func(code string, pairs ...string) {
		t.Helper()
		c.want(code, versionECS, "ModifyPrefixList", append([]string{"PrefixListId", id}, pairs...)...)
	}
	want("[map[Cidr:198.51.100.1/32 Description:first] map[Cidr:203.0.113.0/24 Description:]]")
	modify("", "AddEntry.1.Cidr", "203.0.113.0/24", "AddEntry.1.Description", "named")
	modify("", "RemoveEntry.1.Cidr", "198.51.100.1/32", "AddEntry.1.Cidr", "198.51.100.1/32", "AddEntry.1.Description", "again")
	want("[map[Cidr:203.0.113.0/24 Description:named] map[Cidr:198.51.100.1/32 Description:again]]")
	modify("", "RemoveEntry.1.Cidr", "192.0.2.0/24")
	modify("LimitExceed.MaxEntries", "AddEntry.1.Cidr", "192.0.2.1", "AddEntry.2.Cidr", "192.0.2.2")
	modify("InvalidParameter.CidrMalformed", "AddEntry.1.Cidr", "10.0.0.1/8")
	modify("InvalidParameter.CidrMalformed", "AddEntry.1.Cidr", "2001:db8::/32")
	modify("InvalidParameter.CidrDuplicated", "AddEntry.1.Cidr", "192.0.2.1", "AddEntry.2.Cidr", "192.0.2.1/32")
	modify("InvalidParameter.EntryDescription", "AddEntry.1.Cidr", "192.0.2.1", "AddEntry.1.Description", "x")
	modify("", "PrefixListName", "renamed", "Description", "new words")
	a := c.ecs("DescribePrefixListAttributes", "PrefixListId", id)
	if a.text("PrefixListName") != "renamed" || a.body["MaxEntries"] != number("3") || a.text("CreationTime") != "2026-11-23T12:00Z" {
		t.Errorf("got %s", a.raw)
	}
	c.ecs("AuthorizeSecurityGroup", ruleArgs("sg-mail", "IpProtocol=tcp PortRange=25/25 Policy=drop SourcePrefixListId="+id)...)
	if got := fmt.Sprint(c.ecs("DescribePrefixListAssociations", "PrefixListId", id).items("PrefixListAssociations", "PrefixListAssociation")); got != "[map[ResourceId:sg-mail ResourceType:securitygroup]]" {
		t.Errorf("got %s", got)
	}
	if l := c.ecs("DescribePrefixLists", "PrefixListName", "renamed").items("PrefixLists", "PrefixList"); len(l) != 1 || l[0]["AssociationCount"] != number("1") {
		t.Errorf("got %v", l)
	}
	if l := c.ecs("DescribePrefixLists", "AddressFamily", "IPv6").items("PrefixLists", "PrefixList"); l == nil || len(l) != 0 {
		t.Errorf("got %v", l)
	}
	c.want("DependencyViolation", versionECS, "DeletePrefixList", "PrefixListId", id)
	c.ecs("RevokeSecurityGroup", ruleArgs("sg-mail", "IpProtocol=tcp PortRange=25/25 Policy=drop SourcePrefixListId="+id)...)
	c.ecs("DeletePrefixList", "PrefixListId", id)
	c.want("InvalidPrefixListId.NotFound", versionECS, "DescribePrefixListAttributes", "PrefixListId", id)
	c.want("InvalidPrefixListId.NotFound", versionECS, "DeletePrefixList", "PrefixListId", id)
}

func TestPrefixListRefusals(t *testing.T) {
	_, c := newWorld(t, Options{Limits: Limits{PrefixLists: 1}, Assume: Assumptions{DeleteMissingFails: true}})
	create := func(code string, pairs ...string) wireAnswer {
		t.Helper()
		return c.want(code, versionECS, "CreatePrefixList", append([]string{"PrefixListName", "blocked", "AddressFamily", "IPv4", "MaxEntries", "200"}, pairs...)...)
	}
	create("InvalidParameter.PrefixListName", "PrefixListName", "1st")
	create("InvalidParameter.AddressFamily", "AddressFamily", "IPv5")
	create("InvalidParameter.MaxEntries", "MaxEntries", "201")
	create("MissingParameter", "MaxEntries", "")
	create("MissingParameter", "Entry.1.Description", "no address")
	create("InvalidParameter", "Entry.1.Cidr", "192.0.2.1", "Entry.1.Colour", "red")
	var many []string
	for i := range 201 {
		many = append(many, fmt.Sprintf("Entry.%d.Cidr", i+1), fmt.Sprintf("192.0.2.%d", i))
	}
	create("LimitExceed.Entry", many...)
	id := create("").text("PrefixListId")
	if a := create("LimitExceed.PrefixListPerRegion"); a.status != 404 {
		t.Errorf("got status %d", a.status)
	}
	c.want("InvalidParameter.CidrNotExist", versionECS, "ModifyPrefixList", "PrefixListId", id, "RemoveEntry.1.Cidr", "192.0.2.1")
}
