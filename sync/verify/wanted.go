package verify

import (
	"net/netip"
	"strings"

	"fwsync/cloudfw"
)

// prefixes is a set of them.
type prefixes map[netip.Prefix]bool

// hold reports whether one of them covers the prefix.
func (ps prefixes) hold(p netip.Prefix) bool {
	for bits := p.Bits(); bits >= 0; bits-- {
		if ps[netip.PrefixFrom(p.Addr(), bits).Masked()] {
			return true
		}
	}
	return false
}

// wantedAt is what a target is to hold of the blocks: what it has no room for is not
// among it.
func (c *check) wantedAt(target cloudfw.Target) prefixes {
	all := prefixes{}
	add := func(ps []netip.Prefix) {
		for _, p := range ps {
			all[p] = true
		}
	}
	if target.Firewall() {
		blocked := c.intent.Owner.BookName("blocked")
		for _, b := range c.wanted.Books {
			if strings.HasPrefix(b.Name, blocked) {
				add(b.Prefixes)
			}
		}
		return all
	}
	lists := cloudfw.Snapshot{Lists: c.wanted.Lists}
	for _, g := range c.wanted.Groups {
		if g.Target.GroupID != target.GroupID {
			continue
		}
		for _, r := range g.Rules {
			held, _ := lists.Addresses(r.Peer)
			add(held)
		}
	}
	return all
}
