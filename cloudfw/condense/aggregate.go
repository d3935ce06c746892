package condense

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"fwsync/cloudfw"
)

// Aggregate returns the fewest prefixes that hold exactly the addresses of the
// given ones, IPv4 first, ascending. IPv4-mapped IPv6 prefixes count as IPv4, host
// bits behind the mask are cleared, invalid prefixes hold no address. The result is
// newly made; it is what Aggregate itself would return for it.
func Aggregate(prefixes []netip.Prefix) []netip.Prefix {
	four := make([]packed, 0, len(prefixes))
	var six []key
	for _, p := range prefixes {
		if p.Addr().Is4() && p.IsValid() { // the common case by far
			four = append(four, pack(p))
			continue
		}
		k, family, ok := keyOf(p)
		switch {
		case !ok:
		case family == cloudfw.IPv4:
			four = append(four, packed(k.hi>>32)<<lengthBits|packed(k.bits))
		default:
			six = append(six, k)
		}
	}
	four = sweepPacked(sortPacked(four))
	slices.SortFunc(six, key.compare)
	six = sweep(six)

	result := make([]netip.Prefix, 0, len(four)+len(six))
	for _, p := range four {
		result = append(result, p.prefix())
	}
	for _, k := range six {
		result = append(result, k.prefix(cloudfw.IPv6))
	}
	return result
}

// sweep aggregates sorted keys of one family in place: what the last one holds is
// dropped, two halves become their whole, which may be a half again.
func sweep(sorted []key) []key {
	top := 0
	for _, k := range sorted {
		if top > 0 && sorted[top-1].covers(k) {
			continue
		}
		for top > 0 && sorted[top-1].sibling(k) {
			top--
			k = sorted[top].widen(k.bits - 1)
		}
		sorted[top] = k
		top++
	}
	return sorted[:top]
}

// packed is an IPv4 prefix in one word: the masked address, then the length. Its
// order is that of key.compare.
type packed uint64

const lengthBits = 6

func pack(p netip.Prefix) packed {
	raw := p.Addr().As4()
	length := p.Bits()
	addr := binary.BigEndian.Uint32(raw[:]) & (^uint32(0) << (32 - length)) // a shift by 32 is 0
	return packed(addr)<<lengthBits | packed(length)
}

func (p packed) addr() uint32 { return uint32(p >> lengthBits) }

func (p packed) length() int { return int(p & (1<<lengthBits - 1)) }

func (p packed) prefix() netip.Prefix {
	var raw [4]byte
	binary.BigEndian.PutUint32(raw[:], p.addr())
	return netip.PrefixFrom(netip.AddrFrom4(raw), p.length())
}

// sweepPacked is sweep for packed prefixes.
func sweepPacked(sorted []packed) []packed {
	top := 0
	for _, p := range sorted {
		if top > 0 {
			last := sorted[top-1]
			if length := last.length(); (last.addr()^p.addr())&(^uint32(0)<<(32-length)) == 0 {
				continue // sorted: it cannot be wider than the last one
			}
		}
		for top > 0 {
			length, last := p.length(), sorted[top-1]
			if length == 0 || last.length() != length || last.addr()^p.addr() != 1<<(32-length) {
				break
			}
			top--
			p = last - 1 // the lower half's address, one bit less
		}
		sorted[top] = p
		top++
	}
	return sorted[:top]
}
