package simulator

import (
	"fmt"
	"slices"
)

// StateVersion is the version of the State format that this package writes.
const StateVersion = 1

// State is everything the simulated account holds. It is the state file format
// too, made to be edited by hand: ids may be left out and are then given, and
// the orders of one policy list may all be left out and then follow the file.
type State struct {
	Version        int           `json:"version"`
	AccountID      string        `json:"accountId"`
	Serial         int64         `json:"serial"`         // last number used in an id
	InternetSwitch string        `json:"internetSwitch"` // strict mode, "on" or "off"
	AddressBooks   []AddressBook `json:"addressBooks"`
	// Policies are those of all borders, sorted by border (internet, NAT, VPC),
	// gateway or ACL group, direction, IP version, order.
	Policies       []Policy        `json:"policies"`
	Assets         []Asset         `json:"assets"`
	SecurityGroups []SecurityGroup `json:"securityGroups"`
	PrefixLists    []PrefixList    `json:"prefixLists"`
	// What follows is left out of the file when it is empty.
	NATGateways  []NATGateway  `json:"natGateways,omitempty"`
	VPCFirewalls []VPCFirewall `json:"vpcFirewalls,omitempty"`
	RiskEvents   []RiskEvent   `json:"riskEvents,omitempty"`
	InvadeEvents []InvadeEvent `json:"invadeEvents,omitempty"`
	Roles        []Role        `json:"roles,omitempty"`

	shared bool // Policies belong to an older state too, see ownPolicies
}

// draft returns a copy that may be edited as long as what its top-level slices
// point to is replaced, never written through: readers hold the old state. Its
// policies are shared until ownPolicies.
func (s *State) draft() *State {
	d := *s
	d.AddressBooks = slices.Clone(s.AddressBooks)
	d.shared = true
	d.Assets = slices.Clone(s.Assets)
	d.SecurityGroups = slices.Clone(s.SecurityGroups)
	d.PrefixLists = slices.Clone(s.PrefixLists)
	d.NATGateways = slices.Clone(s.NATGateways)
	d.VPCFirewalls = slices.Clone(s.VPCFirewalls)
	d.RiskEvents = slices.Clone(s.RiskEvents)
	d.InvadeEvents = slices.Clone(s.InvadeEvents)
	d.Roles = slices.Clone(s.Roles)
	return &d
}

// clone returns a deep copy.
func (s *State) clone() State {
	d := s.draft()
	d.ownPolicies()
	for i := range d.AddressBooks {
		b := &d.AddressBooks[i]
		b.Addresses, b.Tags = slices.Clone(b.Addresses), slices.Clone(b.Tags)
		b.AckNamespaces, b.AckLabels = slices.Clone(b.AckNamespaces), slices.Clone(b.AckLabels)
		b.AssetMemberUIDs = slices.Clone(b.AssetMemberUIDs)
		b.AssetRegionResourceTypes = slices.Clone(b.AssetRegionResourceTypes)
	}
	for i := range d.Policies {
		p := &d.Policies[i]
		p.Applications, p.RepeatDays = slices.Clone(p.Applications), slices.Clone(p.RepeatDays)
	}
	for i := range d.SecurityGroups {
		g := &d.SecurityGroups[i]
		g.Rules, g.Tags = slices.Clone(g.Rules), slices.Clone(g.Tags)
	}
	for i := range d.PrefixLists {
		d.PrefixLists[i].Entries = slices.Clone(d.PrefixLists[i].Entries)
	}
	for i := range d.RiskEvents {
		e := &d.RiskEvents[i]
		e.SrcPrivateIPs, e.AssetIPs = slices.Clone(e.SrcPrivateIPs), slices.Clone(e.AssetIPs)
	}
	for i := range d.Roles {
		d.Roles[i].Trusted = slices.Clone(d.Roles[i].Trusted)
	}
	return *d
}

