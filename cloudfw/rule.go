package cloudfw

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Direction is seen from the account: In is traffic from the internet.
type Direction string

// The directions. Between is the traffic among the account's own networks, which a
// VPC border sees; its lists know no other.
const (
	In      Direction = "in"
	Out     Direction = "out"
	Between Direction = "between"
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

// The kinds of peers. Domain is a destination of outbound and VPC rules, Location a
// source of inbound or a destination of outbound ones (reference §2.1).
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

// FirewallRule is one control policy of a border, live or wanted. Lists are first
// match wins; without a match traffic passes (reference §2).
type FirewallRule struct {
	ID          string    `json:"id,omitempty"`    // the vendor's AclUuid; empty in a wanted rule
	Order       int       `json:"order,omitempty"` // position, 1 is highest; 0 in a wanted rule
	Border      Border    `json:"border,omitzero"`
	Direction   Direction `json:"direction"`
	Family      Family    `json:"family"`
	Action      Action    `json:"action"`
	Source      Peer      `json:"source"`
	Destination Peer      `json:"destination"`
	Protocol    Protocol  `json:"protocol"`
	Ports       PortRange `json:"ports"`
	PortBook    string    `json:"port_book,omitempty"` // instead of Ports
	Application string    `json:"application"`         // upper case, "ANY" when it does not matter, several joined by "," in alphabetical order
	Resolve     Resolve   `json:"resolve,omitempty"`   // how a domain is matched; empty without one
	Description string    `json:"description"`
	Disabled    bool      `json:"disabled,omitempty"`
	Validity    Validity  `json:"validity,omitzero"`

	// What only a live rule has. It says nothing about what the rule does, so two
	// rules that differ in it are the same, and a fingerprint leaves the hits out.
	Cost    int       `json:"cost,omitempty"` // spread units as the vendor counts them (reference §2.2)
	Hits    int64     `json:"-"`              // packets or sessions that matched, as the vendor counts them
	LastHit time.Time `json:"-"`              // zero: never
}

// Resolve says how a rule with a domain as destination finds its addresses.
type Resolve string

// The ways (reference §2.1, DomainResolveType).
const (
	ByName       Resolve = "fqdn"         // the name in the traffic itself
	ByDNS        Resolve = "dns"          // the addresses the name resolves to
	ByNameAndDNS Resolve = "fqdn-and-dns" // both
)

// Key is the list that the rule belongs to.
func (r FirewallRule) Key() ListKey { return ListKey{r.Border, r.Direction, r.Family} }

// Same reports whether two rules are the same but for identity, position and cost,
// however their parts are spelled.
func (r FirewallRule) Same(o FirewallRule) bool {
	if r.Description != o.Description || r.Key() != o.Key() || r.Action != o.Action || r.Protocol != o.Protocol {
		return false // the spellings need no look
	}
	return r.Canonical() == o.Canonical()
}

// Canonical is the rule in its one spelling, without what only a live one has. Two rules
// are the same when their canonical forms are equal.
func (r FirewallRule) Canonical() FirewallRule {
	r.ID, r.Order, r.Cost, r.Hits, r.LastHit = "", 0, 0, 0, time.Time{}
	r.Source, r.Destination = r.Source.canonical(), r.Destination.canonical()
	if r.Ports.AllPorts() {
		r.Ports = PortRange{}
	}
	if r.Application = cmp.Or(r.Application, "ANY"); strings.Contains(r.Application, ",") {
		names := strings.Split(r.Application, ",")
		slices.Sort(names)
		r.Application = strings.Join(slices.Compact(names), ",")
	}
	r.Validity.Start, r.Validity.End = r.Validity.Start.UTC(), r.Validity.End.UTC()
	return r
}

// canonical is the peer with a network as its masked prefix.
func (p Peer) canonical() Peer {
	if p.Kind == Net && !strings.HasSuffix(p.Value, "/0") {
		if prefix, err := ParsePrefix(p.Value); err == nil {
			p.Value = prefix.String()
		}
	}
	return p
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
	text := fmt.Sprintf("%s %s %s from %s to %s", r.Direction, r.Action, service, r.Source, r.Destination)
	if !r.Validity.Permanent() {
		text += ", " + string(r.Validity.Repeat)
		if !r.Validity.End.IsZero() {
			text += " until " + r.Validity.End.UTC().Format(time.RFC3339)
		}
	}
	return text
}
