package alibaba

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ecs"

	"fwsync/cloudfw"
)

// Page sizes of the compute lists, the most that each gives (reference §3.1, §3.2).
const (
	groupsPerPage      = 100
	permissionsPerPage = 1000
	listsPerPage       = 100
)

type groupsAnswer struct {
	NextToken      text
	TotalCount     number
	SecurityGroups *struct {
		SecurityGroup []groupHead
	}
}

// groupHead is one security group without its rules.
type groupHead struct {
	SecurityGroupId   text
	SecurityGroupName text
	VpcId             text
	ServiceManaged    text
	RuleCount         number
}

func (a *groupsAnswer) check() error {
	if a.SecurityGroups == nil {
		return errors.New("no SecurityGroups")
	}
	return nil
}

// permission is one rule of a security group (reference §3.1).
type permission struct {
	SecurityGroupRuleId  text
	Direction            text
	IpProtocol           text
	PortRange            text
	PortRangeListId      text
	SourcePortRange      text
	Policy               text
	Priority             number
	SourceCidrIp         text
	Ipv6SourceCidrIp     text
	SourceGroupId        text
	SourcePrefixListId   text
	SourcePrefixListName text
	DestPrefixListName   text
	DestCidrIp           text
	Ipv6DestCidrIp       text
	DestGroupId          text
	DestPrefixListId     text
	Description          text
}

type permissionsAnswer struct {
	SecurityGroupId text
	NextToken       text
	Permissions     *struct {
		Permission []permission
	}
}

func (a *permissionsAnswer) check() error {
	if a.Permissions == nil {
		return errors.New("no Permissions")
	}
	return nil
}

// readGroupHeads reads the groups of the given ids. An id that is not among the
// account's groups of the region is a NotFound error that names it.
func (a *Account) readGroupHeads(ctx context.Context, ids []string) (map[string]groupHead, error) {
	heads := map[string]groupHead{}
	for some := range slices.Chunk(ids, groupsPerPage) {
		wanted, err := json.Marshal(some)
		if err != nil {
			return nil, err
		}
		total := 0
		found, err := readTokened(ctx, describeSecurityGroups, "", func(ctx context.Context, token string) ([]groupHead, string, error) {
			got, err := ask[groupsAnswer](ctx, a, describeSecurityGroups, "", func() requests.AcsRequest {
				r := ecs.CreateDescribeSecurityGroupsRequest()
				r.SecurityGroupIds, r.NextToken = string(wanted), token
				r.MaxResults = requests.NewInteger(groupsPerPage)
				return r
			})
			if err != nil {
				return nil, "", err
			}
			total = int(got.TotalCount)
			return got.SecurityGroups.SecurityGroup, string(got.NextToken), nil
		})
		if err != nil {
			return nil, err
		}
		if len(found) < total {
			return nil, partial(describeSecurityGroups, "", fmt.Sprintf("%d of %d groups came", len(found), total))
		}
		for _, head := range found {
			heads[string(head.SecurityGroupId)] = head
		}
	}
	for _, id := range ids {
		if _, ok := heads[id]; !ok {
			return nil, &cloudfw.Error{Op: describeSecurityGroups.Name, Subject: id, Kind: cloudfw.NotFound,
				Message: "there is no security group of that id in region " + a.options.Region}
		}
	}
	return heads, nil
}

// readGroupRules reads a group's rules of both directions.
func (a *Account) readGroupRules(ctx context.Context, id string) (groupRules, error) {
	found, err := readTokened(ctx, describeSecurityGroupAttribute, id, func(ctx context.Context, token string) ([]permission, string, error) {
		got, err := ask[permissionsAnswer](ctx, a, describeSecurityGroupAttribute, id, func() requests.AcsRequest {
			r := ecs.CreateDescribeSecurityGroupAttributeRequest()
			r.SecurityGroupId, r.Direction, r.NextToken = id, "all", token
			r.MaxResults = requests.NewInteger(permissionsPerPage)
			return r
		})
		if err != nil {
			return nil, "", err
		}
		return got.Permissions.Permission, string(got.NextToken), nil
	})
	if err != nil {
		return groupRules{}, err
	}
	read := groupRules{rules: make([]cloudfw.GroupRule, 0, len(found))}
	for _, p := range found {
		rule, err := p.rule()
		if err != nil {
			return groupRules{}, partial(describeSecurityGroupAttribute, id, fmt.Sprintf("rule %s: %v", oneLine(string(p.SecurityGroupRuleId)), err))
		}
		read.rules = append(read.rules, rule)
		read.lists = append(read.lists, string(p.SourcePrefixListName), string(p.DestPrefixListName))
	}
	return read, nil
}

