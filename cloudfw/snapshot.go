package cloudfw

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"
)

// Scope says what to observe. The internet border, the books and the assets are
// always read; NAT and VPC borders and security groups only when they are named.
type Scope struct {
	Borders []Border
	Groups  []string
}

// Keys are the ordered lists within the scope, the internet border's first.
func (s Scope) Keys() []ListKey {
	keys := Border{}.Keys()
	for _, b := range s.Borders {
		if b.Kind() != InternetBorder {
			keys = append(keys, b.Keys()...)
		}
	}
	return keys
}

// Snapshot is everything observed of one account at one time.
type Snapshot struct {
	TakenAt time.Time       `json:"taken_at"`
	Books   []AddressBook   `json:"books"`
	Rules   []FirewallRule  `json:"rules"` // by list, then order
	Groups  []SecurityGroup `json:"groups"`
	Lists   []PrefixList    `json:"lists"`
	Assets  []Asset         `json:"assets"`
	Strict  bool            `json:"strict,omitempty"` // the internet border drops what it cannot identify (reference §2.1, advanced config)
}

// Sort puts every part into its canonical order, in place.
func (s *Snapshot) Sort() {
	slices.SortFunc(s.Books, func(a, b AddressBook) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	slices.SortFunc(s.Rules, func(a, b FirewallRule) int {
		return cmp.Or(cmp.Compare(a.Border.String(), b.Border.String()), cmp.Compare(a.Direction, b.Direction), cmp.Compare(a.Family, b.Family), cmp.Compare(a.Order, b.Order))
	})
	slices.SortFunc(s.Groups, func(a, b SecurityGroup) int { return cmp.Compare(a.ID, b.ID) })
	for i := range s.Groups {
		slices.SortFunc(s.Groups[i].Rules, func(a, b GroupRule) int { return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.ID, b.ID)) })
	}
	slices.SortFunc(s.Lists, func(a, b PrefixList) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	slices.SortFunc(s.Assets, func(a, b Asset) int { return a.Address.Compare(b.Address) })
}

// Fingerprint identifies the observed state: two snapshots of an unchanged account
// have the same one, whenever they were taken. Call it on a sorted snapshot.
func (s Snapshot) Fingerprint() string {
	s.TakenAt = time.Time{}
	text, err := json.Marshal(s)
	if err != nil {
		panic("cloudfw: a snapshot is plain data and always marshals: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// List returns the rules of one list in their order.
func (s Snapshot) List(key ListKey) []FirewallRule {
	var list []FirewallRule
	for _, r := range s.Rules {
		if r.Key() == key {
			list = append(list, r)
		}
	}
	return list
}

// Book returns the book of that name. Names are unique in an account
// (ErrorAddressGroupExist, reference §2.4).
func (s Snapshot) Book(name string) (AddressBook, bool) {
	for _, b := range s.Books {
		if b.Name == name {
			return b, true
		}
	}
	return AddressBook{}, false
}

// Group returns the observed security group of that id.
func (s Snapshot) Group(id string) (SecurityGroup, bool) {
	for _, g := range s.Groups {
		if g.ID == id {
			return g, true
		}
	}
	return SecurityGroup{}, false
}

// Keys are the lists of the rules observed, the internet border's four first.
func (s Snapshot) Keys() []ListKey {
	keys := Border{}.Keys()
	for _, r := range s.Rules {
		if !slices.Contains(keys, r.Key()) {
			keys = append(keys, r.Key())
		}
	}
	return keys
}
