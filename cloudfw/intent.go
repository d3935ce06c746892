package cloudfw

import (
	"net/netip"
	"slices"
	"time"
)

// Intent is what must be true: the declared rules and the active blocks, merged
// and checked. It knows addresses and ports but no books, positions or limits.
type Intent struct {
	Owner   Owner
	Rules   []Rule   // declared, first match wins
	Blocked []Block  // one per prefix, highest score first, ties by address
	Allowed []Exempt // never to be blocked, whoever asks
	Targets []Target

	Collateral Collateral
}

// Collateral is what may be blocked that nobody asked to block, where a target has
// no room for all blocks otherwise. It holds for each family and each set of places
// by itself: the books that the firewalls share, each security group. The zero value
// allows nothing.
type Collateral struct {
	Innocents  int // IPv4 addresses, or IPv6 networks of 64 bits; 0 means none
	WidestIPv4 int // fewest bits of a covering prefix; 0 means 24
	WidestIPv6 int // likewise; 0 means 64
}

// Rule is one declared rule.
type Rule struct {
	Name        string
	Direction   Direction
	From, To    Side
	Protocol    Protocol
	Ports       []PortRange // empty means every port
	Application string      // upper case, "ANY" when it does not matter
	Action      Action
	Declared    string // file:line of the declaration, for messages
	// Validity is when the firewall itself shall enforce the rule. Security groups know
	// none, and take no declared rules either.
	Validity Validity `json:",omitzero"`
}

// Side is one side of a declared rule. Exactly one of Any, Blocked and a
// non-empty Prefixes holds.
type Side struct {
	Any      bool
	Blocked  bool   // the blocked addresses of the moment
	Group    string // the name of the group that Prefixes came from; empty for literals
	Prefixes []netip.Prefix
}

// Of returns the side's prefixes of one family; for Any, the whole family.
func (s Side) Of(f Family) []netip.Prefix {
	if s.Any {
		return []netip.Prefix{f.Everything()}
	}
	var ps []netip.Prefix
	for _, p := range s.Prefixes {
		if FamilyOf(p) == f {
			ps = append(ps, p)
		}
	}
	return ps
}

// Covers reports whether the side holds the address. Blocked sides are asked
// through Intent.Blocked, not here, and answer false.
func (s Side) Covers(a netip.Addr) bool {
	return s.Any || slices.ContainsFunc(s.Prefixes, func(p netip.Prefix) bool { return p.Contains(a) })
}

// Block is one prefix that must be blocked until a time.
type Block struct {
	Prefix    netip.Prefix
	Until     time.Time // zero: until a person takes it back
	Score     int       // higher is worse; decides who stays when a target is full
	Reason    string
	Decisions []int64 // the ledger's decisions behind it
	Lapses    bool    `json:",omitzero"` // the firewall itself shall end it too, at the half hour that is not before Until
}

// Exempt is a prefix that must never be blocked, with the reason.
type Exempt struct {
	Prefix netip.Prefix
	Reason string
}

// NeedsBlockedBooks reports whether a firewall among the targets has to hold the
// blocked addresses: the internet firewall always, another one when it takes a rule
// that names them.
func (i Intent) NeedsBlockedBooks() bool {
	return slices.ContainsFunc(i.Targets, func(t Target) bool {
		return t.Kind == InternetFirewall || t.Firewall() && slices.ContainsFunc(i.Rules, func(r Rule) bool {
			return (r.From.Blocked || r.To.Blocked) && t.Takes(r)
		})
	})
}

// TargetKind says which enforcement point a target is.
type TargetKind string

// The targets that fwsync drives.
const (
	InternetFirewall    TargetKind = "internet-firewall"
	NATFirewall         TargetKind = "nat-firewall"
	VPCFirewall         TargetKind = "vpc-firewall"
	SecurityGroupTarget TargetKind = "security-group"
)

// Via says how a security group holds blocked addresses.
type Via string

// A prefix list costs its whole size in rules of the group but is edited in one
// call; direct rules cost what they hold and go out in batches.
const (
	ViaPrefixList Via = "prefix-list"
	ViaRules      Via = "rules"
)

// Target is one declared enforcement point.
type Target struct {
	Kind     TargetKind
	Cloud    string   // the configured cloud it is in; empty when there is only one
	Border   Border   // firewalls only; the zero value is the internet border
	Rules    []string // NAT and VPC firewalls only: the names of the rules they take; empty means all
	GroupID  string   // security groups only
	Via      Via      // security groups only
	Capacity int      // security groups only: blocked addresses at the most; a fifth is for IPv6
}

// Firewall reports whether the target is a firewall with ordered rules.
func (t Target) Firewall() bool { return t.Kind != SecurityGroupTarget }

// Takes reports whether a firewall enforces the rule: its border sees traffic of
// the rule's direction, and it was not told to take only others.
func (t Target) Takes(r Rule) bool {
	return t.Firewall() && (len(t.Rules) == 0 || slices.Contains(t.Rules, r.Name)) &&
		slices.ContainsFunc(t.Border.Keys(), func(k ListKey) bool { return k.Direction == r.Direction })
}

// Name identifies the target within its cloud, in plans and messages.
func (t Target) Name() string {
	if t.Kind == SecurityGroupTarget {
		return string(t.Kind) + " " + t.GroupID
	}
	return t.Border.Firewall()
}