// groupRules are a group's rules and the names of the prefix lists they refer to.
type groupRules struct {
	rules []cloudfw.GroupRule
	lists []string
}

// agree reports a group that was not read as a whole. The pages of the compute lists
// carry no count of their own, but a group's head counts its rules and its rules name
// their lists.
func agree(head groupHead, read groupRules, lists []cloudfw.PrefixList) error {
	id := string(head.SecurityGroupId)
	if head.RuleCount > 0 && len(read.rules) == 0 {
		return partial(describeSecurityGroupAttribute, id, fmt.Sprintf("none of its %d rules came", head.RuleCount))
	}
	for _, name := range read.lists {
		if strings.HasPrefix(name, listPrefix) && !slices.ContainsFunc(lists, func(l cloudfw.PrefixList) bool { return l.Name == name }) {
			return partial(describePrefixLists, name, "group "+id+" refers to the list, which did not come")
		}
	}
	return nil
}

// partial is the error of a read that came incomplete or beyond what is understood.
func partial(api API, subject, why string) *cloudfw.Error {
	return &cloudfw.Error{Op: api.Name, Subject: subject, Kind: cloudfw.Unavailable, Message: why}
}

// authoriseRules adds rules. The vendor takes a rule that is there already for
// done (reference §3.1), so what is asked for is what is there afterwards.
func (a *Account) authoriseRules(ctx context.Context, step cloudfw.Step) error {
	form := map[string]string{}
	for i, rule := range step.GroupRules {
		if rule.Peer.Kind == cloudfw.List {
			id, err := a.listID(ctx, rule.Peer.Value)
			if err != nil {
				return err
			}
			rule.Peer.Value = id
		}
		fields, err := permissionForm(rule)
		if err != nil {
			return refuse(step, err.Error())
		}
		for name, value := range fields {
			form[fmt.Sprintf("Permissions.%d.%s", i+1, name)] = value
		}
	}
	api := authorizeSecurityGroup
	build := func() requests.AcsRequest {
		r := ecs.CreateAuthorizeSecurityGroupRequest()
		r.SecurityGroupId = step.GroupID
		fill(r.FormParams, form)
		return r
	}
	if step.GroupRules[0].Direction == cloudfw.Out {
		api = authorizeSecurityGroupEgress
		build = func() requests.AcsRequest {
			r := ecs.CreateAuthorizeSecurityGroupEgressRequest()
			r.SecurityGroupId = step.GroupID
			fill(r.FormParams, form)
			return r
		}
	}
	_, err := ask[done](ctx, a, api, step.Subject(), build)
	return err
}

// revokeRules removes rules by id: by content, a rule that somebody changed would
// be passed over in silence (reference §3.1).
func (a *Account) revokeRules(ctx context.Context, step cloudfw.Step) error {
	form := map[string]string{}
	for i, rule := range step.GroupRules {
		if rule.ID == "" {
			return refuse(step, "a rule without an id cannot be revoked")
		}
		form["SecurityGroupRuleId."+strconv.Itoa(i+1)] = rule.ID
	}
	api := revokeSecurityGroup
	build := func() requests.AcsRequest {
		r := ecs.CreateRevokeSecurityGroupRequest()
		r.SecurityGroupId = step.GroupID
		fill(r.FormParams, form)
		return r
	}
	if step.GroupRules[0].Direction == cloudfw.Out {
		api = revokeSecurityGroupEgress
		build = func() requests.AcsRequest {
			r := ecs.CreateRevokeSecurityGroupEgressRequest()
			r.SecurityGroupId = step.GroupID
			fill(r.FormParams, form)
			return r
		}
	}
	_, err := ask[done](ctx, a, api, step.Subject(), build)
	return err
}

// fill puts parameters into a request's body: long lists may exceed what the service
// takes in a URL (reference §0.3).
func fill(body, parameters map[string]string) { maps.Copy(body, parameters) }
