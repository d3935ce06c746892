package simulator

import (
	"fmt"
	"testing"
)

func TestGroupReferencesHaveALimit(t *testing.T) {
	_, c := newWorld(t, Options{})
	rule := func(group string) string { return "IpProtocol=tcp PortRange=25/25 SourceGroupId=" + group }
	for i := range 20 {
		id := c.ecs("CreateSecurityGroup", "SecurityGroupName", fmt.Sprint("group ", i)).text("SecurityGroupId")
		c.ecs("AuthorizeSecurityGroup", ruleArgs("sg-mail", rule(id))...)
	}
	last := c.ecs("CreateSecurityGroup").text("SecurityGroupId")
	c.want("AuthorizationLimitExceed", versionECS, "AuthorizeSecurityGroup", ruleArgs("sg-mail", rule(last))...)
	c.want("AuthorizationLimitExceed", versionECS, "AuthorizeSecurityGroupEgress", ruleArgs("sg-mail", "IpProtocol=tcp PortRange=25/25 DestGroupId="+last)...)
	c.ecs("AuthorizeSecurityGroup", ruleArgs("sg-mail", "IpProtocol=tcp PortRange=27/27 SourceCidrIp=192.0.2.0/24")...)
	a := c.ecs("DescribeSecurityGroups", "SecurityGroupId", "sg-mail")
	if g := a.items("SecurityGroups", "SecurityGroup")[0]; g["GroupToGroupRuleCount"] != number("20") || g["RuleCount"] != number("23") {
		t.Errorf("counts: %v", g)
	}
}

func TestAdvancedGroups(t *testing.T) {
	cloud, c := newWorld(t, Options{})
	id := c.ecs("CreateSecurityGroup", "SecurityGroupType", "enterprise").text("SecurityGroupId")
	c.want("InvalidParameter.Conflict", versionECS, "AuthorizeSecurityGroup", ruleArgs(id, "IpProtocol=tcp PortRange=25/25 SourceGroupId=sg-mail")...)
	c.want("InvalidOperation.SecurityGroupType", versionECS, "ModifySecurityGroupPolicy", "SecurityGroupId", id, "InnerAccessPolicy", "Drop")
	list, err := cloud.CreatePrefixList(PrefixList{Name: "blocked", Family: "IPv4", MaxEntries: 200})
	if err != nil {
		t.Fatal(err)
	}
	// One full-sized list is the whole group, empty as the list may be.
	c.ecs("AuthorizeSecurityGroup", ruleArgs(id, "IpProtocol=tcp PortRange=25/25 SourcePrefixListId="+list)...)
	c.want("AuthorizationLimitExceed", versionECS, "AuthorizeSecurityGroup", ruleArgs(id, "IpProtocol=tcp PortRange=25/25 SourceCidrIp=192.0.2.0/24")...)
	c.want("InvalidSecurityGroupType", versionECS, "CreateSecurityGroup", "SecurityGroupType", "huge")
}

