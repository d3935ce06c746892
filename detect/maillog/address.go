package maillog

import (
	"bytes"
	"encoding/binary"
	"net/netip"
)

// client reads HOST[ADDR], and :PORT if the daemon is told to log it. HOST is
// the reverse name, which the client may have chosen, but it holds neither
// blanks nor brackets. ok says that the shape is there; the address in it may
// still be invalid ("unknown[unknown]").
func client(b []byte) (addr netip.Addr, rest []byte, ok bool) {
	if has(b, "unknown[") { // most attackers
		addr, rest, ok = bracketed(b[7:])
	} else {
		for i, c := range b {
			if c == '[' {
				addr, rest, ok = bracketed(b[i:])
				break
			}
			if c <= ' ' || c == ']' || i > 255 {
				break
			}
		}
	}
	if ok && len(rest) > 1 && rest[0] == ':' && '0' <= rest[1] && rest[1] <= '9' {
		_, rest = number(rest[1:])
	}
	return addr, rest, ok
}

// bracketed reads [ADDR].
func bracketed(b []byte) (netip.Addr, []byte, bool) {
	if len(b) == 0 || b[0] != '[' {
		return netip.Addr{}, nil, false
	}
	if a, n := plain4(b[1:min(len(b), 17)]); n > 0 {
		return netip.AddrFrom4(a), b[n+2:], true
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

// plain4 reads "192.0.2.1]" in one pass and returns the length up to the bracket; 0
// for everything else, also what parse4 is to judge.
func plain4(b []byte) (out [4]byte, length int) {
	field, value, n := 0, 0, 0
	for i, c := range b {
		if d := c - '0'; d <= 9 {
			value = value*10 + int(d)
			n++
			continue
		}
		if n == 0 || n > 3 || value > 255 || n > 1 && b[i-n] == '0' {
			return out, 0
		}
		out[field&3] = byte(value)
		if c == ']' && field == 3 {
			return out, i
		}
		if c != '.' || field == 3 {
			return out, 0
		}
		field, value, n = field+1, 0, 0
	}
	return out, 0
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
