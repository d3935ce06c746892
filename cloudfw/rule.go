package cloudfw

import (
	"fmt"
	"strconv"
	"strings"
)

// Direction is seen from the account: In is traffic from the internet.
type Direction string

// The two directions.
const (
	In  Direction = "in"
	Out Direction = "out"
)

// Action is what a matching rule does.
type Action string

// The actions. Log lets the traffic pass and records it (reference §2.1).
const (
	Accept Action = "accept"
	Drop   Action = "drop"
	Log    Action = "log"
)

// Protocol is the IP protocol of a rule.
type Protocol string

// The protocols of the internet firewall; security groups know more, which are
// kept as their lower-case vendor names.
const (
	AnyProtocol Protocol = "any"
	TCP         Protocol = "tcp"
	UDP         Protocol = "udp"
	ICMP        Protocol = "icmp"
)

// PortRange is a closed range of ports. The zero value means every port.
type PortRange struct{ First, Last uint16 }

// AllPorts reports whether the range holds every port.
func (r PortRange) AllPorts() bool {
	return r == PortRange{} || r.First <= 1 && r.Last == 65535
}

// String is "25", "6000-6100" or "any".
func (r PortRange) String() string {
	switch {
	case r.AllPorts():
		return "any"
	case r.First == r.Last:
		return strconv.Itoa(int(r.First))
	default:
		return fmt.Sprintf("%d-%d", r.First, r.Last)
	}
}

// ParsePortRange reads what String writes, and "a/b" as well.
func ParsePortRange(text string) (PortRange, error) {
	if text == "any" || text == "" {
		return PortRange{}, nil
	}
	first, last, ranged := strings.Cut(strings.ReplaceAll(text, "/", "-"), "-")
	if !ranged {
		last = first
	}
	a, errA := strconv.ParseUint(first, 10, 16)
	b, errB := strconv.ParseUint(last, 10, 16)
	if errA != nil || errB != nil || a > b || b > 0 && a == 0 && ranged && b != 65535 {
		return PortRange{}, fmt.Errorf("%q is not a port or a range of ports between 1 and 65535", text)
	}
	r := PortRange{uint16(a), uint16(b)}
	if r.AllPorts() {
		return PortRange{}, nil
	}
	return r, nil
}

// MarshalText and UnmarshalText make ranges readable in plan files.
func (r PortRange) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (r *PortRange) UnmarshalText(text []byte) error {
	parsed, err := ParsePortRange(string(text))
	*r = parsed
	return err
}

// PeerKind says how a rule names one side of the traffic.
type PeerKind string

// The kinds of peers. Only Net and Book are written by fwsync; the others are met
// in rules of other people.
const (
	Net      PeerKind = "net"      // Value is a canonical CIDR
	Book     PeerKind = "book"     // Value is the name of an address book
	Domain   PeerKind = "domain"   // Value is a domain name
	Location PeerKind = "location" // Value is the vendor's list of regions
	Group    PeerKind = "group"    // Value is a security group id
	List     PeerKind = "list"     // Value is the id of a prefix list
)

// Peer is one side of a rule.
type Peer struct {
	Kind  PeerKind `json:"kind"`
	Value string   `json:"value"`
}

// String is the value, with the kind in front unless it is a network.
func (p Peer) String() string {
	if p.Kind == Net {
		return p.Value
	}
	return string(p.Kind) + ":" + p.Value
}

// ListKey names one of the internet firewall's ordered lists: each direction and
// family has its own sequence of positions (reference §2.1).
type ListKey struct {
	Direction Direction `json:"direction"`
	Family    Family    `json:"family"`
}

// String is "in ipv4" and so on.
func (k ListKey) String() string { return string(k.Direction) + " " + string(k.Family) }

// FirewallRule is one control policy of the internet firewall, live or wanted.
// Lists are first match wins; without a match traffic passes (reference §2).
type FirewallRule struct {
	ID          string    `json:"id,omitempty"`    // the vendor's AclUuid; empty in a wanted rule
	Order       int       `json:"order,omitempty"` // position, 1 is highest; 0 in a wanted rule
	Direction   Direction `json:"direction"`
	Family      Family    `json:"family"`
	Action      Action    `json:"action"`
	Source      Peer      `json:"source"`
	Destination Peer      `json:"destination"`
	Protocol    Protocol  `json:"protocol"`
	Ports       PortRange `json:"ports"`
	PortBook    string    `json:"port_book,omitempty"` // instead of Ports; never written by fwsync
	Application string    `json:"application"`         // upper case, "ANY" when it does not matter, several joined by ","
	Description string    `json:"description"`
	Disabled    bool      `json:"disabled,omitempty"`
	Temporary   bool      `json:"temporary,omitempty"` // has a validity time; never written by fwsync
	Cost        int       `json:"cost,omitempty"`      // spread units as the vendor counts them (reference §2.2); live only
}

// Key is the list that the rule belongs to.
func (r FirewallRule) Key() ListKey { return ListKey{r.Direction, r.Family} }

// Same reports whether two rules are the same but for identity, position and cost.
func (r FirewallRule) Same(o FirewallRule) bool {
	r.ID, r.Order, r.Cost = "", 0, 0
	o.ID, o.Order, o.Cost = "", 0, 0
	return r == o
}

// String is the rule in one line, for people.
func (r FirewallRule) String() string {
	service := string(r.Protocol)
	if r.PortBook != "" {
		service += " ports " + r.PortBook
	} else if !r.Ports.AllPorts() {
		service += " " + r.Ports.String()
	}
	if r.Application != "ANY" && r.Application != "" {
		service += " " + r.Application
	}
	return fmt.Sprintf("%s %s %s from %s to %s", r.Direction, r.Action, service, r.Source, r.Destination)
}
