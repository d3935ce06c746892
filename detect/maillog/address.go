package maillog

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// client reads HOST[ADDR], and :PORT if the daemon is told to log it. HOST is
// the reverse name, which the client may have chosen, but it holds neither
// blanks nor brackets. ok says that the shape is there; the address in it may
// still be invalid ("unknown[unknown]").
func client(b []byte) (addr netip.Addr, rest []byte, ok bool) {
	if v4, end := clientQuickly(b); end > 0 {
		var a [4]byte
		binary.LittleEndian.PutUint32(a[:], v4)
		addr, rest, ok = netip.AddrFrom4(a), b[end:], true
	} else {
		addr, rest, ok = clientPlainly(b)
	}
	if ok && len(rest) > 1 && rest[0] == ':' && '0' <= rest[1] && rest[1] <= '9' {
		_, rest = number(rest[1:])
	}
	return addr, rest, ok
}

// clientPlainly reads HOST[ADDR].
func clientPlainly(b []byte) (addr netip.Addr, rest []byte, ok bool) {
	if has(b, "unknown[") { // most attackers
		return bracketed(b[7:])
	}
	if i := hostEnd(b); i >= 0 {
		return bracketed(b[i:])
	}
	return addr, nil, false
}

// bracketed reads [ADDR].
func bracketed(b []byte) (netip.Addr, []byte, bool) {
	if len(b) == 0 || b[0] != '[' {
		return netip.Addr{}, nil, false
	}
	if a, end := plain4(b, ']'); end > 0 {
		return netip.AddrFrom4(a), b[end+1:], true
	}
	end := bytes.IndexByte(b[:min(len(b), 64)], ']')
	if end < 0 {
		return netip.Addr{}, nil, false
	}
	inner := b[1:end]
	if has(inner, "IPv6:") { // as sendmail writes it
		inner = inner[5:]
	}
	return parseAddr(inner), b[end+1:], true
}

// hostEnd returns the place of the first bracket of b, if it opens and what is before
// it, at most 255 bytes, can be a host's name; else -1.
func hostEnd(b []byte) int {
	b = b[:min(len(b), 256)]
	i := 0
	for ; i+8 <= len(b); i += 8 {
		w := word(b[i:])
		if stop := below(w, ' '+1) | equal(w, '[') | equal(w, ']'); stop != 0 {
			if i += bits.TrailingZeros64(stop) >> 3; b[i] == '[' {
				return i
			}
			return -1
		}
	}
	for ; i < len(b); i++ {
		switch c := b[i]; {
		case c == '[':
			return i
		case c <= ' ' || c == ']':
			return -1
		}
	}
	return -1
}

// plain4 reads "[192.0.2.1]", whatever the first byte is, and returns the place of the stop
// that ends it; 0 for everything else, also what parse4 is to judge. Addresses are of all
// lengths, so that no branch depends on those of their parts.
func plain4(b []byte, stop byte) (out [4]byte, at int) {
	if len(b) < 17 {
		var padded [17]byte
		copy(padded[:], b)
		b = padded[:]
	}
	t := (*[17]byte)(b)
	low := word(t[1:9])
	rest := noDigits(low) | noDigits(word(t[9:17]))<<8
	first := bits.TrailingZeros32(rest) & 15
	rest &= rest - 1
	second := bits.TrailingZeros32(rest) & 15
	rest &= rest - 1
	third := bits.TrailingZeros32(rest) & 15
	rest &= rest - 1
	if rest == 0 || second < 3 {
		return out, 0
	}
	end := bits.TrailingZeros32(rest) & 15
	if (t[1+first]^'.')|(t[1+second]^'.')|(t[1+third]^'.')|(t[1+end]^stop) != 0 || third < second || end < third {
		return out, 0
	}
	o1, bad1 := octet(uint32(low)*octetShapes[first].shift, first)
	o2, bad2 := octet(binary.LittleEndian.Uint32(t[second-3:]), second-first-1)
	o3, bad3 := octet(binary.LittleEndian.Uint32(t[third-3:]), third-second-1)
	o4, bad4 := octet(binary.LittleEndian.Uint32(t[end-3:]), end-third-1)
	if (bad1|bad2|bad3|bad4)>>31 != 0 {
		return out, 0
	}
	// Written at once, for who reads it at once must not wait for four writes.
	binary.BigEndian.PutUint32(out[:], o1<<24|o2<<16|o3<<8|o4)
	return out, end + 1
}

