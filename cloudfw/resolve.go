package cloudfw

import "net/netip"

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
