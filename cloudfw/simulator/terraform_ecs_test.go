package simulator

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// inRegion adds what the provider sends in the body of every ECS call.
func inRegion(pairs ...string) []string { return with([]string{"RegionId", "cn-hangzhou"}, pairs) }

func TestTerraformSecurityGroup(t *testing.T) {
	_, c := terraform(t, Options{})
	id := c.ecs("CreateSecurityGroup", inRegion("ClientToken", "TF-CreateSecurityGroup-1", "SecurityGroupName", "edge", "Description", "first words",
		"SecurityGroupType", "normal", "Tag.1.Key", "made", "Tag.1.Value", "here")...).text("SecurityGroupId")
	read := func() map[string]any {
		t.Helper()
		items := c.ecs("DescribeSecurityGroups", inRegion("SecurityGroupId", id)...).items("SecurityGroups", "SecurityGroup")
		if len(items) == 0 {
			gone(t, items)
			return nil
		}
		return only(t, items)
	}
	inner := func() string {
		t.Helper()
		return c.ecs("DescribeSecurityGroupAttribute", inRegion("SecurityGroupId", id)...).text("InnerAccessPolicy")
	}
	expect(t, read(), map[string]any{
		"SecurityGroupName": "edge", "VpcId": DefaultVPC, "ResourceGroupId": "", "SecurityGroupType": "normal",
		"Tags": "map[Tag:[map[TagKey:made TagValue:here]]]",
	})
	if got := inner(); got != "Accept" {
		t.Errorf("inner access: %s", got)
	}
	c.ecs("ModifySecurityGroupAttribute", inRegion("SecurityGroupId", id, "SecurityGroupName", "outer edge", "Description", "new words")...)
	c.ecs("ModifySecurityGroupPolicy", inRegion("SecurityGroupId", id, "InnerAccessPolicy", "Drop", "ClientToken", "TF-2")...)
	c.ecs("JoinResourceGroup", inRegion("ResourceId", id, "ResourceType", "securitygroup", "ResourceGroupId", "rg-1")...)
	c.ecs("UntagResources", inRegion("ResourceType", "securitygroup", "ResourceId.1", id, "TagKey.1", "made")...)
	c.ecs("TagResources", inRegion("ResourceType", "securitygroup", "ResourceId.1", id, "Tag.1.Key", "moved", "Tag.1.Value", "there")...)
	expect(t, read(), map[string]any{
		"SecurityGroupName": "outer edge", "Description": "new words", "ResourceGroupId": "rg-1", "Tags": "map[Tag:[map[TagKey:moved TagValue:there]]]",
	})
	if got := inner(); got != "Drop" {
		t.Errorf("inner access after the change: %s", got)
	}
	// An empty description is sent as such, and clears it.
	c.ecs("ModifySecurityGroupAttribute", "RegionId", "cn-hangzhou", "SecurityGroupId", id, "Description", "")
	expect(t, read(), map[string]any{"SecurityGroupName": "outer edge", "Description": ""})
	c.ecs("DeleteSecurityGroup", inRegion("SecurityGroupId", id)...)
	if read() != nil {
		t.Error("the group is still there")
	}
	c.want("InvalidSecurityGroupId.NotFound", versionECS, "DescribeSecurityGroupAttribute", inRegion("SecurityGroupId", id)...)
}