// octetShapes are by the number of an octet's digits: what moves four bytes that begin with
// them so that they end with them, where they are among such bytes, and what is the least
// value without leading zeros, too large where there is none.
var octetShapes = [16]struct{ shift, digits, least uint32 }{
	{0, 0, 1 << 30}, {1 << 24, 0xff000000, 0}, {1 << 16, 0xffff0000, 10}, {1 << 8, 0xffffff00, 100},
	{least: 1 << 30}, {least: 1 << 30}, {least: 1 << 30}, {least: 1 << 30}, {least: 1 << 30}, {least: 1 << 30},
	{least: 1 << 30}, {least: 1 << 30}, {least: 1 << 30}, {least: 1 << 30}, {least: 1 << 30}, {least: 1 << 30},
}

// octet is the number that the last n bytes of w are, which are digits; the top bit of bad
// is set if they are none up to 255 without leading zeros.
func octet(w uint32, n int) (value, bad uint32) {
	shape := &octetShapes[n&15]
	d := (w ^ 0x30303030) & shape.digits
	value = d>>24 + 10*(d>>16&0xff) + 100*(d>>8&0xff)
	return value, (value - shape.least) | (255 - value)
}

// noDigits has bit i set if byte i of w is no digit, and may have any bit set behind one
// that is not ASCII.
func noDigits(w uint64) uint32 {
	x := w ^ ones*'0'
	return uint32((x + ones*(0x80-10) | x) & tops >> 7 * 0x0102040810204080 >> 56)
}

// parseAddr is netip.ParseAddr for bytes, without allocating: the zero Addr if
// b is not an address, IPv4-mapped ones unmapped. The zone of a link-local address
// ("fe80::1%eth0") names our own interface and is left out; others have none.
func parseAddr(b []byte) netip.Addr {
	if len(b) < 2 || len(b) > 45 {
		return netip.Addr{}
	}
	if a, ok := parse4(b); ok {
		return netip.AddrFrom4(a)
	}
	if has(b, "fe80:") {
		if zone := bytes.IndexByte(b, '%'); zone > 0 && zone < len(b)-1 {
			b = b[:zone]
		}
	}
	return parse6(b).Unmap()
}

func parse4(b []byte) (out [4]byte, ok bool) {
	field, value, n := 0, 0, 0
	for _, c := range b {
		switch {
		case '0' <= c && c <= '9':
			if n > 0 && value == 0 {
				return out, false // a leading zero may mean octal
			}
			if value = value*10 + int(c-'0'); value > 255 {
				return out, false
			}
			n++
		case c == '.' && n > 0 && field < 3:
			out[field] = byte(value)
			field, value, n = field+1, 0, 0
		default:
			return out, false
		}
	}
	out[3] = byte(value)
	return out, field == 3 && n > 0
}

func parse6(b []byte) netip.Addr {
	var out [16]byte
	i, gap := 0, -1
	if has(b, "::") {
		gap, b = 0, b[2:]
		if len(b) == 0 {
			return netip.AddrFrom16(out)
		}
	}
	for i < 16 {
		value, n := 0, 0
		for n < len(b) && n < 5 {
			d := hexDigit(b[n])
			if d < 0 {
				break
			}
			value = value<<4 | d
			n++
		}
		if n == 0 || n == 5 {
			return netip.Addr{}
		}
		if n < len(b) && b[n] == '.' {
			v4, ok := parse4(b)
			if !ok || i > 12 {
				return netip.Addr{}
			}
			i += copy(out[i:], v4[:])
			b = nil
			break
		}
		binary.BigEndian.PutUint16(out[i:], uint16(value))
		i, b = i+2, b[n:]
		if len(b) == 0 {
			break
		}
		if b[0] != ':' || len(b) == 1 {
			return netip.Addr{}
		}
		if b = b[1:]; b[0] == ':' {
			if gap >= 0 {
				return netip.Addr{}
			}
			if gap, b = i, b[1:]; len(b) == 0 {
				break
			}
		}
	}
	if len(b) > 0 || (i == 16) == (gap >= 0) {
		return netip.Addr{}
	}
	if gap >= 0 {
		copy(out[16-(i-gap):], out[gap:i])
		clear(out[gap : 16-(i-gap)])
	}
	return netip.AddrFrom16(out)
}

func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
