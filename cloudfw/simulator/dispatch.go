package simulator

import (
	"maps"
	"slices"
)

// Versions of the products served.
const (
	versionCloudfw = "2017-12-07"
	versionECS     = "2014-05-26"
	versionSTS     = "2015-04-01"
)

// route addresses an action on the wire.
type route struct{ version, action string }

// action is one API: it reads its parameters, acts and returns its answer, a
// value that encodes to a JSON object.
type action struct {
	write   bool
	missing func(name string) error
	run     func(*call) (any, error)
}

// call is one running action.
type call struct {
	cloud  *Cloud
	params *params
	fault  FaultKind
	key    string // access key id
}

// none is the answer of actions that return a RequestId only.
type none struct{}

// read returns the state to answer from, after the parameters are settled.
func (c *call) read() (*State, error) {
	if err := c.params.done(); err != nil {
		return nil, err
	}
	s, err := c.cloud.view(c.fault == FaultStale)
	if err != nil {
		return nil, err
	}
	return s.within(c.region()), nil
}

// change edits the state, after the parameters are settled.
func (c *call) change(change func(*edit) error) (any, error) {
	if err := c.params.done(); err != nil {
		return nil, err
	}
	return none{}, c.cloud.update(func(e *edit) error {
		if err := c.reach(e.State); err != nil {
			return err
		}
		return change(e)
	})
}

var actions = table()

// asFirewall and asECS are what an API shares with the others of its product.
func asFirewall(write bool, run func(*call) (any, error)) action {
	return action{write, missingAtGateway, func(c *call) (any, error) {
		c.params.ignore("Lang")
		return run(c)
	}}
}

func asECS(write bool, run func(*call) (any, error)) action {
	return action{write, missingInECS, func(c *call) (any, error) {
		// Documented as required on every ECS call (reference §3).
		c.params.required("RegionId")
		c.params.ignore("OwnerId", "OwnerAccount", "ResourceOwnerId", "ResourceOwnerAccount")
		return run(c)
	}}
}

func table() map[route]action {
	t := map[route]action{
		{versionSTS, "GetCallerIdentity"}: {run: getCallerIdentity, missing: missingAtGateway},
		{versionSTS, "AssumeRole"}:        {run: assumeRole, missing: missingAtGateway},
	}
	for name, run := range map[string]func(*call) (any, error){
		"DescribeControlPolicy": describePolicies(internetBorder), "DescribePolicyPriorUsed": priorUsed(internetBorder),
		"DescribeNatFirewallControlPolicy": describePolicies(natBorder), "DescribeNatFirewallPolicyPriorUsed": priorUsed(natBorder),
		"DescribeVpcFirewallControlPolicy": describePolicies(vpcBorder), "DescribeVpcFirewallPolicyPriorUsed": priorUsed(vpcBorder),
		"DescribeNatFirewallList": describeNATFirewallList, "DescribeVpcFirewallAclGroupList": describeVPCFirewallACLGroupList,
		"DescribeRiskEventGroup": describeRiskEventGroup, "DescribeInvadeEventList": describeInvadeEventList,
		"DescribeAddressBook": describeAddressBook, "DescribeAssetList": describeAssetList,
		"DescribeAclRuleCount": describeACLRuleCount, "DescribePolicyAdvancedConfig": describePolicyAdvancedConfig,
	} {
		t[route{versionCloudfw, name}] = asFirewall(false, run)
	}
	for name, run := range map[string]func(*call) (any, error){
		"AddControlPolicy": addPolicy(internetBorder), "ModifyControlPolicy": modifyPolicy(internetBorder),
		"DeleteControlPolicy": deletePolicy(internetBorder), "ModifyControlPolicyPosition": modifyControlPolicyPosition,
		"ModifyControlPolicyPriority": movePolicy(internetBorder, "Order"), "ResetRuleHitCount": resetHits(internetBorder),
		"CreateNatFirewallControlPolicy": addPolicy(natBorder), "ModifyNatFirewallControlPolicy": modifyPolicy(natBorder),
		"DeleteNatFirewallControlPolicy": deletePolicy(natBorder), "DeleteNatFirewallControlPolicyBatch": deletePolicies(natBorder),
		"ModifyNatFirewallControlPolicyPosition": movePolicy(natBorder, "NewOrder"), "ResetNatFirewallRuleHitCount": resetHits(natBorder),
		"CreateVpcFirewallControlPolicy": addPolicy(vpcBorder), "ModifyVpcFirewallControlPolicy": modifyPolicy(vpcBorder),
		"DeleteVpcFirewallControlPolicy": deletePolicy(vpcBorder), "BatchDeleteVpcFirewallControlPolicy": deletePolicies(vpcBorder),
		"ModifyVpcFirewallControlPolicyPosition": movePolicy(vpcBorder, "NewOrder"), "ResetVpcFirewallRuleHitCount": resetHits(vpcBorder),
		"ModifyPolicyAdvancedConfig": modifyPolicyAdvancedConfig,
		"AddAddressBook":             addAddressBook, "ModifyAddressBook": modifyAddressBook, "DeleteAddressBook": deleteAddressBook,
	} {
		t[route{versionCloudfw, name}] = asFirewall(true, run)
	}
	for name, run := range map[string]func(*call) (any, error){
		"DescribeSecurityGroups": describeSecurityGroups, "DescribeSecurityGroupAttribute": describeSecurityGroupAttribute,
		"DescribePrefixLists": describePrefixLists, "DescribePrefixListAttributes": describePrefixListAttributes,
		"DescribePrefixListAssociations": describePrefixListAssociations, "ListTagResources": listTagResources,
	} {
		t[route{versionECS, name}] = asECS(false, run)
	}
	for name, run := range map[string]func(*call) (any, error){
		"CreateSecurityGroup": createSecurityGroup, "DeleteSecurityGroup": deleteSecurityGroup,
		"ModifySecurityGroupAttribute": modifySecurityGroupAttribute, "ModifySecurityGroupPolicy": modifySecurityGroupPolicy,
		"TagResources": tagResources, "UntagResources": untagResources, "JoinResourceGroup": joinResourceGroup,
		"AuthorizeSecurityGroup": authorizeSecurityGroup("ingress"), "AuthorizeSecurityGroupEgress": authorizeSecurityGroup("egress"),
		"RevokeSecurityGroup": revokeSecurityGroup("ingress"), "RevokeSecurityGroupEgress": revokeSecurityGroup("egress"),
		"ModifySecurityGroupRule": modifySecurityGroupRule("ingress"), "ModifySecurityGroupEgressRule": modifySecurityGroupRule("egress"),
		"CreatePrefixList": createPrefixList, "ModifyPrefixList": modifyPrefixList, "DeletePrefixList": deletePrefixList,
	} {
		t[route{versionECS, name}] = asECS(true, run)
	}
	return t
}

// Actions lists the API names served, sorted.
func Actions() []string {
	names := map[string]bool{}
	for r := range actions {
		names[r.action] = true
	}
	return slices.Sorted(maps.Keys(names))
}
