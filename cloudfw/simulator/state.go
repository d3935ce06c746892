package simulator

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
)

// StateVersion is the version of the State format that this package writes.
const StateVersion = 1

// State is everything the simulated account holds. It is the state file format
// too, made to be edited by hand: ids may be left out and are then given, and
// the orders of one policy list may all be left out and then follow the file.
type State struct {
	Version        int             `json:"version"`
	AccountID      string          `json:"accountId"`
	Serial         int64           `json:"serial"`         // last number used in an id
	InternetSwitch string          `json:"internetSwitch"` // strict mode, "on" or "off"
	AddressBooks   []AddressBook   `json:"addressBooks"`
	Policies       []Policy        `json:"policies"` // sorted by direction, IP version, order
	Assets         []Asset         `json:"assets"`
	SecurityGroups []SecurityGroup `json:"securityGroups"`
	PrefixLists    []PrefixList    `json:"prefixLists"`
}

// Policy is one internet border policy (reference §2.1). Times are unix seconds.
type Policy struct {
	UUID              string   `json:"uuid,omitempty"`
	Direction         string   `json:"direction"`           // in | out
	IPVersion         int      `json:"ipVersion,omitempty"` // 4 (also 0) | 6
	Order             int      `json:"order,omitempty"`     // 1 is the highest priority
	Action            string   `json:"action"`              // accept | drop | log
	SourceType        string   `json:"sourceType"`
	Source            string   `json:"source"` // CIDR, book name or JSON array of regions
	DestinationType   string   `json:"destinationType"`
	Destination       string   `json:"destination"`
	Proto             string   `json:"proto"`
	Applications      []string `json:"applications,omitempty"` // ApplicationNameList
	Application       string   `json:"application,omitempty"`  // ApplicationName, unused beside Applications
	DestPortType      string   `json:"destPortType,omitempty"` // port (also empty) | group
	DestPort          string   `json:"destPort,omitempty"`     // empty reads back as 0/0
	DestPortGroup     string   `json:"destPortGroup,omitempty"`
	Description       string   `json:"description"`
	Disabled          bool     `json:"disabled,omitempty"` // Release=false
	DomainResolveType string   `json:"domainResolveType,omitempty"`
	RepeatType        string   `json:"repeatType,omitempty"` // empty is Permanent
	RepeatDays        []int    `json:"repeatDays,omitempty"`
	RepeatStartTime   string   `json:"repeatStartTime,omitempty"`
	RepeatEndTime     string   `json:"repeatEndTime,omitempty"`
	StartTime         int64    `json:"startTime,omitempty"`
	EndTime           int64    `json:"endTime,omitempty"`
	CreateTime        int64    `json:"createTime,omitempty"`
	ModifyTime        int64    `json:"modifyTime,omitempty"`
	HitTimes          int64    `json:"hitTimes,omitempty"`
	HitLastTime       int64    `json:"hitLastTime,omitempty"`
}

// AddressBook is one address book (reference §2.3, §2.4).
type AddressBook struct {
	UUID        string `json:"uuid,omitempty"`
	Name        string `json:"name"`
	Type        string `json:"type"` // ip | ipv6 | domain | port | tag | ack | asset | assetIpv6 | threat | allCloud
	Description string `json:"description"`
	// Addresses are the entries; a note may follow the address after a space.
	Addresses                []string        `json:"addresses,omitempty"`
	Tags                     []Tag           `json:"tags,omitempty"`
	TagRelation              string          `json:"tagRelation,omitempty"`
	AutoAddTagECS            bool            `json:"autoAddTagEcs,omitempty"`
	AssetMemberUIDs          json.RawMessage `json:"assetMemberUids,omitempty"`
	AssetRegionResourceTypes json.RawMessage `json:"assetRegionResourceTypes,omitempty"`
}

// Tag is a key and a value.
type Tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Asset is one public address of the account (reference §2.7).
type Asset struct {
	InternetAddress    string `json:"internetAddress"`
	IntranetAddress    string `json:"intranetAddress,omitempty"`
	Name               string `json:"name,omitempty"`
	RegionID           string `json:"regionId"`
	ResourceType       string `json:"resourceType"`
	ResourceInstanceID string `json:"resourceInstanceId,omitempty"`
	BindInstanceID     string `json:"bindInstanceId,omitempty"`
	ProtectStatus      string `json:"protectStatus"` // open | opening | closed | closing
}

