package reconcile

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"fwsync/cloudfw"
)

// Object is one thing in the cloud that a plan was made from, as it was then: its
// hash, and enough of it to say later what moved. A rule's place is no part of its
// hash: whoever inserts one above it has not changed it.
type Object struct {
	Object string   `json:"object"`          // unique in the account
	List   string   `json:"list,omitempty"`  // of firewall rules: which ordered list
	Order  int      `json:"order,omitempty"` // of firewall rules: the place in it, from 1
	Hash   string   `json:"hash"`
	Text   string   `json:"text"`            // for people
	Holds  []string `json:"holds,omitempty"` // of books and prefix lists, sorted
}

// Objects are all that was read of the account, sorted.
func Objects(s cloudfw.Snapshot) []Object {
	all := []Object{{Object: "internet border", Text: fmt.Sprintf("strict mode %v", s.Strict), Hash: hash(s.Strict)}}
	for _, r := range s.Rules {
		o := Object{Object: "rule " + r.ID, List: r.Key().String(), Order: r.Order, Text: fmt.Sprintf("%s (%q)", r, r.Description)}
		if r.Disabled {
			o.Text += ", disabled"
		}
		r.Order = 0
		o.Hash = hash(r)
		all = append(all, o)
	}
	for _, b := range s.Books {
		o := Object{Object: "book " + b.Name, Hash: hash(b), Text: fmt.Sprintf("%q, named by %d rules", b.Description, b.References), Holds: slices.Clone(b.Entries)}
		for _, p := range b.Prefixes {
			o.Holds = append(o.Holds, p.String())
		}
		all = append(all, o)
	}
	for _, l := range s.Lists {
		o := Object{Object: "prefix list " + l.Name, Hash: hash(l), Text: fmt.Sprintf("%q, for %d entries", l.Description, l.MaxEntries)}
		for _, p := range l.Prefixes {
			o.Holds = append(o.Holds, p.String())
		}
		all = append(all, o)
	}
	for _, g := range s.Groups {
		for _, r := range g.Rules {
			all = append(all, Object{
				Object: "rule " + r.ID + " of security group " + g.ID, Hash: hash(r),
				Text: fmt.Sprintf("priority %d: %s %s %s ports %s, peer %s (%q)", r.Priority, r.Direction, r.Action, r.Protocol, r.Ports, r.Peer, r.Description),
			})
		}
		g.Rules = nil
		all = append(all, Object{Object: "security group " + g.ID, Hash: hash(g), Text: fmt.Sprintf("%q", g.Name)})
	}
	for _, a := range s.Assets {
		all = append(all, Object{Object: "public address " + a.Address.String(), Hash: hash(a), Text: fmt.Sprintf("%q", a.Name)})
	}
	slices.SortStableFunc(all, func(a, b Object) int {
		return cmp.Or(cmp.Compare(a.List, b.List), cmp.Compare(a.Order, b.Order), cmp.Compare(a.Object, b.Object))
	})
	return all
}

func hash(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic("reconcile: what was read of an account is plain data and always marshals: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}
