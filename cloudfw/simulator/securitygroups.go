package simulator

import (
	"net/http"
	"slices"
	"unicode/utf8"
)

// DefaultVPC is where a group without VpcId lands (reference §10).
const DefaultVPC = "vpc-default"

// CreateSecurityGroup adds an empty group and returns its id.
func (c *Cloud) CreateSecurityGroup(g SecurityGroup) (id string, err error) {
	err = c.update(func(e *edit) error {
		id, err = e.createGroup(g)
		return err
	})
	return id, err
}

// DeleteSecurityGroup removes a group that no other group's rules refer to.
func (c *Cloud) DeleteSecurityGroup(id string) error {
	return c.update(func(e *edit) error { return e.deleteGroup(id) })
}

// AuthorizeSecurityGroup adds rules, all or none. A rule that is there already is
// skipped without error (reference §3.1). The ids of the rules are ignored.
func (c *Cloud) AuthorizeSecurityGroup(id string, rules ...SecurityRule) error {
	return c.update(func(e *edit) error { return e.authorize(id, rules) })
}

// RevokeSecurityGroup removes rules by id. An unknown id refuses the whole call.
func (c *Cloud) RevokeSecurityGroup(id string, ruleIDs ...string) error {
	return c.update(func(e *edit) error { return e.revokeIDs(id, "", ruleIDs) })
}

func (e *edit) createGroup(g SecurityGroup) (string, error) {
	if g.VPCID == "" {
		g.VPCID = DefaultVPC
	}
	if g.Type == "" {
		g.Type = "normal"
	}
	if g.Type != "normal" && g.Type != "enterprise" {
		return "", bad("InvalidSecurityGroupType", "The security group type %q is invalid.", g.Type)
	}
	if err := judgeGroupTexts(&g); err != nil {
		return "", err
	}
	g.ID = e.newID("sg-sim%06d")
	g.CreationTime = e.now.Format("2006-01-02T15:04:05Z")
	g.Rules = []SecurityRule{}
	g.Tags = slices.Clone(g.Tags)
	e.SecurityGroups = append(e.SecurityGroups, g)
	return g.ID, nil
}

func judgeGroupTexts(g *SecurityGroup) error {
	if n := utf8.RuneCountInString(g.Name); n == 1 || n > 128 {
		return bad("InvalidSecurityGroupName.Malformed", "The security group name must have 2 to 128 characters.")
	}
	if n := utf8.RuneCountInString(g.Description); n == 1 || n > 256 {
		return bad("InvalidSecurityGroupDiscription.Malformed", "The description must have 2 to 256 characters.")
	}
	return nil
}

// group returns the index of a group that may be edited. Groups that a service of
// the vendor manages may not; the code for that is assumed.
func (e *edit) group(id string) (int, error) {
	i := e.groupIndex(id)
	if i < 0 {
		return 0, noSuchGroup(id)
	}
	if e.SecurityGroups[i].ServiceManaged {
		return 0, refuse(http.StatusForbidden, "InvalidOperation.ResourceManagedByCloudProduct",
			"The security group %q is managed by a cloud service and cannot be changed.", id)
	}
	return i, nil
}

// editGroup lets change edit a group but for its rules; an error keeps the old one.
func (e *edit) editGroup(id string, change func(*SecurityGroup) error) error {
	i, err := e.group(id)
	if err != nil {
		return err
	}
	g := e.SecurityGroups[i]
	if err := change(&g); err != nil {
		return err
	}
	e.SecurityGroups[i] = g
	return nil
}

func (e *edit) deleteGroup(id string) error {
	i, err := e.group(id)
	if err != nil {
		return err
	}
	for _, g := range e.SecurityGroups {
		if g.ID != id && slices.ContainsFunc(g.Rules, func(r SecurityRule) bool { return r.SourceGroupID == id || r.DestGroupID == id }) {
			return refuse(http.StatusForbidden, "DependencyViolation", "A rule of security group %q refers to %q.", g.ID, id)
		}
	}
	e.SecurityGroups = slices.Delete(e.SecurityGroups, i, i+1)
	return nil
}

