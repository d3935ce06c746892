package condense

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"net/netip"

	"fwsync/cloudfw"
)

// key is a masked prefix with its address left-aligned in 128 bits, so that both
// families are worked on alike. A family is never mixed with the other.
type key struct {
	hi, lo uint64
	bits   int
}

// keyOf reads a prefix: unmapped when it is IPv4-mapped, and masked. It is false
// for an invalid prefix.
func keyOf(p netip.Prefix) (key, cloudfw.Family, bool) {
	if !p.IsValid() {
		return key{}, "", false
	}
	addr, length := p.Addr(), p.Bits()
	if addr.Is4In6() && length >= 96 {
		addr, length = addr.Unmap(), length-96
	}
	if addr.Is4() {
		raw := addr.As4()
		return key{hi: uint64(binary.BigEndian.Uint32(raw[:])) << 32}.widen(length), cloudfw.IPv4, true
	}
	raw := addr.As16()
	return key{hi: binary.BigEndian.Uint64(raw[:8]), lo: binary.BigEndian.Uint64(raw[8:])}.widen(length), cloudfw.IPv6, true
}

// prefix is the inverse of keyOf.
func (k key) prefix(f cloudfw.Family) netip.Prefix {
	if f == cloudfw.IPv4 {
		var raw [4]byte
		binary.BigEndian.PutUint32(raw[:], uint32(k.hi>>32))
		return netip.PrefixFrom(netip.AddrFrom4(raw), k.bits)
	}
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:8], k.hi)
	binary.BigEndian.PutUint64(raw[8:], k.lo)
	return netip.PrefixFrom(netip.AddrFrom16(raw), k.bits)
}

// widen keeps the given number of leading bits.
func (k key) widen(length int) key {
	k.bits = length
	if length <= 64 {
		k.lo = 0
		k.hi &= ^uint64(0) << (64 - length) // a shift by 64 is 0
		return k
	}
	k.lo &= ^uint64(0) << (128 - length)
	return k
}

// common is the number of leading bits that two keys share.
func (k key) common(o key) int {
	if x := k.hi ^ o.hi; x != 0 {
		return min(bits.LeadingZeros64(x), k.bits, o.bits)
	}
	return min(64+bits.LeadingZeros64(k.lo^o.lo), k.bits, o.bits)
}

func (k key) covers(o key) bool { return k.bits <= o.bits && k.common(o) == k.bits }

// sibling reports whether the two are the halves of one prefix.
func (k key) sibling(o key) bool {
	return k.bits == o.bits && k.bits > 0 && k != o && k.common(o) == k.bits-1
}

func (k key) compare(o key) int {
	if k.hi != o.hi { // nearly always, and searches live from it
		if k.hi < o.hi {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(k.lo, o.lo), cmp.Compare(k.bits, o.bits))
}
