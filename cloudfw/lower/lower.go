// Package lower turns the intent into the vendor's own vocabulary: address books
// of bounded size, one control policy per source, destination and port range,
// prefix lists and security group rules of bounded number. It is pure; what must
// change to get there is sync/plan's business.
//
// Lowering looks at the live state for one reason only: an address stays in the
// book it is in, so that a change touches the books that hold the change and no
// others; a policy with an end keeps its beginning. For the same reason nothing is
// condensed while there is room: what is live stays as it is. When there is none, lossless aggregation comes first, then covering
// prefixes within the declared collateral, then eviction by score, each listed
// (promise P4).
package lower

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"fwsync/cloudfw"
)

// Wanted is everything that fwsync must own in the account.
type Wanted struct {
	Books   []cloudfw.AddressBook                      // blocked books first, then groups; by name within
	Rules   map[cloudfw.ListKey][]cloudfw.FirewallRule // highest first; IDs and orders empty
	Lists   []cloudfw.PrefixList
	Groups  []Group
	Shelved []Shelved

	Condensed []Condensed // by target, then family and prefix
	Endless   []Endless   // blocks that are to lapse and do not, at the firewalls
	Places    []Places    // firewalls first
}

// Keys are the ordered lists to compare: the internet border's four, then every
// other that wants rules or holds some.
func (w Wanted) Keys(live cloudfw.Snapshot) []cloudfw.ListKey {
	keys := live.Keys()
	for key := range w.Rules {
		if !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	internet := len(cloudfw.Border{}.Keys())
	slices.SortFunc(keys[internet:], func(a, b cloudfw.ListKey) int { return cmp.Compare(a.String(), b.String()) })
	return keys
}

// Group is what one security group must hold of ours. A peer of kind List carries
// the list's name, as its id may not exist yet.
type Group struct {
	Target cloudfw.Target
	Rules  []cloudfw.GroupRule
}

// Shelved is a block that one target cannot hold.
type Shelved struct {
	Target string        `json:"target"`
	Block  cloudfw.Block `json:"block"`
	Reason string        `json:"reason"`
	More   int           `json:"more,omitempty"` // so many others of the target are shelved for the same reason and not listed
}

// Lower computes what the account must hold. The live snapshot must contain every
// security group that the intent names; a missing one is a NotFound error. Books
// named in retired are not used again: their addresses get a new home.
func Lower(intent cloudfw.Intent, live cloudfw.Snapshot, limits cloudfw.Limits, retired map[string]bool) (Wanted, error) {
	w := Wanted{Rules: map[cloudfw.ListKey][]cloudfw.FirewallRule{}}
	c := newChooser(intent, live)
	lowerFirewalls(&w, c, intent, live, limits, retired)
	for _, target := range intent.Targets {
		switch target.Kind {
		case cloudfw.InternetFirewall, cloudfw.NATFirewall, cloudfw.VPCFirewall:
		case cloudfw.SecurityGroupTarget:
			group, ok := live.Group(target.GroupID)
			if !ok {
				return Wanted{}, &cloudfw.Error{Op: "observing", Subject: "security group " + target.GroupID, Kind: cloudfw.NotFound}
			}
			if group.Managed {
				return Wanted{}, &cloudfw.Error{Op: "lowering", Subject: "security group " + target.GroupID, Kind: cloudfw.Denied, Message: "the group is managed by a service of the vendor"}
			}
			lowerGroup(&w, c, intent, target, group, live, limits)
		default:
			return Wanted{}, fmt.Errorf("target %q is not one that can be lowered", target.Kind)
		}
	}
	return w, nil
}

// digest shortens content to 8 hex digits for a name: a changed content is a new
// object with a new name, never an edit in place.
func digest(content string) string {
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:4])
}

func familyDigit(f cloudfw.Family) string {
	if f == cloudfw.IPv4 {
		return "4"
	}
	return "6"
}

func book(owner cloudfw.Owner, purpose string, f cloudfw.Family) cloudfw.AddressBook {
	return cloudfw.AddressBook{
		Name:        owner.BookName(purpose),
		Family:      f,
		Description: cloudfw.Marker{Owner: owner, Kind: "book", Name: purpose}.String(),
	}
}