func (e *edit) authorize(id string, rules []SecurityRule) error {
	i, err := e.group(id)
	if err != nil {
		return err
	}
	g := e.SecurityGroups[i]
	g.Rules = slices.Clone(g.Rules)
	for _, r := range rules {
		if err := e.judgeRule(&g, &r); err != nil {
			return err
		}
		if ruleIndex(g.Rules, r) >= 0 {
			continue
		}
		r.ID = e.newRuleID()
		r.CreateTime = e.now.Format("2006-01-02T15:04:05Z")
		g.Rules = append(g.Rules, r)
	}
	if err := e.judgeGroup(&g, len(g.Rules) > len(e.SecurityGroups[i].Rules)); err != nil {
		return err
	}
	e.SecurityGroups[i] = g
	return nil
}

// revokeIDs removes rules by id; a non-empty direction must be that of each rule.
func (e *edit) revokeIDs(id, direction string, ruleIDs []string) error {
	i, err := e.group(id)
	if err != nil {
		return err
	}
	rules := slices.Clone(e.SecurityGroups[i].Rules)
	for _, ruleID := range ruleIDs {
		at := slices.IndexFunc(rules, func(r SecurityRule) bool {
			return r.ID == ruleID && (direction == "" || r.Direction == direction)
		})
		if at < 0 {
			return noSuchRule(ruleID)
		}
		rules = slices.Delete(rules, at, at+1)
	}
	e.SecurityGroups[i].Rules = rules
	return nil
}

// revokeMatching removes the rules equal to those given; no match is a success.
func (e *edit) revokeMatching(id string, rules []SecurityRule) error {
	i, err := e.group(id)
	if err != nil {
		return err
	}
	g := e.SecurityGroups[i]
	g.Rules = slices.Clone(g.Rules)
	for _, r := range rules {
		if err := shapeRule(&r); err != nil {
			return err
		}
		if at := ruleIndex(g.Rules, r); at >= 0 {
			g.Rules = slices.Delete(g.Rules, at, at+1)
		}
	}
	e.SecurityGroups[i] = g
	return nil
}

// modifyRule edits one rule. The kind of its peer cannot change (reference §3.1).
func (e *edit) modifyRule(id, direction, ruleID string, change func(*SecurityRule)) error {
	i, err := e.group(id)
	if err != nil {
		return err
	}
	g := e.SecurityGroups[i]
	g.Rules = slices.Clone(g.Rules)
	at := slices.IndexFunc(g.Rules, func(r SecurityRule) bool { return r.ID == ruleID && r.Direction == direction })
	if at < 0 {
		return noSuchRule(ruleID)
	}
	old := g.Rules[at]
	r := old
	change(&r)
	r.ID, r.Direction, r.CreateTime = old.ID, old.Direction, old.CreateTime
	if old.peerKind() != r.peerKind() {
		return bad("InvalidParameter.Conflict", "The kind of the peer of rule %q cannot be changed.", ruleID)
	}
	if err := e.judgeRule(&g, &r); err != nil {
		return err
	}
	if twin := ruleIndex(g.Rules, r); twin >= 0 && twin != at {
		return bad("InvalidSecurityGroupRule.RuleExist", "The security group has this rule already.")
	}
	g.Rules[at] = r
	if err := e.judgeGroup(&g, true); err != nil {
		return err
	}
	e.SecurityGroups[i] = g
	return nil
}

// describeRule edits the description of the rule equal to r, which is how clients
// without rule ids do it (reference §10).
func (e *edit) describeRule(id string, r SecurityRule) error {
	i, err := e.group(id)
	if err != nil {
		return err
	}
	if err := shapeRule(&r); err != nil {
		return err
	}
	at := ruleIndex(e.SecurityGroups[i].Rules, r)
	if at < 0 {
		return refuse(http.StatusNotFound, "InvalidSecurityGroupRule.RuleNotExist", "The security group has no such rule.")
	}
	rules := slices.Clone(e.SecurityGroups[i].Rules)
	rules[at].Description = r.Description
	e.SecurityGroups[i].Rules = rules
	return nil
}

func noSuchGroup(id string) error {
	return refuse(http.StatusNotFound, "InvalidSecurityGroupId.NotFound", "The security group %q does not exist.", id)
}

func noSuchRule(id string) error {
	return bad("InvalidParam.SecurityGroupRuleId", "The security group rule %q does not exist.", id)
}

func (s *State) groupIndex(id string) int {
	return slices.IndexFunc(s.SecurityGroups, func(g SecurityGroup) bool { return g.ID == id })
}
