package simulator

import (
	"fmt"
	"net/http"
	"testing"
)

func TestObjectsBelongToTheirRegion(t *testing.T) {
	cloud, c := newWorld(t, Options{})
	beijing := *c
	beijing.override = map[string]string{"RegionId": "cn-beijing"}
	group := beijing.ecs("CreateSecurityGroup", "SecurityGroupName", "north").text("SecurityGroupId")
	list := beijing.ecs("CreatePrefixList", "PrefixListName", "north", "AddressFamily", "IPv4", "MaxEntries", "5").text("PrefixListId")
	count := func(c *client, action, wrapper, item string) string {
		return fmt.Sprint(len(c.ecs(action).items(wrapper, item)))
	}
	// The group of the default world has no region and is everywhere.
	for _, tt := range []struct {
		c             *client
		groups, lists string
	}{{c, "1", "0"}, {&beijing, "2", "1"}} {
		if n := count(tt.c, "DescribeSecurityGroups", "SecurityGroups", "SecurityGroup"); n != tt.groups {
			t.Errorf("%s groups, want %s", n, tt.groups)
		}
		if n := count(tt.c, "DescribePrefixLists", "PrefixLists", "PrefixList"); n != tt.lists {
			t.Errorf("%s lists, want %s", n, tt.lists)
		}
	}
	rule := []string{"Permissions.1.IpProtocol", "tcp", "Permissions.1.PortRange", "25/25"}
	from := func(id string, more ...string) []string {
		return append(append([]string{"SecurityGroupId", id}, rule...), more...)
	}
	c.want("InvalidSecurityGroupId.NotFound", versionECS, "DescribeSecurityGroupAttribute", "SecurityGroupId", group)
	c.want("InvalidSecurityGroupId.NotFound", versionECS, "AuthorizeSecurityGroup", from(group, "Permissions.1.SourceCidrIp", "198.51.100.0/24")...)
	c.want("InvalidSecurityGroupId.NotFound", versionECS, "AuthorizeSecurityGroup", from("sg-mail", "Permissions.1.SourceGroupId", group)...)
	c.want("InvalidPrefixListId.NotFound", versionECS, "AuthorizeSecurityGroup", from("sg-mail", "Permissions.1.SourcePrefixListId", list)...)
	c.want("InvalidSecurityGroupId.NotFound", versionECS, "DeleteSecurityGroup", "SecurityGroupId", group)
	c.want("InvalidPrefixListId.NotFound", versionECS, "DescribePrefixListAttributes", "PrefixListId", list)
	c.want("InvalidPrefixListId.NotFound", versionECS, "ModifyPrefixList", "PrefixListId", list, "AddEntry.1.Cidr", "198.51.100.0/24")
	c.want("InvalidPrefixListId.NotFound", versionECS, "DeletePrefixList", "PrefixListId", list)
	c.want("InvalidSecurityGroupId.NotFound", versionECS, "TagResources", "ResourceType", "securitygroup", "ResourceId.1", group, "Tag.1.Key", "a", "Tag.1.Value", "b")
	beijing.ecs("AuthorizeSecurityGroup", from(group, "Permissions.1.SourcePrefixListId", list)...)
	beijing.ecs("DeleteSecurityGroup", "SecurityGroupId", group)
	beijing.ecs("DeletePrefixList", "PrefixListId", list)
	if s := cloud.Snapshot(); len(s.SecurityGroups) != 1 || len(s.PrefixLists) != 0 {
		t.Errorf("got %+v", s)
	}
}

func TestUnknownRegions(t *testing.T) {
	_, c := newWorld(t, Options{Regions: []string{"moon-east-1"}})
	for region, code := range map[string]string{
		"cn-hangzhou": "", "ap-southeast-1": "", "moon-east-1": "", "moon-west-1": "InvalidRegionId.NotFound", "CN-HANGZHOU": "InvalidRegionId.NotFound",
	} {
		c.override = map[string]string{"RegionId": region}
		if a := c.want(code, versionECS, "DescribeSecurityGroups"); code != "" && a.status != http.StatusNotFound {
			t.Errorf("%s: status %d", region, a.status)
		}
		// Cloud Firewall has no regions; the SDK sends its own all the same.
		c.want("", versionCloudfw, "DescribeAddressBook")
	}
}
