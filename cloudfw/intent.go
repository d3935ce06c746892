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
}

// Exempt is a prefix that must never be blocked, with the reason.
type Exempt struct {
	Prefix netip.Prefix
	Reason string
}

// TargetKind says which enforcement point a target is.
type TargetKind string

// The targets that fwsync drives.
const (
	InternetFirewall    TargetKind = "internet-firewall"
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
	GroupID  string // security groups only
	Via      Via    // security groups only
	Capacity int    // security groups only: blocked addresses at the most; a fifth is for IPv6
}

// Name identifies the target in plans and messages.
func (t Target) Name() string {
	if t.Kind == SecurityGroupTarget {
		return string(t.Kind) + " " + t.GroupID
	}
	return string(t.Kind)
}