// complete fills in what a hand-written state may leave out and sorts the policies.
func (s *State) complete() {
	if s.Version == 0 {
		s.Version = StateVersion
	}
	if s.AccountID == "" {
		s.AccountID = "1000000000000001"
	}
	if s.InternetSwitch == "" {
		s.InternetSwitch = "off"
	}
	for i := range s.NATGateways {
		if g := &s.NATGateways[i]; g.ID == "" {
			g.ID = s.newID("ngw-sim%06d")
		}
	}
	for i := range s.VPCFirewalls {
		if f := &s.VPCFirewalls[i]; f.ID == "" {
			f.ID = s.newID("cen-sim%06d")
		}
	}
	s.completeEvents()
	s.completePolicies()
	for i := range s.AddressBooks {
		if b := &s.AddressBooks[i]; b.UUID == "" {
			b.UUID = s.newBookID()
		}
	}
	for i := range s.SecurityGroups {
		g := &s.SecurityGroups[i]
		if g.ID == "" {
			g.ID = s.newID("sg-sim%06d")
		}
		if g.Rules == nil {
			g.Rules = []SecurityRule{}
		}
		for j := range g.Rules {
			r := &g.Rules[j]
			// A malformed rule stays as it is for check to report.
			_ = shapeRule(r)
			if r.ID == "" {
				r.ID = s.newRuleID()
			}
		}
	}
	for i := range s.PrefixLists {
		l := &s.PrefixLists[i]
		if l.ID == "" {
			l.ID = s.newID("pl-sim%06d")
		}
		if l.Entries == nil {
			l.Entries = []PrefixEntry{}
		}
	}
	if s.AddressBooks == nil {
		s.AddressBooks = []AddressBook{}
	}
	if s.Policies == nil {
		s.Policies = []Policy{}
	}
	if s.Assets == nil {
		s.Assets = []Asset{}
	}
	if s.SecurityGroups == nil {
		s.SecurityGroups = []SecurityGroup{}
	}
	if s.PrefixLists == nil {
		s.PrefixLists = []PrefixList{}
	}
}

func (s *State) completePolicies() {
	ordered := map[listKey]bool{}
	for i := range s.Policies {
		p := &s.Policies[i]
		p.complete()
		if p.Order != 0 {
			ordered[p.list()] = true
		}
	}
	last := map[listKey]int{}
	for i := range s.Policies {
		p := &s.Policies[i]
		if k := p.list(); !ordered[k] {
			last[k]++
			p.Order = last[k]
		}
		if p.UUID == "" {
			p.UUID = s.newPolicyID()
		}
	}
	s.sortPolicies()
}

// newID returns the next unused id. format takes the serial number.
func (s *State) newID(format string) string {
	for {
		s.Serial++
		if id := fmt.Sprintf(format, s.Serial); !s.taken(id) {
			return id
		}
	}
}

func (s *State) newPolicyID() string { return s.newID("ac100000-0000-4000-8000-%012d") }
func (s *State) newBookID() string   { return s.newID("b0000000-0000-4000-8000-%012d") }
func (s *State) newRuleID() string   { return s.newID("sgr-sim%06d") }

// taken tells whether a hand-edited state uses id already.
func (s *State) taken(id string) bool {
	return s.policyIndex(id) >= 0 ||
		slices.ContainsFunc(s.AddressBooks, func(b AddressBook) bool { return b.UUID == id }) ||
		slices.ContainsFunc(s.PrefixLists, func(l PrefixList) bool { return l.ID == id }) ||
		slices.ContainsFunc(s.NATGateways, func(g NATGateway) bool { return g.ID == id }) ||
		slices.ContainsFunc(s.VPCFirewalls, func(f VPCFirewall) bool { return f.ID == id }) ||
		slices.ContainsFunc(s.RiskEvents, func(e RiskEvent) bool { return e.ID == id }) ||
		slices.ContainsFunc(s.InvadeEvents, func(e InvadeEvent) bool { return e.Key == id }) ||
		slices.ContainsFunc(s.SecurityGroups, func(g SecurityGroup) bool {
			return g.ID == id || slices.ContainsFunc(g.Rules, func(r SecurityRule) bool { return r.ID == id })
		})
}
