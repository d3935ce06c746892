package alibaba

import (
	"fmt"
	"slices"

	"fwsync/cloudfw"
)

// dialect is what the calls of one border say differently; what the three have in
// common is in policies.go (reference §2.1, §2.5, §2.6).
type dialect struct {
	list, insert, edit, move, remove API

	place     string                     // names the new position in a move
	versioned bool                       // IPv4 and IPv6 have lists of their own
	resolve   map[cloudfw.Resolve]string // the ways to match a domain

	portsForAll bool // a new policy names ports even where the protocol has none (§2.5, sic)

	sources, destinations map[cloudfw.Direction][]cloudfw.PeerKind
}

var (
	resolveWords   = map[cloudfw.Resolve]string{cloudfw.ByName: "FQDN", cloudfw.ByDNS: "DNS", cloudfw.ByNameAndDNS: "FQDN_AND_DNS"}
	resolveNumbers = map[cloudfw.Resolve]string{cloudfw.ByName: "0", cloudfw.ByDNS: "1", cloudfw.ByNameAndDNS: "2"}

	addressed = []cloudfw.PeerKind{cloudfw.Net, cloudfw.Book}
	located   = []cloudfw.PeerKind{cloudfw.Net, cloudfw.Book, cloudfw.Location}
	named     = []cloudfw.PeerKind{cloudfw.Net, cloudfw.Book, cloudfw.Domain}
	anywhere  = []cloudfw.PeerKind{cloudfw.Net, cloudfw.Book, cloudfw.Domain, cloudfw.Location}
)

var dialects = map[cloudfw.BorderKind]dialect{
	cloudfw.InternetBorder: {
		list: describeControlPolicy, insert: addControlPolicy, edit: modifyControlPolicy,
		// The older call by position would race with every other editor (§2.1).
		move: modifyControlPolicyPriority, place: "Order",
		remove: deleteControlPolicy, versioned: true, resolve: resolveWords,
		sources:      map[cloudfw.Direction][]cloudfw.PeerKind{cloudfw.In: located, cloudfw.Out: addressed},
		destinations: map[cloudfw.Direction][]cloudfw.PeerKind{cloudfw.In: addressed, cloudfw.Out: anywhere},
	},
	cloudfw.NATBorder: {
		list: describeNATPolicy, insert: createNATPolicy, edit: modifyNATPolicy, move: moveNATPolicy, place: "NewOrder",
		remove: deleteNATPolicy, resolve: resolveNumbers,
		sources:      map[cloudfw.Direction][]cloudfw.PeerKind{cloudfw.Out: addressed},
		destinations: map[cloudfw.Direction][]cloudfw.PeerKind{cloudfw.Out: anywhere},
	},
	cloudfw.VPCBorder: {
		list: describeVPCPolicy, insert: createVPCPolicy, edit: modifyVPCPolicy, move: moveVPCPolicy, place: "NewOrder",
		remove: deleteVPCPolicy, resolve: resolveWords, portsForAll: true,
		sources:      map[cloudfw.Direction][]cloudfw.PeerKind{cloudfw.Between: addressed},
		destinations: map[cloudfw.Direction][]cloudfw.PeerKind{cloudfw.Between: named},
	},
}

// belonging are the parameters that say to which list of the border a call is about.
func belonging(key cloudfw.ListKey) fields {
	switch key.Border.Kind() {
	case cloudfw.NATBorder:
		return fields{"NatGatewayId": key.Border.NAT, "Direction": string(cloudfw.Out)}
	case cloudfw.VPCBorder:
		return fields{"VpcFirewallId": key.Border.VPC}
	}
	if key.Direction == "" {
		return fields{} // a rule that is known by its id alone
	}
	return fields{"Direction": string(key.Direction)}
}

// checkBorder reports a list that the vendor does not have.
func checkBorder(key cloudfw.ListKey) error {
	if key.Border.NAT != "" && key.Border.VPC != "" {
		return fmt.Errorf("a border is behind a NAT gateway or between networks, not both (%s and %s)", key.Border.NAT, key.Border.VPC)
	}
	if !slices.Contains(key.Border.Keys(), key) {
		return fmt.Errorf("the border %s has no list %s %s", key.Border, key.Direction, key.Family)
	}
	return nil
}
