package alibaba

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"

	"fwsync/cloudfw"
)

// policy is one control policy of any border as its listing answers it (reference
// §2.1, §2.5, §2.6). The SDK's own types lack several of the fields.
type policy struct {
	AclUuid              text
	Direction            text
	Order                number
	AclAction            text
	Source               text
	SourceType           text
	Destination          text
	DestinationType      text
	DestinationGroupType text
	DestPort             text
	DestPortType         text
	DestPortGroup        text
	Proto                text
	ApplicationName      text
	ApplicationNameList  texts
	Description          text
	Release              text
	IpVersion            number
	SpreadCnt            number // a text at the NAT border
	DomainResolveType    text   // a number at the NAT border
	RepeatType           text
	RepeatDays           []number
	RepeatStartTime      text
	RepeatEndTime        text
	StartTime            number
	EndTime              number
	HitTimes             number
	HitLastTime          number
}

type policiesAnswer struct {
	envelope
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

// readPolicies reads one list of one border. A NAT gateway or a group of policies
// that the account does not have is a NotFound error that names it.
func (a *Account) readPolicies(ctx context.Context, key cloudfw.ListKey) ([]cloudfw.FirewallRule, error) {
	if err := checkBorder(key); err != nil {
		return nil, &cloudfw.Error{Op: "observing", Subject: key.String(), Kind: cloudfw.Invalid, Message: err.Error()}
	}
	d, subject := dialects[key.Border.Kind()], key.String()
	query := belonging(key)
	if d.versioned {
		query["IpVersion"] = wireVersion(key.Family)
	}
	policies, err := readNumbered(ctx, d.list, subject,
		func(p *policy) string { return string(p.AclUuid) },
		func(p *policy) int { return int(p.Order) },
		func(ctx context.Context, number int) (page[policy], error) {
			got, err := ask[policiesAnswer](ctx, a, d.list, subject, func() requests.AcsRequest {
				return newRequest(d.list, query.with(pageFields(number, pageSize)), nil)
			})
			if err != nil {
				return page[policy]{}, err
			}
			return page[policy]{got.Policys, int(*got.TotalCount)}, nil
		})
	if err == nil && len(policies) == 0 {
		err = a.findBorder(ctx, key.Border)
	}
	if err != nil {
		return nil, err
	}
	rules := make([]cloudfw.FirewallRule, 0, len(policies))
	for i := range policies {
		rule, err := policies[i].rule(key)
		if err != nil {
			return nil, partial(d.list, subject, fmt.Sprintf("policy %s: %v", oneLine(string(policies[i].AclUuid)), err))
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

// pageFields ask for one page of a numbered list.
func pageFields(number, size int) fields {
	return fields{"CurrentPage": strconv.Itoa(number), "PageSize": strconv.Itoa(size)}
}

func (a *Account) insertRule(ctx context.Context, step cloudfw.Step) error {
	key := step.Rule.Key()
	form, err := newPolicyForm(*step.Rule)
	if err != nil {
		return refuse(step, err.Error())
	}
	d := dialects[key.Border.Kind()]
	query := belonging(key).with(form)
	if query["RepeatType"] == permanent {
		delete(query, "RepeatType") // the default
	}
	if !d.portsForAll && step.Rule.Protocol != cloudfw.TCP && step.Rule.Protocol != cloudfw.UDP {
		delete(query, "DestPortType")
		delete(query, "DestPort")
	}
	query["NewOrder"] = strconv.Itoa(step.Rule.Order)
	if d.versioned {
		query["IpVersion"] = wireVersion(key.Family)
	}
	return a.write(ctx, d.insert, step, query)
}

// editRule sends everything that the rule shall be: what the service does about
// fields that are left out is not documented (reference §2.1).
func (a *Account) editRule(ctx context.Context, step cloudfw.Step) error {
	form, err := newPolicyForm(*step.Rule)
	if err != nil {
		return refuse(step, err.Error())
	}
	return a.write(ctx, dialects[step.Rule.Border.Kind()].edit, step, belonging(step.Rule.Key()).with(form).with(fields{"AclUuid": step.Rule.ID}))
}

func (a *Account) moveRule(ctx context.Context, step cloudfw.Step) error {
	d := dialects[step.Rule.Border.Kind()]
	return a.write(ctx, d.move, step, belonging(step.Rule.Key()).with(fields{"AclUuid": step.Rule.ID, d.place: strconv.Itoa(step.Rule.Order)}))
}

func (a *Account) deleteRule(ctx context.Context, step cloudfw.Step) error {
	return a.write(ctx, dialects[step.Rule.Border.Kind()].remove, step, belonging(step.Rule.Key()).with(fields{"AclUuid": step.Rule.ID}))
}

// write makes a writing call that answers nothing, with its parameters in the query.
func (a *Account) write(ctx context.Context, api API, step cloudfw.Step, query fields) error {
	_, err := ask[done](ctx, a, api, step.Subject(), func() requests.AcsRequest { return newRequest(api, query, nil) })
	return err
}
