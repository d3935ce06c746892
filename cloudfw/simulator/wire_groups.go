package simulator

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

type wireGroup struct {
	SecurityGroupId         string
	SecurityGroupName       string
	Description             string
	VpcId                   string
	SecurityGroupType       string
	CreationTime            string
	EcsCount                int
	AvailableInstanceAmount int
	RuleCount               int
	GroupToGroupRuleCount   int
	ServiceManaged          bool
	ServiceID               int64
	ResourceGroupId         string
	Tags                    struct{ Tag []wireTag }
}

func describeSecurityGroups(c *call) (any, error) {
	p := c.params
	ids := p.text("SecurityGroupIds")
	wanted := map[string]*string{}
	for _, name := range []string{"SecurityGroupId", "SecurityGroupName", "VpcId", "SecurityGroupType", "ResourceGroupId"} {
		v := p.text(name)
		wanted[name] = &v
	}
	managed := p.text("ServiceManaged")
	token, results := p.text("NextToken"), p.number("MaxResults", 0, 1, 100)
	number, size := p.number("PageNumber", 1, 1, 1<<31), p.number("PageSize", 10, 1, 100)
	tags := readTags(p)
	refuseDryRun(p)
	p.ignore("FuzzyQuery", "IsQueryEcsCount", "NetworkType")
	state, err := c.read()
	if err != nil {
		return nil, err
	}
	var among []string
	if ids != "" && (json.Unmarshal([]byte(ids), &among) != nil || len(among) > 100) {
		return nil, bad("InvalidSecurityGroupIds", "Specified parameter SecurityGroupIds is not valid.")
	}
	var found []*SecurityGroup
	for i := range state.SecurityGroups {
		g := &state.SecurityGroups[i]
		if matches(*wanted["SecurityGroupId"], g.ID) && matches(*wanted["SecurityGroupName"], g.Name) && matches(*wanted["VpcId"], g.VPCID) &&
			matches(*wanted["SecurityGroupType"], g.Type) && matches(*wanted["ResourceGroupId"], g.ResourceGroupID) &&
			matches(strings.ToLower(managed), strconv.FormatBool(g.ServiceManaged)) &&
			(ids == "" || slices.Contains(among, g.ID)) && g.tagged(tags) {
			found = append(found, g)
		}
	}
	numbered := results == 0 && token == "" && (p.text("PageNumber") != "" || p.text("PageSize") != "")
	var page []*SecurityGroup
	next := ""
	if numbered {
		page = numberedPage(found, number, size, c.fault)
	} else {
		if results == 0 {
			results = 10
		}
		if page, next, err = tokenPage(found, token, results, c.fault); err != nil {
			return nil, err
		}
		number, size = 1, results
	}
	out := struct {
		RegionId                         string
		TotalCount, PageNumber, PageSize int
		NextToken                        string
		SecurityGroups                   struct{ SecurityGroup []wireGroup }
	}{RegionId: p.text("RegionId"), TotalCount: len(found), PageNumber: int(number), PageSize: int(size), NextToken: next}
	out.SecurityGroups.SecurityGroup = []wireGroup{}
	for _, g := range page {
		out.SecurityGroups.SecurityGroup = append(out.SecurityGroups.SecurityGroup, toWireGroup(g))
	}
	return out, nil
}

func toWireGroup(g *SecurityGroup) wireGroup {
	w := wireGroup{
		SecurityGroupId: g.ID, SecurityGroupName: g.Name, Description: g.Description, VpcId: g.VPCID, SecurityGroupType: g.Type,
		CreationTime: g.CreationTime, RuleCount: len(g.Rules), GroupToGroupRuleCount: groupReferences(g),
		ServiceManaged: g.ServiceManaged, ResourceGroupId: g.ResourceGroupID,
	}
	w.Tags.Tag = []wireTag{}
	for _, t := range g.Tags {
		w.Tags.Tag = append(w.Tags.Tag, wireTag{t.Key, t.Value})
	}
	return w
}

// tagged tells whether the group bears all the tags; an empty value fits any.
func (g *SecurityGroup) tagged(tags []Tag) bool {
	for _, want := range tags {
		if !slices.ContainsFunc(g.Tags, func(t Tag) bool { return t.Key == want.Key && matches(want.Value, t.Value) }) {
			return false
		}
	}
	return true
}

func createSecurityGroup(c *call) (any, error) {
	p := c.params
	g := SecurityGroup{
		Region: c.region(), Name: p.text("SecurityGroupName"), Description: p.text("Description"), VPCID: p.text("VpcId"),
		Type: p.text("SecurityGroupType"), ResourceGroupID: p.text("ResourceGroupId"), ServiceManaged: p.flag("ServiceManaged"),
	}
	g.Tags = readTags(p)
	p.ignore("ClientToken")
	if err := p.done(); err != nil {
		return nil, err
	}
	id, err := c.cloud.CreateSecurityGroup(g)
	return struct{ SecurityGroupId string }{id}, err
}

func deleteSecurityGroup(c *call) (any, error) {
	id := c.params.required("SecurityGroupId")
	return c.change(func(e *edit) error { return e.deleteGroup(id) })
}