// SecurityGroup is one ECS security group with its rules (reference §3.1).
type SecurityGroup struct {
	ID              string         `json:"id,omitempty"`
	Name            string         `json:"name"`
	Description     string         `json:"description,omitempty"`
	VPCID           string         `json:"vpcId"`
	Type            string         `json:"type"` // normal | enterprise
	ResourceGroupID string         `json:"resourceGroupId,omitempty"`
	ServiceManaged  bool           `json:"serviceManaged,omitempty"`
	InnerAccess     string         `json:"innerAccess,omitempty"` // Accept (also empty) | Drop
	CreationTime    string         `json:"creationTime,omitempty"`
	Tags            []Tag          `json:"tags,omitempty"`
	Rules           []SecurityRule `json:"rules"`
}

// SecurityRule is one rule of a security group. Peer fields that do not apply are empty.
type SecurityRule struct {
	ID                 string `json:"id,omitempty"`
	Direction          string `json:"direction"`          // ingress | egress
	Protocol           string `json:"protocol"`           // TCP | UDP | ICMP | ICMPv6 | GRE | ALL
	PortRange          string `json:"portRange"`          // 22/22, or -1/-1 without ports
	Policy             string `json:"policy,omitempty"`   // Accept (also empty) | Drop
	Priority           int    `json:"priority,omitempty"` // 1 (also 0) to 100, 1 is the highest
	SourceCIDR         string `json:"sourceCidr,omitempty"`
	IPv6SourceCIDR     string `json:"ipv6SourceCidr,omitempty"`
	SourceGroupID      string `json:"sourceGroupId,omitempty"`
	SourcePrefixListID string `json:"sourcePrefixListId,omitempty"`
	SourcePortRange    string `json:"sourcePortRange,omitempty"`
	DestCIDR           string `json:"destCidr,omitempty"`
	IPv6DestCIDR       string `json:"ipv6DestCidr,omitempty"`
	DestGroupID        string `json:"destGroupId,omitempty"`
	DestPrefixListID   string `json:"destPrefixListId,omitempty"`
	Description        string `json:"description,omitempty"`
	CreateTime         string `json:"createTime,omitempty"`
}

// PrefixList is one ECS prefix list (reference §3.2).
type PrefixList struct {
	ID           string        `json:"id,omitempty"`
	Name         string        `json:"name"`
	Description  string        `json:"description,omitempty"`
	Family       string        `json:"family"` // IPv4 | IPv6
	MaxEntries   int           `json:"maxEntries"`
	Entries      []PrefixEntry `json:"entries"`
	CreationTime string        `json:"creationTime,omitempty"`
}

// PrefixEntry is one CIDR of a prefix list.
type PrefixEntry struct {
	CIDR        string `json:"cidr"`
	Description string `json:"description,omitempty"`
}

// draft returns a copy that may be edited as long as what its top-level slices
// point to is replaced, never written through: readers hold the old state.
func (s *State) draft() *State {
	d := *s
	d.AddressBooks = slices.Clone(s.AddressBooks)
	d.Policies = slices.Clone(s.Policies)
	d.Assets = slices.Clone(s.Assets)
	d.SecurityGroups = slices.Clone(s.SecurityGroups)
	d.PrefixLists = slices.Clone(s.PrefixLists)
	return &d
}

// clone returns a deep copy.
func (s *State) clone() State {
	d := s.draft()
	for i := range d.AddressBooks {
		b := &d.AddressBooks[i]
		b.Addresses, b.Tags = slices.Clone(b.Addresses), slices.Clone(b.Tags)
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
	type list struct {
		direction string
		version   int
	}
	ordered := map[list]bool{}
	for i := range s.Policies {
		p := &s.Policies[i]
		p.complete()
		if p.Order != 0 {
			ordered[list{p.Direction, p.IPVersion}] = true
		}
	}
	last := map[list]int{}
	for i := range s.Policies {
		p := &s.Policies[i]
		if l := (list{p.Direction, p.IPVersion}); !ordered[l] {
			last[l]++
			p.Order = last[l]
		}
		if p.UUID == "" {
			p.UUID = s.newPolicyID()
		}
	}
	s.sortPolicies()
}

func (s *State) sortPolicies() {
	slices.SortStableFunc(s.Policies, func(a, b Policy) int {
		return cmp.Or(cmp.Compare(a.Direction, b.Direction), cmp.Compare(a.IPVersion, b.IPVersion), cmp.Compare(a.Order, b.Order))
	})
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
	return slices.ContainsFunc(s.Policies, func(p Policy) bool { return p.UUID == id }) ||
		slices.ContainsFunc(s.AddressBooks, func(b AddressBook) bool { return b.UUID == id }) ||
		slices.ContainsFunc(s.PrefixLists, func(l PrefixList) bool { return l.ID == id }) ||
		slices.ContainsFunc(s.SecurityGroups, func(g SecurityGroup) bool {
			return g.ID == id || slices.ContainsFunc(g.Rules, func(r SecurityRule) bool { return r.ID == id })
		})
}
