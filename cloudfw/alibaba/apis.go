package alibaba

import (
	"maps"
	"slices"
	"strconv"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
)

// API is one remote call of the vendor.
type API struct {
	Name    string
	Product string // as permissions name it: "yundun-cloudfirewall", "ecs" or "sts"
	Write   bool   // changes the account
}

// Permission is the call's name in access policies (reference §6).
func (a API) Permission() string { return a.Product + ":" + a.Name }

// The products (reference §6).
const (
	firewallProduct = "yundun-cloudfirewall"
	computeProduct  = "ecs"
	tokenProduct    = "sts"
)

// wireProducts are the products as requests name them (reference §1.6).
var wireProducts = map[string]struct{ name, version string }{
	firewallProduct: {"Cloudfw", "2017-12-07"},
	computeProduct:  {"Ecs", "2014-05-26"},
	tokenProduct:    {"Sts", "2015-04-01"},
}

// known are the calls below, in their order.
var known []API

func reading(product, name string) API { return know(API{Name: name, Product: product}) }

func writing(product, name string) API { return know(API{Name: name, Product: product, Write: true}) }

func know(api API) API {
	known = append(known, api)
	return api
}

// Every call that this package makes: a call without an entry here cannot be made.
var (
	describeControlPolicy       = reading(firewallProduct, "DescribeControlPolicy")
	addControlPolicy            = writing(firewallProduct, "AddControlPolicy")
	modifyControlPolicy         = writing(firewallProduct, "ModifyControlPolicy")
	modifyControlPolicyPriority = writing(firewallProduct, "ModifyControlPolicyPriority")
	deleteControlPolicy         = writing(firewallProduct, "DeleteControlPolicy")

	describeNATPolicy = reading(firewallProduct, "DescribeNatFirewallControlPolicy")
	createNATPolicy   = writing(firewallProduct, "CreateNatFirewallControlPolicy")
	modifyNATPolicy   = writing(firewallProduct, "ModifyNatFirewallControlPolicy")
	moveNATPolicy     = writing(firewallProduct, "ModifyNatFirewallControlPolicyPosition")
	describeNATList   = reading(firewallProduct, "DescribeNatFirewallList")
	deleteNATPolicy   = writing(firewallProduct, "DeleteNatFirewallControlPolicy")

	describeVPCPolicy = reading(firewallProduct, "DescribeVpcFirewallControlPolicy")
	describeVPCGroups = reading(firewallProduct, "DescribeVpcFirewallAclGroupList")
	createVPCPolicy   = writing(firewallProduct, "CreateVpcFirewallControlPolicy")
	modifyVPCPolicy   = writing(firewallProduct, "ModifyVpcFirewallControlPolicy")
	moveVPCPolicy     = writing(firewallProduct, "ModifyVpcFirewallControlPolicyPosition")
	deleteVPCPolicy   = writing(firewallProduct, "DeleteVpcFirewallControlPolicy")

	describeAddressBook = reading(firewallProduct, "DescribeAddressBook")
	addAddressBook      = writing(firewallProduct, "AddAddressBook")
	modifyAddressBook   = writing(firewallProduct, "ModifyAddressBook")
	deleteAddressBook   = writing(firewallProduct, "DeleteAddressBook")

	describeAssetList      = reading(firewallProduct, "DescribeAssetList")
	describeAdvancedConfig = reading(firewallProduct, "DescribePolicyAdvancedConfig")
	describeRuleCount      = reading(firewallProduct, "DescribeAclRuleCount")
	describePriorUsed      = reading(firewallProduct, "DescribePolicyPriorUsed")
	describeNATPriorUsed   = reading(firewallProduct, "DescribeNatFirewallPolicyPriorUsed")
	describeVPCPriorUsed   = reading(firewallProduct, "DescribeVpcFirewallPolicyPriorUsed")
	describeRiskEventGroup = reading(firewallProduct, "DescribeRiskEventGroup")

	describeSecurityGroups         = reading(computeProduct, "DescribeSecurityGroups")
	describeSecurityGroupAttribute = reading(computeProduct, "DescribeSecurityGroupAttribute")
	authorizeSecurityGroup         = writing(computeProduct, "AuthorizeSecurityGroup")
	authorizeSecurityGroupEgress   = writing(computeProduct, "AuthorizeSecurityGroupEgress")
	revokeSecurityGroup            = writing(computeProduct, "RevokeSecurityGroup")
	revokeSecurityGroupEgress      = writing(computeProduct, "RevokeSecurityGroupEgress")
	modifySecurityGroupRule        = writing(computeProduct, "ModifySecurityGroupRule")
	modifySecurityGroupEgressRule  = writing(computeProduct, "ModifySecurityGroupEgressRule")
	describePrefixLists            = reading(computeProduct, "DescribePrefixLists")
	describePrefixListAttributes   = reading(computeProduct, "DescribePrefixListAttributes")
	createPrefixList               = writing(computeProduct, "CreatePrefixList")
	modifyPrefixList               = writing(computeProduct, "ModifyPrefixList")
	deletePrefixList               = writing(computeProduct, "DeletePrefixList")

	assumeRole        = reading(tokenProduct, "AssumeRole")
	getCallerIdentity = reading(tokenProduct, "GetCallerIdentity")
)

// APIs lists every call that this package can make on the account: exactly the
// permissions that the account needs to grant. Those without Write are enough to
// observe. The token service is not in the list: GetCallerIdentity needs no
// permission, and AssumeRole is granted to whoever the role trusts, not to the role.
// The result is the caller's to keep.
func APIs() []API {
	return slices.DeleteFunc(slices.Clone(known), func(api API) bool { return api.Product == tokenProduct })
}

// fields are the parameters of one call, as the wire names them.
type fields map[string]string

// with returns the fields together with more of them; the later ones win.
func (f fields) with(more fields) fields {
	all := make(fields, len(f)+len(more))
	maps.Copy(all, f)
	maps.Copy(all, more)
	return all
}

// setList adds a repeated parameter: Name.1, Name.2 and so on (reference §1.1).
func (f fields) setList(name string, values []string) {
	for i, value := range values {
		f[name+"."+strconv.Itoa(i+1)] = value
	}
}

// newRequest makes the request of a call. The SDK's own request types lack many of
// the parameters and some of the calls (reference §1.7), so requests are made from
// their names. Long lists belong into the body: a URL may not hold them (§0.3).
func newRequest(api API, query, body fields) requests.AcsRequest {
	product := wireProducts[api.Product]
	r := requests.NewCommonRequest()
	r.Method = requests.POST
	r.Product, r.Version, r.ApiName = product.name, product.version, api.Name
	maps.Copy(r.QueryParams, query)
	maps.Copy(r.FormParams, body)
	r.TransToAcsRequest()
	return r
}
