package cloudfw

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"hash"
	"net/netip"
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
	sum := sha256.New()
	// The sets first, in their binary form: as text they would take most of the time.
	s.Books, s.Lists = slices.Clone(s.Books), slices.Clone(s.Lists)
	for i := range s.Books {
		s.Books[i].Prefixes = hashed(sum, s.Books[i].Prefixes)
	}
	for i := range s.Lists {
		s.Lists[i].Prefixes = hashed(sum, s.Lists[i].Prefixes)
	}
	text, err := json.Marshal(s)
	if err != nil {
		panic("cloudfw: a snapshot is plain data and always marshals: " + err.Error())
	}
	sum.Write(text)
	return hex.EncodeToString(sum.Sum(nil))
}

// hashed writes a set with its length in front, and returns nothing.
func hashed(sum hash.Hash, set []netip.Prefix) []netip.Prefix {
	text := make([]byte, 0, 8+18*len(set))
	text = binary.BigEndian.AppendUint64(text, uint64(len(set)))
	for _, p := range set {
		at := len(text)
		text = append(text, 0)
		text, _ = p.AppendBinary(text) // never an error
		text[at] = byte(len(text) - at)
	}
	sum.Write(text)
	return nil
}

// List returns the rules of one list in their order.
func (s Snapshot) List(key ListKey) []FirewallRule {
	n := 0
	for i := range s.Rules {
		if s.Rules[i].Key() == key {
			n++
		}
	}
	if n == 0 {
		return nil
	}
	list := make([]FirewallRule, 0, n)
	for i := range s.Rules {
		if s.Rules[i].Key() == key {
			list = append(list, s.Rules[i])
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
	for i := range s.Rules {
		if key := s.Rules[i].Key(); !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}