func TestServiceManagedGroupsRefuseEdits(t *testing.T) {
	world := DefaultWorld()
	world.SecurityGroups = append(world.SecurityGroups, SecurityGroup{
		ID: "sg-service", Name: "service", VPCID: "vpc-mail", Type: "normal", ServiceManaged: true,
		Rules: []SecurityRule{{ID: "sgr-service", Direction: "ingress", Protocol: "ALL", PortRange: "-1/-1", SourceCIDR: "10.0.0.0/8"}},
	})
	cloud := newCloud(t, Options{World: &world})
	c := serve(t, cloud)
	before := asJSON(t, cloud.Snapshot())
	const rule = "IpProtocol=all PortRange=-1/-1 SourceCidrIp=10.0.0.0/8"
	for action, args := range map[string][]string{
		"AuthorizeSecurityGroup":       ruleArgs("sg-service", rule),
		"RevokeSecurityGroup":          ruleArgs("sg-service", rule),
		"ModifySecurityGroupRule":      {"SecurityGroupId", "sg-service", "SecurityGroupRuleId", "sgr-service", "Priority", "2"},
		"ModifySecurityGroupAttribute": {"SecurityGroupId", "sg-service", "SecurityGroupName", "mine"},
		"ModifySecurityGroupPolicy":    {"SecurityGroupId", "sg-service", "InnerAccessPolicy", "Drop"},
		"TagResources":                 {"ResourceType", "securitygroup", "ResourceId.1", "sg-service", "Tag.1.Key", "k"},
		"DeleteSecurityGroup":          {"SecurityGroupId", "sg-service"},
	} {
		if a := c.want("InvalidOperation.ResourceManagedByCloudProduct", versionECS, action, args...); a.status != 403 {
			t.Errorf("%s: status %d", action, a.status)
		}
	}
	if asJSON(t, cloud.Snapshot()) != before {
		t.Error("a refused call changed the account")
	}
	if n := len(c.ecs("DescribeSecurityGroups", "ServiceManaged", "true").items("SecurityGroups", "SecurityGroup")); n != 1 {
		t.Errorf("%d service-managed groups are listed", n)
	}
}

func TestGroupTags(t *testing.T) {
	_, c := newWorld(t, Options{})
	id := c.ecs("CreateSecurityGroup", "Tag.1.Key", "a", "Tag.1.Value", "1").text("SecurityGroupId")
	tags := func() string {
		return fmt.Sprint(c.ecs("ListTagResources", "ResourceType", "securitygroup", "ResourceId.1", id).items("TagResources", "TagResource"))
	}
	c.ecs("TagResources", "ResourceType", "securitygroup", "ResourceId.1", id, "ResourceId.2", "sg-mail", "Tag.1.Key", "a", "Tag.1.Value", "2", "Tag.2.Key", "b")
	want := fmt.Sprintf("[map[ResourceId:%[1]s ResourceType:securitygroup TagKey:a TagValue:2] map[ResourceId:%[1]s ResourceType:securitygroup TagKey:b TagValue:]]", id)
	if got := tags(); got != want {
		t.Errorf("got %s", got)
	}
	c.ecs("UntagResources", "ResourceType", "securitygroup", "ResourceId.1", id, "TagKey.1", "b", "All", "true")
	if n := len(c.ecs("DescribeSecurityGroups", "Tag.1.Key", "a", "Tag.1.Value", "2").items("SecurityGroups", "SecurityGroup")); n != 2 {
		t.Errorf("%d groups bear the tag", n)
	}
	c.ecs("UntagResources", "ResourceType", "securitygroup", "ResourceId.1", id, "All", "true")
	if got := tags(); got != "[]" {
		t.Errorf("after removing all: %s", got)
	}
	c.want("InvalidSecurityGroupId.NotFound", versionECS, "TagResources", "ResourceType", "securitygroup", "ResourceId.1", "sg-mail", "ResourceId.2", "sg-none", "Tag.1.Key", "z")
	if n := len(c.ecs("DescribeSecurityGroups", "Tag.1.Key", "z").items("SecurityGroups", "SecurityGroup")); n != 0 {
		t.Errorf("a refused call tagged %d groups", n)
	}
	c.want("InvalidResourceType.NotFound", versionECS, "TagResources", "ResourceType", "instance", "ResourceId.1", "i-1", "Tag.1.Key", "z")
	c.want("MissingParameter", versionECS, "TagResources", "ResourceType", "securitygroup", "Tag.1.Key", "z")
	var many []string
	for i := range 21 {
		many = append(many, fmt.Sprintf("Tag.%d.Key", i+1), fmt.Sprint("k", i))
	}
	c.want("InvalidTagKey.Exceed", versionECS, "TagResources", with([]string{"ResourceType", "securitygroup", "ResourceId.1", id}, many)...)
}
