package cloudfw

import (
	"net/netip"
	"slices"
)

// Overlap reports whether some packet may match both rules. Peers that cannot be
// resolved to addresses (domains, locations, books that the world does not hold)
// count as overlapping, as do port books and applications.
func Overlap(a, b FirewallRule, world Snapshot) bool {
	if a.Key() != b.Key() {
		return false
	}
	if a.Protocol != b.Protocol && a.Protocol != AnyProtocol && b.Protocol != AnyProtocol {
		return false
	}
	if a.PortBook == "" && b.PortBook == "" && !a.Ports.AllPorts() && !b.Ports.AllPorts() &&
		(a.Ports.Last < b.Ports.First || b.Ports.Last < a.Ports.First) {
		return false
	}
	return meet(a.Source, b.Source, world) && meet(a.Destination, b.Destination, world)
}

func meet(a, b Peer, world Snapshot) bool {
	if a == b {
		return true
	}
	left, knownLeft := world.Addresses(a)
	right, knownRight := world.Addresses(b)
	if !knownLeft || !knownRight {
		return true
	}
	return slices.ContainsFunc(left, func(p netip.Prefix) bool {
		return slices.ContainsFunc(right, p.Overlaps)
	})
}

// Addresses resolves a peer to the prefixes it stands for. It is false for peers
// that are not addresses and for books that the snapshot does not hold.
func (s Snapshot) Addresses(peer Peer) ([]netip.Prefix, bool) {
	switch peer.Kind {
	case Net:
		p, err := ParsePrefix(peer.Value)
		return []netip.Prefix{p}, err == nil
	case Book:
		b, ok := s.Book(peer.Value)
		return b.Prefixes, ok && b.Type == Addresses
	case List:
		for _, l := range s.Lists {
			if l.ID == peer.Value || l.Name == peer.Value {
				return l.Prefixes, true
			}
		}
	}
	return nil, false
}
