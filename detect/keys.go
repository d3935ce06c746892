package detect

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"net/netip"
)

// seed keys all hashes: who sends from many addresses, or tries many accounts,
// must not be able to choose ones that collide.
type seed [2]uint64

// newSeed derives a seed from a number; 0 gives a random one.
func newSeed(n uint64) seed {
	if n == 0 {
		return seed{rand.Uint64(), rand.Uint64()}
	}
	r := rand.NewPCG(n, 0x9e3779b97f4a7c15)
	return seed{r.Uint64(), r.Uint64()}
}

func (k *seed) hash(of key, meter uint16) uint64 {
	a, b := of.low^k[0], of.high^k[1]
	hi, lo := bits.Mul64(a^uint64(meter)<<32, b|1)
	hi, lo = bits.Mul64(hi^lo^k[1], (b^uint64(meter)*0x9e3779b97f4a7c15)|1)
	return hi ^ lo
}

// account is the key of an account's name, whatever its case.
func (k *seed) account(name []byte) (of key) {
	const fold = 0x2020202020202020
	a, b := k[0]^uint64(len(name)), k[1]
	mix := func(w uint64) {
		hi, lo := bits.Mul64(a^w, b^0x9e3779b97f4a7c15)
		a, b = hi^bits.RotateLeft64(lo, 32)^k[1], lo^bits.RotateLeft64(w*0xff51afd7ed558ccd, 29)^b
	}
	for ; len(name) >= 8; name = name[8:] {
		mix(binary.LittleEndian.Uint64(name) | fold)
	}
	if len(name) > 0 {
		var last [8]byte
		copy(last[:], name)
		mix(binary.LittleEndian.Uint64(last[:]) | fold)
	}
	mix(k[0])
	of.low = a
	mix(k[1])
	of.high = a
	return of
}

// key is what is counted: the 16 bytes of an address or a network, or an account's name.
// Two numbers stay in registers where an array would not: low is the first eight bytes,
// the first one lowest.
type key struct{ low, high uint64 }

const mapped = 0xffff0000 // the lower half of an IPv4 address's high

func keyOf(addr netip.Addr) key {
	if addr.Is4() {
		// Four bytes are read back as they were written; sixteen would have to be waited for.
		b := addr.As4()
		return key{0, uint64(binary.LittleEndian.Uint32(b[:]))<<32 | mapped}
	}
	return keyFrom(addr.As16())
}

func keyFrom(b [16]byte) key {
	return key{binary.LittleEndian.Uint64(b[:8]), binary.LittleEndian.Uint64(b[8:])}
}

func (k key) bytes() (b [16]byte) {
	binary.LittleEndian.PutUint64(b[:8], k.low)
	binary.LittleEndian.PutUint64(b[8:], k.high)
	return b
}

func (k key) isV4() bool { return k.low == 0 && uint32(k.high) == mapped }

// v4 is an IPv4 address as a number.
func (k key) v4() uint32 { return bits.ReverseBytes32(uint32(k.high >> 32)) }

func keyOfV4(addr uint32) key {
	return key{0, uint64(bits.ReverseBytes32(addr))<<32 | mapped}
}

// half is the /64 of an IPv6 address.
func (k key) half() key { return key{k.low, 0} }

// unit is what counts as one address: an IPv4 address, or the /64 of an IPv6
// one, in which one host may have as many as it likes.
func (k key) unit() int64 {
	if k.isV4() {
		return int64(k.v4()) | 1<<32
	}
	return int64(bits.ReverseBytes64(k.low))
}

// address is the inverse of unit.
func address(unit int64) key {
	if uint64(unit)>>32 == 1 {
		return keyOfV4(uint32(unit))
	}
	return key{bits.ReverseBytes64(uint64(unit)), 0}
}

// small networks have so few IPv4 addresses that each can be asked.
func (l level) small() bool { return l.ipv4 >= 22 }

// network is the key of the network of an address.
func (l level) network(addr key) key {
	if addr.isV4() {
		return keyOfV4(addr.v4() & (^uint32(0) << (32 - l.ipv4)))
	}
	return key{addr.low & bits.ReverseBytes64(^uint64(0)<<(64-l.ipv6)), 0}
}

// prefix is what a key of this many bits (by family) stands for.
func prefix(of key, ipv4, ipv6 int) netip.Prefix {
	addr := netip.AddrFrom16(of.bytes()).Unmap()
	if addr.Is4() {
		return netip.PrefixFrom(addr, ipv4)
	}
	return netip.PrefixFrom(addr, ipv6)
}
