package alibaba

import (
	"context"
	"errors"
	"strconv"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"

	"fwsync/cloudfw"
)

// place is one firewall of the account as its listing names it: a NAT gateway or a
// group of VPC policies.
type place struct{ NatGatewayId, AclGroupId text }

func (p *place) id() string { return string(p.NatGatewayId + p.AclGroupId) }

// placesAnswer is the answer of DescribeNatFirewallList and of
// DescribeVpcFirewallAclGroupList (reference §1.7, §2.5).
type placesAnswer struct {
	envelope
	TotalCount      *number
	NatFirewallList []place
	AclGroupList    []place
}

func (a *placesAnswer) check() error {
	if a.TotalCount == nil {
		return errors.New("no TotalCount")
	}
	return nil
}

// findBorder reports a border that the account does not have as NotFound. What the
// service answers about the policies of an unknown one is not documented: it may be
// an error, or no policies, which a border that is merely bare has as well. So it is
// asked for when there are none; the internet border is always there.
func (a *Account) findBorder(ctx context.Context, border cloudfw.Border) error {
	api, wanted, what := describeNATList, border.NAT, "NAT gateway with a firewall and that id"
	query := func(number int) fields {
		return fields{"NatGatewayId": border.NAT, "PageNo": strconv.Itoa(number), "PageSize": strconv.Itoa(pageSize)}
	}
	switch border.Kind() {
	case cloudfw.InternetBorder:
		return nil
	case cloudfw.VPCBorder:
		api, wanted, what = describeVPCGroups, border.VPC, "VPC firewall whose group of policies has that id"
		query = func(number int) fields { return pageFields(number, pageSize) }
	}
	found, err := readNumbered(ctx, api, border.String(), (*place).id, nil, func(ctx context.Context, number int) (page[place], error) {
		got, err := ask[placesAnswer](ctx, a, api, border.String(), func() requests.AcsRequest { return newRequest(api, query(number), nil) })
		if err != nil {
			return page[place]{}, err
		}
		return page[place]{append(got.NatFirewallList, got.AclGroupList...), int(*got.TotalCount)}, nil
	})
	if err != nil {
		return err
	}
	for i := range found {
		if found[i].id() == wanted {
			return nil
		}
	}
	return &cloudfw.Error{Op: api.Name, Subject: border.String(), Kind: cloudfw.NotFound, Message: "the account has no " + what}
}