// TestTerraformSecurityGroupRule plays create with a list, read by content, and
// change and delete as flat GET calls, each twice.
func TestTerraformSecurityGroupRule(t *testing.T) {
	_, c := terraform(t, Options{})
	list := c.ecs("CreatePrefixList", inRegion("PrefixListName", "blocked", "AddressFamily", "IPv4", "MaxEntries", "5")...).text("PrefixListId")
	other := c.ecs("CreateSecurityGroup", inRegion("SecurityGroupName", "other")...).text("SecurityGroupId")
	for _, tt := range []struct {
		name, direction string
		rule            []string
		peer, reads     string
	}{
		{"a CIDR", "ingress", []string{"IpProtocol", "tcp", "PortRange", "1/65535", "SourceCidrIp", "10.159.6.18/12"}, "SourceCidrIp", "10.159.6.18/12"},
		{"IPv6 with host bits", "ingress", []string{"IpProtocol", "tcp", "PortRange", "22/22", "Ipv6SourceCidrIp", "2001:0db8:3c4d:0015::1a2f:1a2b/0"},
			"Ipv6SourceCidrIp", "2001:db8:3c4d:15::1a2f:1a2b/0"},
		{"a group", "ingress", []string{"IpProtocol", "all", "PortRange", "-1/-1", "SourceGroupId", other, "SourceGroupOwnerId", "1000000000000001"}, "SourceGroupId", other},
		{"a prefix list", "egress", []string{"IpProtocol", "udp", "PortRange", "53/53", "DestPrefixListId", list}, "DestPrefixListId", list},
		{"an outbound CIDR", "egress", []string{"IpProtocol", "icmp", "PortRange", "-1/-1", "DestCidrIp", "0.0.0.0/0"}, "DestCidrIp", "0.0.0.0/0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			suffix := map[string]string{"ingress": "", "egress": "Egress"}[tt.direction]
			whole := with(tt.rule, []string{"Policy", "drop", "Priority", "7", "NicType", "intranet", "Description", "made by terraform"})
			listed := inRegion("SecurityGroupId", "sg-mail")
			for i := 0; i < len(whole); i += 2 {
				listed = append(listed, "Permissions.1."+whole[i], whole[i+1])
			}
			c.ecs("AuthorizeSecurityGroup"+suffix, listed...)
			c.ecs("AuthorizeSecurityGroup"+suffix, listed...)
			// The reading is a call of the vendor's SDK: all in the query.
			sdk := *c
			sdk.inForm, sdk.override = false, map[string]string{}
			read := func(nic string) []map[string]any {
				t.Helper()
				var found []map[string]any
				a := sdk.ecs("DescribeSecurityGroupAttribute", "SecurityGroupId", "sg-mail", "Direction", tt.direction, "NicType", nic)
				for _, r := range a.items("Permissions", "Permission") {
					if r["Priority"] == "7" {
						found = append(found, r)
					}
				}
				return found
			}
			for _, nic := range []string{"intranet", "<nil>"} {
				r := only(t, read(nic))
				expect(t, r, map[string]any{
					tt.peer: tt.reads, "Policy": "Drop", "PortRange": with(tt.rule, nil)[3], "NicType": "intranet", "Description": "made by terraform",
				})
				if got := strings.ToLower(fmt.Sprint(r["IpProtocol"])); got != tt.rule[1] {
					t.Errorf("protocol: %s", got)
				}
			}
			sdk.method = http.MethodGet
			flat := with([]string{"SecurityGroupId", "sg-mail"}, whole)
			change := map[string]string{"ingress": "ModifySecurityGroupRule", "egress": "ModifySecurityGroupEgressRule"}[tt.direction]
			for range 2 {
				sdk.ecs(change, with(flat, []string{"Description", "new words"})...)
			}
			expect(t, only(t, read("intranet")), map[string]any{"Description": "new words"})
			for range 2 {
				sdk.ecs("RevokeSecurityGroup"+suffix, with(flat, []string{"Description", "new words"})...)
				if left := read("intranet"); len(left) != 0 {
					t.Errorf("still there: %v", left)
				}
			}
		})
	}
	c.want("InvalidSecurityGroupId.NotFound", versionECS, "RevokeSecurityGroup", inRegion("SecurityGroupId", "sg-none", "IpProtocol", "tcp",
		"PortRange", "1/1", "SourceCidrIp", "0.0.0.0/0")...)
}

func TestTerraformPrefixList(t *testing.T) {
	_, c := terraform(t, Options{})
	id := c.ecs("CreatePrefixList", inRegion("PrefixListName", "blocked", "AddressFamily", "IPv4", "MaxEntries", "2", "Description", "first words",
		"ClientToken", "TF-CreatePrefixList-1", "Entry.1.Cidr", "192.168.0.0/24", "Entry.1.Description", "one")...).text("PrefixListId")
	read := func() wireAnswer {
		t.Helper()
		return c.ecs("DescribePrefixListAttributes", inRegion("PrefixListId", id)...)
	}
	entries := func() string { return fmt.Sprint(read().items("Entries", "Entry")) }
	expect(t, read().body, map[string]any{"PrefixListName": "blocked", "AddressFamily": "IPv4", "MaxEntries": 2, "Description": "first words"})
	// The difference: an edited description is the same CIDR removed and added.
	c.ecs("ModifyPrefixList", inRegion("PrefixListId", id, "PrefixListName", "renamed", "Description", "new words", "RemoveEntry.1.Cidr", "192.168.0.0/24",
		"AddEntry.1.Cidr", "192.168.0.0/24", "AddEntry.1.Description", "uno", "AddEntry.2.Cidr", "192.168.1.0/24")...)
	if got := entries(); got != "[map[Cidr:192.168.0.0/24 Description:uno] map[Cidr:192.168.1.0/24 Description:]]" {
		t.Errorf("got %s", got)
	}
	expect(t, read().body, map[string]any{"PrefixListName": "renamed", "Description": "new words"})
	for filter, n := range map[string]int{"PrefixListName=renamed": 1, "PrefixListName=blocked": 0, "AddressFamily=IPv4": 1, "AddressFamily=IPv6": 0, "PrefixListId.1=" + id: 1} {
		name, value, _ := strings.Cut(filter, "=")
		if got := c.ecs("DescribePrefixLists", inRegion(name, value)...).items("PrefixLists", "PrefixList"); got == nil || len(got) != n {
			t.Errorf("%s: got %v", filter, got)
		}
	}
	c.ecs("DeletePrefixList", inRegion("PrefixListId", id)...)
	if a := c.want("InvalidPrefixListId.NotFound", versionECS, "DescribePrefixListAttributes", inRegion("PrefixListId", id)...); a.status != 404 {
		t.Errorf("status %d", a.status)
	}
}
