package cloudfw

import "net/netip"

// AddressBook is a named set of addresses of one family that rules refer to by
// name. Books of other types (domain, port, tag) are not observed.
type AddressBook struct {
	ID          string         `json:"id,omitempty"`
	Name        string         `json:"name"`
	Family      Family         `json:"family"`
	Description string         `json:"description"`
	Prefixes    []netip.Prefix `json:"prefixes"` // sorted, no duplicates
	References  int            `json:"references,omitempty"`
}

// PrefixList is an ECS prefix list. MaxEntries is fixed when it is made, and a
// security group that refers to it pays that number, not its present length
// (reference §3.1).
type PrefixList struct {
	ID          string         `json:"id,omitempty"`
	Name        string         `json:"name"`
	Family      Family         `json:"family"`
	MaxEntries  int            `json:"max_entries"`
	Description string         `json:"description"`
	Prefixes    []netip.Prefix `json:"prefixes"` // sorted, no duplicates
}

// SecurityGroup is an ECS security group with its rules.
type SecurityGroup struct {
	ID      string      `json:"id"`
	Name    string      `json:"name"`
	VPC     string      `json:"vpc,omitempty"`
	Managed bool        `json:"managed,omitempty"` // by a service of the vendor: left alone
	Rules   []GroupRule `json:"rules"`
}

// GroupRule is one rule of a security group. The smallest Priority (1 to 100)
// wins; at equal priority drop wins (reference §3.1).
type GroupRule struct {
	ID          string    `json:"id,omitempty"`
	Direction   Direction `json:"direction"`
	Action      Action    `json:"action"`
	Protocol    Protocol  `json:"protocol"`
	Ports       PortRange `json:"ports"`
	Peer        Peer      `json:"peer"`
	Priority    int       `json:"priority"`
	Description string    `json:"description"`
}

// Same reports whether two rules are the same but for their identity.
func (r GroupRule) Same(o GroupRule) bool {
	r.ID, o.ID = "", ""
	return r == o
}

// Asset is a public address of the account, as the cloud lists it: never blocked.
type Asset struct {
	Address netip.Addr `json:"address"`
	Name    string     `json:"name,omitempty"`
}
