package alibaba

import (
	"context"
	"errors"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"

	"fwsync/cloudfw"
)

// RuleCounts are the numbers of policies of an account, not their spread units
// (reference §2.2).
type RuleCounts struct {
	InternetIn  int `json:"internet_in"`
	InternetOut int `json:"internet_out"`
	NAT         int `json:"nat"`
	VPC         int `json:"vpc"`
	Total       int `json:"total"`
}

type ruleCountsAnswer struct {
	envelope
	InternetInAclCount, InternetOutAclCount, NatOutAclCount, VpcAclCount number
	TotalAclCount                                                        *number
}

func (a *ruleCountsAnswer) check() error {
	if a.TotalAclCount == nil {
		return errors.New("no TotalAclCount")
	}
	return nil
}

// RuleCounts reads how many policies the account has, in one call.
func (a *Account) RuleCounts(ctx context.Context) (RuleCounts, error) {
	got, err := ask[ruleCountsAnswer](ctx, a, describeRuleCount, "", func() requests.AcsRequest {
		return newRequest(describeRuleCount, nil, nil)
	})
	if err != nil {
		return RuleCounts{}, err
	}
	return RuleCounts{
		InternetIn: int(got.InternetInAclCount), InternetOut: int(got.InternetOutAclCount), NAT: int(got.NatOutAclCount),
		VPC: int(got.VpcAclCount), Total: int(*got.TotalAclCount),
	}, nil
}

type priorUsedAnswer struct {
	envelope
	Start, End *number
}

func (a *priorUsedAnswer) check() error {
	if a.Start == nil || a.End == nil {
		return errors.New("no Start or no End")
	}
	return nil
}

// PriorUsed reads the first and the last position in use in a list, in one call. The
// vendor's own descriptions of the two contradict one another, above all for empty
// lists (reference §2.1): a figure to compare, never one to place a rule by.
func (a *Account) PriorUsed(ctx context.Context, key cloudfw.ListKey) (first, last int, err error) {
	if err := checkBorder(key); err != nil {
		return 0, 0, &cloudfw.Error{Op: "reading positions", Subject: key.String(), Kind: cloudfw.Invalid, Message: err.Error()}
	}
	api := map[cloudfw.BorderKind]API{
		cloudfw.InternetBorder: describePriorUsed, cloudfw.NATBorder: describeNATPriorUsed, cloudfw.VPCBorder: describeVPCPriorUsed,
	}[key.Border.Kind()]
	query := belonging(key)
	if dialects[key.Border.Kind()].versioned {
		query["IpVersion"] = wireVersion(key.Family)
	}
	got, err := ask[priorUsedAnswer](ctx, a, api, key.String(), func() requests.AcsRequest { return newRequest(api, query, nil) })
	if err != nil {
		return 0, 0, err
	}
	return int(*got.Start), int(*got.End), nil
}

// Identity is who makes the calls.
type Identity struct {
	AccountID string `json:"account_id"`
	ARN       string `json:"arn"`  // of the user or the session of a role
	Kind      string `json:"kind"` // "Account", "RAMUser" or "AssumedRoleUser", as the vendor names it
}

type identityAnswer struct {
	envelope
	AccountId, Arn, IdentityType text
}

func (a *identityAnswer) check() error {
	if a.AccountId == "" || a.Arn == "" {
		return errors.New("no AccountId or no Arn")
	}
	return nil
}

// Identity asks the token service whose credentials these are, in one call. It needs
// no permission, so it tells wrong keys from missing permissions.
func (a *Account) Identity(ctx context.Context) (Identity, error) {
	got, err := ask[identityAnswer](ctx, a, getCallerIdentity, "", func() requests.AcsRequest {
		return newRequest(getCallerIdentity, nil, nil)
	})
	if err != nil {
		return Identity{}, err
	}
	return Identity{AccountID: string(got.AccountId), ARN: string(got.Arn), Kind: string(got.IdentityType)}, nil
}
