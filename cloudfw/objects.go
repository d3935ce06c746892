package cloudfw

import "net/netip"

// BookType says what a book holds.
type BookType string

// The types that fwsync knows; others are kept as the vendor names them. The zero
// value is Addresses (reference §2.4).
const (
	Addresses   BookType = ""       // prefixes of one family
	DomainNames BookType = "domain" // names, "*." in front for whatever is below
	PortRanges  BookType = "port"   // ports and ranges
	Tagged      BookType = "tag"    // whatever bears the tags, resolved by the vendor
)

// AddressBook is a named set that rules refer to by name. Names are unique in an
// account over all types (ErrorAddressGroupExist, reference §2.4).
type AddressBook struct {
	ID          string         `json:"id,omitempty"`
	Name        string         `json:"name"`
	Type        BookType       `json:"type,omitempty"`
	Family      Family         `json:"family,omitempty"` // of Addresses only
	Description string         `json:"description"`
	Prefixes    []netip.Prefix `json:"prefixes"`          // of Addresses only: sorted, no duplicates
	Entries     []string       `json:"entries,omitempty"` // of the other types: sorted, as the vendor spells them
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

	Enterprise bool `json:"enterprise,omitempty"` // an advanced group: its members do not reach each other unless a rule says so
	Isolated   bool `json:"isolated,omitempty"`   // a basic group whose members do not reach each other (InnerAccessPolicy Drop)
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

// Alike reports whether two rules do the same, whatever their descriptions say. The
// vendor takes rules that are alike for one rule (reference §3.1).
func (r GroupRule) Alike(o GroupRule) bool {
	r.Description, o.Description = "", ""
	return r.Same(o)
}

// Asset is a public address of the account, as the cloud lists it: never blocked.
type Asset struct {
	Address netip.Addr `json:"address"`
	Name    string     `json:"name,omitempty"`
}
