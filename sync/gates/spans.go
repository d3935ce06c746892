package gates

import (
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"

	"fwsync/cloudfw"
)

// span is the addresses from first to last, of one family.
type span struct{ first, last netip.Addr }

// spans is a set of addresses: ascending, disjoint, IPv4 before IPv6.
type spans []span

// spanOf is the addresses of a prefix.
func spanOf(p netip.Prefix) span {
	p = p.Masked()
	raw := p.Addr().AsSlice()
	for i := p.Bits(); i < len(raw)*8; i++ {
		raw[i/8] |= 0x80 >> (i % 8)
	}
	last, _ := netip.AddrFromSlice(raw)
	return span{p.Addr(), last}
}

// union is the addresses of the prefixes, which may overlap and need no order.
func union(prefixes []netip.Prefix) spans {
	all := make(spans, len(prefixes))
	for i, p := range prefixes {
		all[i] = spanOf(p)
	}
	ascending := func(a, b span) int { return a.first.Compare(b.first) }
	if !slices.IsSortedFunc(all, ascending) {
		slices.SortFunc(all, ascending)
	}
	merged := all[:0] // never ahead of what is still to be read
	for _, s := range all {
		if n := len(merged); n > 0 && (s.first.Compare(merged[n-1].last) <= 0 || merged[n-1].last.Next() == s.first) {
			if s.last.Compare(merged[n-1].last) > 0 {
				merged[n-1].last = s.last
			}
			continue
		}
		merged = append(merged, s)
	}
	return merged
}

// from is the part of the set from the first span that ends at or after a.
func (s spans) from(a netip.Addr) spans {
	at, _ := slices.BinarySearchFunc(s, a, func(s span, a netip.Addr) int { return s.last.Compare(a) })
	return s[at:]
}

// holds reports whether every address of the prefix is in the set.
func (s spans) holds(p netip.Prefix) bool {
	want := spanOf(p)
	rest := s.from(want.first)
	return len(rest) > 0 && rest[0].first.Compare(want.first) <= 0 && rest[0].last.Compare(want.last) >= 0
}

// meets reports whether some address of the prefix is in the set.
func (s spans) meets(p netip.Prefix) bool {
	want := spanOf(p)
	rest := s.from(want.first)
	return len(rest) > 0 && rest[0].first.Compare(want.last) <= 0
}

// minus is the addresses of s that are not in o.
func (s spans) minus(o spans) spans {
	var left spans
	for _, have := range s {
		gone := false
		for len(o) > 0 && o[0].last.Compare(have.first) < 0 {
			o = o[1:]
		}
		for _, cut := range o {
			if cut.first.Compare(have.last) > 0 {
				break
			}
			if cut.first.Compare(have.first) > 0 {
				left = append(left, span{have.first, cut.first.Prev()})
			}
			if gone = cut.last.Compare(have.last) >= 0; gone {
				break
			}
			have.first = cut.last.Next()
		}
		if !gone {
			left = append(left, have)
		}
	}
	return left
}

// both is the addresses that are in s and in o.
func (s spans) both(o spans) spans { return s.minus(s.minus(o)) }

// sizes counts the IPv4 addresses and the IPv6 networks of 64 bits that the set
// reaches. Numbers that would not fit stay at the largest.
func (s spans) sizes() (addresses, networks uint64) {
	for _, one := range s {
		if one.first.Is4() {
			addresses += number(one.last) - number(one.first) + 1
		} else {
			more := number(one.last) - number(one.first) + 1
			if more == 0 || networks+more < networks {
				return addresses, math.MaxUint64
			}
			networks += more
		}
	}
	return addresses, networks
}

// number is an IPv4 address, or the upper half of an IPv6 one.
func number(a netip.Addr) uint64 {
	var n uint64
	raw := a.AsSlice()
	for _, b := range raw[:min(len(raw), 8)] {
		n = n<<8 | uint64(b)
	}
	return n
}

// String says how much the set covers.
func (s spans) String() string {
	var parts []string
	addresses, networks := s.sizes()
	if addresses > 0 || networks == 0 {
		parts = append(parts, fmt.Sprintf("%d IPv4 addresses", addresses))
	}
	if networks > 0 {
		parts = append(parts, fmt.Sprintf("%d IPv6 /64 networks", networks))
	}
	return strings.Join(parts, " and ")
}

// everything is the whole of a family.
func everything(f cloudfw.Family) spans { return spans{spanOf(f.Everything())} }
