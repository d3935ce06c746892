package alibaba

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ecs"

	"fwsync/cloudfw"
)

// authoriseRules adds rules. The vendor takes a rule that is there already for
// done (reference §3.1), so what is asked for is what is there afterwards.
func (a *Account) authoriseRules(ctx context.Context, step cloudfw.Step) error {
	return a.withPeers(ctx, step, func(rules []cloudfw.GroupRule) error {
		form := map[string]string{}
		for i, rule := range rules {
			permission, err := permissionForm(rule)
			if err != nil {
				return refuse(step, err.Error())
			}
			for name, value := range permission {
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
	})
}

// withPeers does something with the step's rules, whose prefix lists are named by
// their ids.
func (a *Account) withPeers(ctx context.Context, step cloudfw.Step, do func([]cloudfw.GroupRule) error) error {
	var lists []string
	for _, rule := range step.GroupRules {
		if rule.Peer.Kind == cloudfw.List && !slices.Contains(lists, rule.Peer.Value) {
			lists = append(lists, rule.Peer.Value)
		}
	}
	return a.resolve(ctx, slices.Clone(step.GroupRules), lists, do)
}

// resolve replaces the first of the lists by its id, and then the others.
func (a *Account) resolve(ctx context.Context, rules []cloudfw.GroupRule, lists []string, do func([]cloudfw.GroupRule) error) error {
	if len(lists) == 0 {
		return do(rules)
	}
	return a.withList(ctx, lists[0], func(id string) error {
		resolved := slices.Clone(rules)
		for i, rule := range rules {
			if rule.Peer.Kind == cloudfw.List && rule.Peer.Value == lists[0] {
				resolved[i].Peer.Value = id
			}
		}
		return a.resolve(ctx, resolved, lists[1:], do)
	})
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

// editGroupRule changes one rule, known by its id. The vendor does not let an edit
// change the kind of the rule's peer or empty a field (reference §3.1).
func (a *Account) editGroupRule(ctx context.Context, step cloudfw.Step) error {
	if step.GroupRules[0].Description == "" {
		return refuse(step, "an edit cannot take away a description: the service keeps what is empty")
	}
	return a.withPeers(ctx, step, func(rules []cloudfw.GroupRule) error {
		form, err := permissionForm(rules[0])
		if err != nil {
			return refuse(step, err.Error())
		}
		delete(form, "NicType") // not for a rule that is known by its id
		api := modifySecurityGroupRule
		if rules[0].Direction == cloudfw.Out {
			api = modifySecurityGroupEgressRule
		}
		return a.write(ctx, api, step, fields(form).with(fields{"SecurityGroupId": step.GroupID, "SecurityGroupRuleId": rules[0].ID}))
	})
}

// fill puts parameters into a request's body: long lists may exceed what the service
// takes in a URL (reference §0.3).
func fill(body, parameters map[string]string) { maps.Copy(body, parameters) }
