package packets

import (
	"cmp"
	"math"
	"net/netip"
	"slices"

	"fwsync/cloudfw"
)

// point is a position on the line of a dimension: an address, a service, the number
// of an application or of a truth value.
type point struct{ hi, lo uint64 }

func (p point) compare(o point) int { return cmp.Or(cmp.Compare(p.hi, o.hi), cmp.Compare(p.lo, o.lo)) }

func (p point) next() point {
	if p.lo == math.MaxUint64 {
		return point{p.hi + 1, 0}
	}
	return point{p.hi, p.lo + 1}
}

func (p point) before() point {
	if p.lo == 0 {
		return point{p.hi - 1, math.MaxUint64}
	}
	return point{p.hi, p.lo - 1}
}

// end is the last point of the line.
var end = point{math.MaxUint64, math.MaxUint64}

// span is a closed range of points.
type span struct{ first, last point }

// set is a union of spans: ascending, neither overlapping nor touching.
type set []span

// newSet makes the canonical form of any spans. It uses its argument up.
func newSet(spans []span) set {
	slices.SortFunc(spans, func(a, b span) int { return a.first.compare(b.first) })
	var s set
	for _, next := range spans {
		if n := len(s); n > 0 && (s[n-1].last == end || next.first.compare(s[n-1].last.next()) <= 0) {
			if next.last.compare(s[n-1].last) > 0 {
				s[n-1].last = next.last
			}
			continue
		}
		s = append(s, next)
	}
	return s
}

func (s set) holds(p point) bool {
	at, found := slices.BinarySearchFunc(s, p, func(sp span, p point) int { return sp.first.compare(p) })
	return found || at > 0 && p.compare(s[at-1].last) <= 0
}

// address is the point of an address. Families never meet in one list, so both may
// share the line.
func address(a netip.Addr) point {
	b := a.As16()
	if a.Is4() {
		v4 := a.As4()
		return point{0, uint64(v4[0])<<24 | uint64(v4[1])<<16 | uint64(v4[2])<<8 | uint64(v4[3])}
	}
	var p point
	for i := range 8 {
		p.hi = p.hi<<8 | uint64(b[i])
		p.lo = p.lo<<8 | uint64(b[8+i])
	}
	return p
}

// addressOf is the inverse of address.
func addressOf(p point, family cloudfw.Family) netip.Addr {
	if family == cloudfw.IPv4 {
		return netip.AddrFrom4([4]byte{byte(p.lo >> 24), byte(p.lo >> 16), byte(p.lo >> 8), byte(p.lo)})
	}
	var b [16]byte
	for i := range 8 {
		b[i], b[8+i] = byte(p.hi>>(56-8*i)), byte(p.lo>>(56-8*i))
	}
	return netip.AddrFrom16(b)
}

// prefixSpan is the span of a prefix.
func prefixSpan(p netip.Prefix) span {
	first := address(p.Masked().Addr())
	last, free := first, p.Addr().BitLen()-p.Bits()
	switch {
	case free >= 128:
		last = end
	case free > 64:
		last.hi |= 1<<(free-64) - 1
		last.lo = math.MaxUint64
	case free == 64:
		last.lo = math.MaxUint64
	default:
		last.lo |= 1<<free - 1
	}
	return span{first, last}
}

// prefixSet is the set of all addresses within prefixes of the family.
func prefixSet(prefixes []netip.Prefix, family cloudfw.Family) set {
	spans := make([]span, 0, len(prefixes))
	for _, p := range prefixes {
		if cloudfw.FamilyOf(p) == family {
			spans = append(spans, prefixSpan(p))
		}
	}
	return newSet(spans)
}

// everyAddress is the whole line of a family.
func everyAddress(family cloudfw.Family) set { return set{prefixSpan(family.Everything())} }

// The line of services: the ports of TCP, those of UDP, then the protocols without
// ports and all that are none of these.
const (
	tcpBase  = 0
	udpBase  = 1 << 16
	icmpAt   = 1 << 17
	icmpv6At = icmpAt + 1
	greAt    = icmpAt + 2
	otherAt  = icmpAt + 3
)

func services(first, last uint64) span { return span{point{0, first}, point{0, last}} }

var everyService = set{services(0, otherAt)}

// servicePoint is the service of one packet.
func servicePoint(protocol cloudfw.Protocol, port uint16) point {
	switch protocol {
	case cloudfw.TCP:
		return point{0, tcpBase + uint64(port)}
	case cloudfw.UDP:
		return point{0, udpBase + uint64(port)}
	case cloudfw.ICMP, "icmpv6", "gre":
		s, _ := serviceOf(protocol, nil)
		return s[0].first
	}
	return point{0, otherAt}
}

// serviceOf is the set of services of a protocol and ports. It is false for a
// protocol that is not known, of which nothing can be said.
func serviceOf(protocol cloudfw.Protocol, ports []cloudfw.PortRange) (set, bool) {
	base := uint64(0)
	switch protocol {
	case cloudfw.AnyProtocol, "all", "":
		return everyService, true
	case cloudfw.TCP:
		base = tcpBase
	case cloudfw.UDP:
		base = udpBase
	case cloudfw.ICMP:
		return set{services(icmpAt, icmpAt)}, true
	case "icmpv6":
		return set{services(icmpv6At, icmpv6At)}, true
	case "gre":
		return set{services(greAt, greAt)}, true
	default:
		return nil, false
	}
	var spans []span
	for _, r := range ports {
		if r.AllPorts() {
			r = cloudfw.PortRange{First: 0, Last: math.MaxUint16}
		}
		spans = append(spans, services(base+uint64(r.First), base+uint64(r.Last)))
	}
	return newSet(spans), true
}
