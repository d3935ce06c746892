package simulator

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Calls that Terraform's security group needs besides those of reference §3.1: its
// name, its inner access and its tags. Their shapes follow the vendor's SDK; their
// error codes are assumed.

func modifySecurityGroupAttribute(c *call) (any, error) {
	p := c.params
	id := p.required("SecurityGroupId")
	name, description := p.text("SecurityGroupName"), p.text("Description")
	_, given := p.values["Description"]
	return c.change(func(e *edit) error {
		return e.editGroup(id, func(g *SecurityGroup) error {
			if name != "" {
				g.Name = name
			}
			// Other clients clear it with an empty value, which only here is more than
			// an absent one.
			if given {
				g.Description = description
			}
			return judgeGroupTexts(g)
		})
	})
}

func modifySecurityGroupPolicy(c *call) (any, error) {
	p := c.params
	id, policy := p.required("SecurityGroupId"), p.required("InnerAccessPolicy")
	p.ignore("ClientToken")
	return c.change(func(e *edit) error {
		return e.editGroup(id, func(g *SecurityGroup) error {
			switch strings.ToLower(policy) {
			case "accept":
				g.InnerAccess = ""
			case "drop":
				g.InnerAccess = "Drop"
			default:
				return bad("InvalidPolicy.Malformed", "The policy %q is invalid.", policy)
			}
			if g.Type == "enterprise" {
				return bad("InvalidOperation.SecurityGroupType", "The inner access policy of an advanced security group cannot be changed.")
			}
			return nil
		})
	})
}

func joinResourceGroup(c *call) (any, error) {
	p := c.params
	id, group := p.required("ResourceId"), p.required("ResourceGroupId")
	onlySecurityGroups(p)
	return c.change(func(e *edit) error {
		return e.editGroupIn(c.region(), id, func(g *SecurityGroup) error {
			g.ResourceGroupID = group
			return nil
		})
	})
}

// onlySecurityGroups reads ResourceType; the simulator tags nothing else.
func onlySecurityGroups(p *params) {
	if kind := p.required("ResourceType"); kind != "" && !strings.EqualFold(kind, "securitygroup") {
		p.fail(bad("InvalidResourceType.NotFound", "The ResourceType %q is not served, only securitygroup is.", kind))
	}
}

// editGroupIn is editGroup for calls that name a group by ResourceId: one of
// another region is not there.
func (e *edit) editGroupIn(region, id string, change func(*SecurityGroup) error) error {
	if i := e.groupIndex(id); i >= 0 && elsewhere(e.SecurityGroups[i].Region, region) {
		return noSuchGroup(id)
	}
	return e.editGroup(id, change)
}

func readTags(p *params) []Tag {
	var tags []Tag
	p.each("Tag", func(item *params) { tags = append(tags, Tag{item.text("Key"), item.text("Value")}) })
	return tags
}

func tagResources(c *call) (any, error) {
	p := c.params
	onlySecurityGroups(p)
	ids, tags := p.list("ResourceId"), readTags(p)
	if len(ids) == 0 {
		p.fail(p.missing("ResourceId.1"))
	}
	if len(tags) == 0 {
		p.fail(p.missing("Tag.1.Key"))
	}
	return c.change(func(e *edit) error {
		for _, id := range ids {
			if err := e.editGroupIn(c.region(), id, func(g *SecurityGroup) error { return g.tag(tags) }); err != nil {
				return err
			}
		}
		return nil
	})
}

// tag sets tags by key.
func (g *SecurityGroup) tag(tags []Tag) error {
	g.Tags = slices.Clone(g.Tags)
	for _, t := range tags {
		if n := utf8.RuneCountInString(t.Key); n < 1 || n > 128 || utf8.RuneCountInString(t.Value) > 128 {
			return bad("InvalidTagKey.Malformed", "The tag key %q is invalid.", t.Key)
		}
		if at := slices.IndexFunc(g.Tags, func(have Tag) bool { return have.Key == t.Key }); at >= 0 {
			g.Tags[at] = t
		} else {
			g.Tags = append(g.Tags, t)
		}
	}
	if len(g.Tags) > 20 {
		return bad("InvalidTagKey.Exceed", "A security group has at most 20 tags.")
	}
	return nil
}

func untagResources(c *call) (any, error) {
	p := c.params
	onlySecurityGroups(p)
	ids, keys, all := p.list("ResourceId"), p.list("TagKey"), p.flag("All")
	if len(ids) == 0 {
		p.fail(p.missing("ResourceId.1"))
	}
	return c.change(func(e *edit) error {
		for _, id := range ids {
			err := e.editGroupIn(c.region(), id, func(g *SecurityGroup) error {
				g.Tags = slices.DeleteFunc(slices.Clone(g.Tags), func(t Tag) bool {
					// All counts only where no key is named.
					return slices.Contains(keys, t.Key) || all && keys == nil
				})
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func listTagResources(c *call) (any, error) {
	p := c.params
	onlySecurityGroups(p)
	ids, tags, token := p.list("ResourceId"), readTags(p), p.text("NextToken")
	results := p.number("MaxResults", 50, 1, 1000)
	state, err := c.read()
	if err != nil {
		return nil, err
	}
	type tagResource struct{ ResourceType, ResourceId, TagKey, TagValue string }
	found := []tagResource{}
	for i := range state.SecurityGroups {
		g := &state.SecurityGroups[i]
		if ids != nil && !slices.Contains(ids, g.ID) || !g.tagged(tags) {
			continue
		}
		for _, t := range g.Tags {
			found = append(found, tagResource{"securitygroup", g.ID, t.Key, t.Value})
		}
	}
	page, next, err := tokenPage(found, token, results, c.fault)
	return struct {
		NextToken    string
		TagResources struct{ TagResource []tagResource }
	}{next, struct{ TagResource []tagResource }{page}}, err
}
