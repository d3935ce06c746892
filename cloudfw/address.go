package cloudfw

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Family is an IP version. The vendor keeps the two apart everywhere: separate
// policy lists, books and prefix lists (reference §2.1, §2.3, §3.2).
type Family string

// The two families. The zero value is neither and is never valid.
const (
	IPv4 Family = "ipv4"
	IPv6 Family = "ipv6"
)

// Families lists both families in the order in which fwsync works through them.
var Families = []Family{IPv4, IPv6}

// FamilyOf returns the family of a prefix made by ParsePrefix.
func FamilyOf(p netip.Prefix) Family {
	if p.Addr().Is4() {
		return IPv4
	}
	return IPv6
}

// Everything is the prefix that holds every address of the family.
func (f Family) Everything() netip.Prefix {
	if f == IPv4 {
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	}
	return netip.PrefixFrom(netip.IPv6Unspecified(), 0)
}

// ParsePrefix reads an address or a CIDR and is the only way text becomes a
// prefix: IPv4-mapped IPv6 is unmapped, a bare address becomes a host prefix.
// Refused, with the reason: zones, host bits set behind the mask, leading zeros
// and everything else netip refuses.
func ParsePrefix(text string) (netip.Prefix, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return netip.Prefix{}, errors.New("empty address")
	}
	if strings.Contains(text, "%") {
		return netip.Prefix{}, fmt.Errorf("%q has a zone, which means nothing outside its own host", text)
	}
	if !strings.Contains(text, "/") {
		addr, err := netip.ParseAddr(text)
		if err != nil {
			return netip.Prefix{}, fmt.Errorf("%q is not an IP address", text)
		}
		return HostPrefix(addr), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is not a CIDR prefix", text)
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return netip.Prefix{}, fmt.Errorf("%q mixes IPv4-mapped and other IPv6 addresses", text)
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	if p != p.Masked() {
		return netip.Prefix{}, fmt.Errorf("%q has host bits set (did you mean %s?)", text, p.Masked())
	}
	return p, nil
}

// HostPrefix is the /32 or /128 of an address, unmapped and without its zone.
func HostPrefix(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	return netip.PrefixFrom(a, a.BitLen())
}

// Covers reports whether outer holds every address of inner.
func Covers(outer, inner netip.Prefix) bool {
	return outer.Bits() <= inner.Bits() && outer.Contains(inner.Addr())
}

// ComparePrefixes orders prefixes: IPv4 first, then by address, wider first.
func ComparePrefixes(a, b netip.Prefix) int {
	if c := a.Addr().Compare(b.Addr()); c != 0 {
		return c
	}
	return cmp.Compare(a.Bits(), b.Bits())
}

// SortPrefixes sorts in place and drops exact duplicates. It returns the
// shortened slice, which shares the argument's memory.
func SortPrefixes(ps []netip.Prefix) []netip.Prefix {
	slices.SortFunc(ps, ComparePrefixes)
	return slices.Compact(ps)
}

// Subtract returns the prefixes that together hold exactly the addresses of p
// that are in none of the holes, in ascending order. Without overlap the result
// is p itself; a hole as wide as p leaves nothing.
func Subtract(p netip.Prefix, holes []netip.Prefix) []netip.Prefix {
	hit := false
	for _, h := range holes {
		if Covers(h, p) {
			return nil
		}
		hit = hit || Covers(p, h)
	}
	if !hit {
		return []netip.Prefix{p}
	}
	low, high := halves(p)
	return append(Subtract(low, holes), Subtract(high, holes)...)
}

// halves splits a prefix that is not a host prefix into its two halves.
func halves(p netip.Prefix) (low, high netip.Prefix) {
	bits := p.Bits() + 1
	low = netip.PrefixFrom(p.Addr(), bits)
	raw := p.Addr().AsSlice()
	raw[p.Bits()/8] |= 0x80 >> (p.Bits() % 8)
	addr, _ := netip.AddrFromSlice(raw)
	return low, netip.PrefixFrom(addr, bits)
}
