package cloudfw

import (
	"fmt"
	"strings"
)

// BorderKind says where a firewall stands.
type BorderKind string

// The three borders of the Cloud Firewall (reference §2.1, §2.5, §2.6).
const (
	InternetBorder BorderKind = "internet" // public addresses of the account; one per account
	NATBorder      BorderKind = "nat"      // one per NAT gateway; outbound IPv4 only
	VPCBorder      BorderKind = "vpc"      // one per ACL group; traffic between networks, read as IPv4
)

// Border is one firewall with lists of its own. The zero value is the internet
// border.
type Border struct {
	NAT string `json:"nat,omitempty"` // id of the NAT gateway
	VPC string `json:"vpc,omitempty"` // id of the ACL group: a cen-… or vfw-… id
}

// Kind is the kind of the border.
func (b Border) Kind() BorderKind {
	switch {
	case b.NAT != "":
		return NATBorder
	case b.VPC != "":
		return VPCBorder
	}
	return InternetBorder
}

// String is "internet", "nat ngw-…" or "vpc cen-…".
func (b Border) String() string {
	return strings.TrimSpace(string(b.Kind()) + " " + b.NAT + b.VPC)
}

// Firewall is the name of the border's firewall as a target, such as
// "internet-firewall" or "nat-firewall ngw-…".
func (b Border) Firewall() string {
	return strings.TrimSpace(string(b.Kind()) + "-firewall " + b.NAT + b.VPC)
}

// Keys are the ordered lists that the border has, in the order in which fwsync
// reads and plans them.
func (b Border) Keys() []ListKey {
	switch b.Kind() {
	case NATBorder:
		return []ListKey{{b, Out, IPv4}}
	case VPCBorder:
		return []ListKey{{b, Between, IPv4}}
	}
	return []ListKey{{b, In, IPv4}, {b, In, IPv6}, {b, Out, IPv4}, {b, Out, IPv6}}
}

// ListKey names one ordered list of rules: at the internet border each direction
// and family has its own sequence of positions (reference §2.1), the other borders
// have one list each (§2.5, §2.6).
type ListKey struct {
	Border    Border    `json:"border,omitzero"`
	Direction Direction `json:"direction"`
	Family    Family    `json:"family"`
}

// String is "in ipv4", "nat ngw-… out ipv4" and so on; the internet border goes
// without saying.
func (k ListKey) String() string {
	list := string(k.Direction) + " " + string(k.Family)
	if k.Border.Kind() == InternetBorder {
		return list
	}
	return fmt.Sprintf("%s %s", k.Border, list)
}
