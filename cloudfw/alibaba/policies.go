package alibaba

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	wirefw "github.com/aliyun/alibaba-cloud-sdk-go/services/cloudfw"

	"fwsync/cloudfw"
)

// firewallVersion is the version of the Cloud Firewall interface (reference §2).
const firewallVersion = "2017-12-07"

// policy is one control policy as DescribeControlPolicy answers it (reference
// §2.1). The SDK's own type lacks several of the fields.
type policy struct {
	AclUuid             text
	Direction           text
	Order               number
	AclAction           text
	Source              text
	SourceType          text
	Destination         text
	DestinationType     text
	DestPort            text
	DestPortType        text
	DestPortGroup       text
	Proto               text
	ApplicationName     text
	ApplicationNameList []text
	Description         text
	Release             text
	IpVersion           number
	SpreadCnt           number
	RepeatType          text
}

type policiesAnswer struct {
	TotalCount *number
	Policys    []policy // sic
}

func (a *policiesAnswer) check() error {
	if a.TotalCount == nil {
		return errors.New("no TotalCount")
	}
	for _, p := range a.Policys {
		if p.AclUuid == "" {
			return errors.New("a policy without AclUuid")
		}
	}
	return nil
}

// readPolicies reads one of the four lists of the internet firewall.
func (a *Account) readPolicies(ctx context.Context, key cloudfw.ListKey) ([]cloudfw.FirewallRule, error) {
	subject := key.String()
	policies, err := readNumbered(ctx, describeControlPolicy, subject,
		func(p policy) string { return string(p.AclUuid) },
		func(ctx context.Context, number int) (page[policy], error) {
			got, err := ask[policiesAnswer](ctx, a, describeControlPolicy, subject, func() requests.AcsRequest {
				r := wirefw.CreateDescribeControlPolicyRequest()
				r.Direction, r.IpVersion = string(key.Direction), wireVersion(key.Family)
				r.CurrentPage, r.PageSize = strconv.Itoa(number), strconv.Itoa(pageSize)
				return r
			})
			if err != nil {
				return page[policy]{}, err
			}
			return page[policy]{got.Policys, int(*got.TotalCount)}, nil
		})
	if err != nil {
		return nil, err
	}
	rules := make([]cloudfw.FirewallRule, 0, len(policies))
	for _, p := range policies {
		rule, err := p.rule(key)
		if err != nil {
			return nil, partial(describeControlPolicy, subject, fmt.Sprintf("policy %s: %v", oneLine(string(p.AclUuid)), err))
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

func (a *Account) insertRule(ctx context.Context, step cloudfw.Step) error {
	form, err := newPolicyForm(*step.Rule)
	if err != nil {
		return refuse(step, err.Error())
	}
	_, err = ask[done](ctx, a, addControlPolicy, step.Subject(), func() requests.AcsRequest {
		r := wirefw.CreateAddControlPolicyRequest()
		r.Direction, r.IpVersion, r.NewOrder = form.direction, form.ipVersion, strconv.Itoa(step.Rule.Order)
		r.AclAction, r.Description, r.Release = form.action, form.description, form.release
		r.SourceType, r.Source = form.sourceType, form.source
		r.DestinationType, r.Destination = form.destinationType, form.destination
		r.Proto, r.DestPortType, r.DestPort = form.proto, form.portType, form.port
		applications := form.applications
		r.ApplicationNameList = &applications
		return r
	})
	return err
}

// moveRule addresses the policy by its uuid; the older call by position would race
// with every other editor (reference §2.1). The SDK has no type for it.
func (a *Account) moveRule(ctx context.Context, step cloudfw.Step) error {
	_, err := ask[done](ctx, a, modifyControlPolicyPriority, step.Subject(), func() requests.AcsRequest {
		r := requests.NewCommonRequest()
		r.Method = requests.POST
		r.Product, r.Version, r.ApiName = "Cloudfw", firewallVersion, modifyControlPolicyPriority.Name
		r.QueryParams["AclUuid"] = step.Rule.ID
		r.QueryParams["Order"] = strconv.Itoa(step.Rule.Order)
		if step.Rule.Direction != "" {
			r.QueryParams["Direction"] = string(step.Rule.Direction)
		}
		r.TransToAcsRequest()
		return r
	})
	return err
}

func (a *Account) deleteRule(ctx context.Context, step cloudfw.Step) error {
	_, err := ask[done](ctx, a, deleteControlPolicy, step.Subject(), func() requests.AcsRequest {
		r := wirefw.CreateDeleteControlPolicyRequest()
		r.AclUuid, r.Direction = step.Rule.ID, string(step.Rule.Direction)
		return r
	})
	return err
}
