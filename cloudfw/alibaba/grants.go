package alibaba

import (
	"context"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"

	"fwsync/cloudfw"
)

// Grant is one call, and whether the identity may make it.
type Grant struct {
	API     API
	Granted bool
	Err     error // why not, or why it could not be told; nil when granted
}

// Grants asks for each call that the scope needs whether it is permitted, in one call
// each. Reading calls are made as they are. Writing calls are made with values that
// the service has to refuse (an unknown id, a direction, type or protocol that does
// not exist: reference §2.1, §2.4, §3 name the errors), so nothing can change; a
// refusal for any other reason than a permission shows that it is granted.
//
// The order is fixed. A call whose answer does not tell has an Err that is not
// cloudfw.Denied. The error is of ctx only.
func (a *Account) Grants(ctx context.Context, scope cloudfw.Scope) ([]Grant, error) {
	var grants []Grant
	for _, p := range probes(scope) {
		_, err := ask[done](ctx, a, p.api, "", func() requests.AcsRequest { return newRequest(p.api, p.values, nil) })
		if ctx.Err() != nil {
			return grants, ctx.Err()
		}
		g := Grant{API: p.api}
		switch kind := cloudfw.KindOf(err); {
		case err == nil, kind == cloudfw.NotFound, kind == cloudfw.Invalid, kind == cloudfw.Conflict, kind == cloudfw.Quota:
			g.Granted = true
		default:
			g.Err = err
		}
		grants = append(grants, g)
	}
	return grants, nil
}

// probe is one call with the values to make it with.
type probe struct {
	api    API
	values fields
}

const (
	noUUID  = "00000000-0000-4000-8000-000000000000"
	nothing = "fwsync-doctor-refuse-this"
)

// probes are the calls that a scope needs, reading ones first within each part.
func probes(scope cloudfw.Scope) []probe {
	page := fields{"CurrentPage": "1", "PageSize": "1"}
	senseless := fields{
		"AclAction": nothing, "Source": nothing, "SourceType": nothing, "Destination": nothing, "DestinationType": nothing,
		"Proto": nothing, "ApplicationName": nothing, "Description": nothing, "NewOrder": "0",
	}
	book := fields{"GroupUuid": noUUID, "GroupName": nothing, "Description": nothing}
	all := []probe{
		{describeControlPolicy, page.with(fields{"Direction": "in"})},
		{describeAddressBook, page},
		{describeAssetList, page},
		{describeAdvancedConfig, nil},
		{describeRuleCount, nil},
		{describePriorUsed, fields{"Direction": "in"}},
		{addControlPolicy, senseless.with(fields{"Direction": nothing})},
		{modifyControlPolicy, senseless.with(fields{"AclUuid": noUUID, "Direction": nothing})},
		{modifyControlPolicyPriority, fields{"AclUuid": noUUID, "Order": "1"}},
		{deleteControlPolicy, fields{"AclUuid": noUUID, "Direction": nothing}},
		{addAddressBook, fields{"GroupName": nothing, "GroupType": nothing, "Description": nothing, "AddressList": nothing}},
		{modifyAddressBook, book.with(fields{"AddressList": nothing, "ModifyMode": "Append"})},
		{deleteAddressBook, fields{"GroupUuid": noUUID}},
	}
	for _, b := range scope.Borders {
		switch b.Kind() {
		case cloudfw.NATBorder:
			at := fields{"NatGatewayId": b.NAT, "Direction": "out"}
			nowhere := senseless.with(fields{"NatGatewayId": b.NAT, "Direction": nothing, "AclUuid": noUUID})
			all = append(all, probe{describeNATPolicy, page.with(at)}, probe{describeNATPriorUsed, at},
				probe{createNATPolicy, nowhere}, probe{modifyNATPolicy, nowhere},
				probe{moveNATPolicy, at.with(fields{"AclUuid": noUUID, "NewOrder": "1"})}, probe{deleteNATPolicy, at.with(fields{"AclUuid": noUUID})})
		case cloudfw.VPCBorder:
			at := fields{"VpcFirewallId": b.VPC}
			nowhere := senseless.with(at).with(fields{"AclUuid": noUUID})
			all = append(all, probe{describeVPCPolicy, page.with(at)}, probe{describeVPCPriorUsed, at},
				probe{createVPCPolicy, nowhere}, probe{modifyVPCPolicy, nowhere},
				probe{moveVPCPolicy, at.with(fields{"AclUuid": noUUID, "NewOrder": "1"})}, probe{deleteVPCPolicy, at.with(fields{"AclUuid": noUUID})})
		}
	}
	if len(scope.Groups) == 0 {
		return all
	}
	// A group of the scope is named, as a permission may be bound to it; the rule is one
	// that does not exist.
	group := fields{"SecurityGroupId": scope.Groups[0]}
	rule := group.with(fields{"Permissions.1.IpProtocol": nothing, "Permissions.1.PortRange": nothing, "Permissions.1.SourceCidrIp": nothing, "Permissions.1.DestCidrIp": nothing})
	unknown := group.with(fields{"SecurityGroupRuleId.1": "sgr-" + nothing})
	one := group.with(fields{"SecurityGroupRuleId": "sgr-" + nothing, "Policy": nothing})
	list := fields{"PrefixListId": "pl-" + nothing}
	return append(all,
		probe{describeSecurityGroups, group}, probe{describeSecurityGroupAttribute, group}, probe{describePrefixLists, nil},
		probe{describePrefixListAttributes, list},
		probe{authorizeSecurityGroup, rule}, probe{authorizeSecurityGroupEgress, rule},
		probe{revokeSecurityGroup, unknown}, probe{revokeSecurityGroupEgress, unknown},
		probe{modifySecurityGroupRule, one}, probe{modifySecurityGroupEgressRule, one},
		probe{createPrefixList, fields{"PrefixListName": nothing, "AddressFamily": nothing, "MaxEntries": "0"}},
		probe{modifyPrefixList, list.with(fields{"AddEntry.1.Cidr": nothing})}, probe{deletePrefixList, list},
	)
}
