package alibaba

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
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
	envelope
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
	SecurityGroupType text
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
	envelope
	SecurityGroupId   text
	InnerAccessPolicy text
	NextToken         text
	Permissions       *struct {
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
		found, err := readTokened(ctx, describeSecurityGroups, "", func(g *groupHead) string { return string(g.SecurityGroupId) }, func(ctx context.Context, token string) ([]groupHead, string, error) {
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
	inner := ""
	found, err := readTokened(ctx, describeSecurityGroupAttribute, id, permissionKey, func(ctx context.Context, token string) ([]permission, string, error) {
		got, err := ask[permissionsAnswer](ctx, a, describeSecurityGroupAttribute, id, func() requests.AcsRequest {
			r := ecs.CreateDescribeSecurityGroupAttributeRequest()
			r.SecurityGroupId, r.Direction, r.NextToken = id, "all", token
			r.MaxResults = requests.NewInteger(permissionsPerPage)
			return r
		})
		if err != nil {
			return nil, "", err
		}
		inner = string(got.InnerAccessPolicy)
		return got.Permissions.Permission, string(got.NextToken), nil
	})
	if cloudfw.KindOf(err) == cloudfw.NotFound {
		return groupRules{}, &inconsistent{partial(describeSecurityGroupAttribute, id, "the group was listed, but is gone now")}
	}
	if err != nil {
		return groupRules{}, err
	}
	read := groupRules{rules: make([]cloudfw.GroupRule, 0, len(found)), isolated: strings.EqualFold(inner, "Drop")}
	for i := range found {
		p := &found[i]
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
	rules    []cloudfw.GroupRule
	lists    []string
	isolated bool
}

// permissionKey names a rule among those of its group: by its id, and very old rules
// that have none by what they are.
func permissionKey(p *permission) string {
	if p.SecurityGroupRuleId != "" {
		return string(p.SecurityGroupRuleId)
	}
	return fmt.Sprint(*p)
}

// group puts a group together.
func (h groupHead) group(read groupRules) cloudfw.SecurityGroup {
	enterprise := h.SecurityGroupType == "enterprise"
	return cloudfw.SecurityGroup{
		ID: string(h.SecurityGroupId), Name: string(h.SecurityGroupName), VPC: string(h.VpcId),
		Managed: h.ServiceManaged == "true", Rules: read.rules,
		Enterprise: enterprise, Isolated: !enterprise && read.isolated,
	}
}

// agree reports a group that was not read as a whole. The pages of the compute lists
// carry no count of their own, but a group's head counts its rules and its rules name
// their lists.
func agree(head groupHead, read groupRules, lists []cloudfw.PrefixList) error {
	id := string(head.SecurityGroupId)
	if head.RuleCount > 0 && len(read.rules) == 0 {
		return &inconsistent{partial(describeSecurityGroupAttribute, id, fmt.Sprintf("none of its %d rules came", head.RuleCount))}
	}
	for _, name := range read.lists {
		if strings.HasPrefix(name, listPrefix) && !slices.ContainsFunc(lists, func(l cloudfw.PrefixList) bool { return l.Name == name }) {
			return &inconsistent{partial(describePrefixLists, name, "group "+id+" refers to the list, which did not come")}
		}
	}
	return nil
}

// partial is the error of a read that came incomplete or beyond what is understood.
func partial(api API, subject, why string) *cloudfw.Error {
	return &cloudfw.Error{Op: api.Name, Subject: subject, Kind: cloudfw.Unavailable, Message: why}
}

// inconsistent is the error of an observation whose parts do not fit together, as
// somebody changed the account between two of its calls.
type inconsistent struct{ cause *cloudfw.Error }

// Error is the text of the cause.
func (e *inconsistent) Error() string { return e.cause.Error() }

// Unwrap gives the cause.
func (e *inconsistent) Unwrap() error { return e.cause }
