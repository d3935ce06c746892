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

func (k *seed) hash(key *[16]byte, meter uint16) uint64 {
	a := binary.LittleEndian.Uint64(key[:8]) ^ k[0]
	b := binary.LittleEndian.Uint64(key[8:]) ^ k[1]
	hi, lo := bits.Mul64(a^uint64(meter)<<32, b|1)
	hi, lo = bits.Mul64(hi^lo^k[1], (b^uint64(meter)*0x9e3779b97f4a7c15)|1)
	return hi ^ lo
}

// account is the key of an account's name, whatever its case.
func (k *seed) account(name []byte) (key [16]byte) {
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
	binary.LittleEndian.PutUint64(key[:8], a)
	mix(k[1])
	binary.LittleEndian.PutUint64(key[8:], a)
	return key
}

const v4mapped = 12 // the bytes of a mapped address before the IPv4 one

func isV4(addr *[16]byte) bool {
	return binary.LittleEndian.Uint64(addr[:8]) == 0 && binary.LittleEndian.Uint32(addr[8:]) == 0xffff0000
}

// half is the /64 of an IPv6 address.
func half(addr *[16]byte) [16]byte {
	out := *addr
	clear(out[8:])
	return out
}

// unit is what counts as one address: an IPv4 address, or the /64 of an IPv6
// one, in which one host may have as many as it likes.
func unit(addr *[16]byte) int64 {
	if isV4(addr) {
		return int64(binary.BigEndian.Uint32(addr[v4mapped:])) | 1<<32
	}
	return int64(binary.BigEndian.Uint64(addr[:8]))
}

// address is the inverse of unit.
func address(unit int64) (out [16]byte) {
	if uint64(unit)>>32 == 1 {
		out[10], out[11] = 0xff, 0xff
		binary.BigEndian.PutUint32(out[v4mapped:], uint32(unit))
		return out
	}
	binary.BigEndian.PutUint64(out[:8], uint64(unit))
	return out
}

// small networks have so few IPv4 addresses that each can be asked.
func (l level) small() bool { return l.ipv4 >= 22 }

// network is the key of the network of an address.
func (l level) network(addr *[16]byte) [16]byte {
	out := *addr
	if isV4(addr) {
		binary.BigEndian.PutUint32(out[v4mapped:], binary.BigEndian.Uint32(out[v4mapped:])&(^uint32(0)<<(32-l.ipv4)))
		return out
	}
	binary.BigEndian.PutUint64(out[:8], binary.BigEndian.Uint64(out[:8])&(^uint64(0)<<(64-l.ipv6)))
	clear(out[8:])
	return out
}

// prefix is what a key of this many bits (by family) stands for.
func prefix(key [16]byte, ipv4, ipv6 int) netip.Prefix {
	addr := netip.AddrFrom16(key).Unmap()
	if addr.Is4() {
		return netip.PrefixFrom(addr, ipv4)
	}
	return netip.PrefixFrom(addr, ipv6)
}
