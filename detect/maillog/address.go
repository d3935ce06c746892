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
	if i := hostEnd(b); i >= 0 {
		addr, rest, ok = bracketed(b[i:])
	}
	if ok && len(rest) > 1 && rest[0] == ':' && '0' <= rest[1] && rest[1] <= '9' {
		_, rest = number(rest[1:])
	}
	return addr, rest, ok
}

// hostEnd returns where the bracket after a host name of at most 255 bytes is,
// -1 if there is none.
func hostEnd(b []byte) int {
	i := 0
	for ; i+8 <= len(b) && i < 248; i += 8 {
		w := word(b[i:])
		open := first(w, '[')
		before := w | ^uint64(0)<<(8*open) // what is behind the bracket does not matter
		if below(before, ' '+1)|equal(before, ']') != 0 {
			return -1
		}
		if open < 8 {
			return i + open
		}
	}
	for ; i < len(b) && i <= 255; i++ {
		switch c := b[i]; {
		case c == '[':
			return i
		case c <= ' ' || c == ']':
			return -1
		}
	}
	return -1
}

// bracketed reads [ADDR].
func bracketed(b []byte) (netip.Addr, []byte, bool) {
	if len(b) == 0 || b[0] != '[' {
		return netip.Addr{}, nil, false
	}
	if len(b) >= 17 {
		lo, hi := word(b[1:]), word(b[9:])
		n := first(lo, ']')
		if n == 8 {
			n += first(hi, ']')
		}
		if n < 16 {
			if a, ok := words4(lo, hi, n); ok {
				return netip.AddrFrom4(a), b[n+2:], true
			}
		}
	}
	end := bytes.IndexByte(b[:min(len(b), 64)], ']')
	if end < 0 {
		return netip.Addr{}, nil, false
	}
	return parseAddr(b[1:end]), b[end+1:], true
}

// parseAddr is netip.ParseAddr for bytes, without allocating: the zero Addr if
// b is not an address, IPv4-mapped ones unmapped, zones refused.
func parseAddr(b []byte) netip.Addr {
	if len(b) < 2 || len(b) > 45 {
		return netip.Addr{}
	}
	if a, ok := parse4(b); ok {
		return netip.AddrFrom4(a)
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

// words4 is parse4 of the first n of 16 bytes, at most 15, without a branch that
// depends on how many digits a number has: nobody could guess it.
func words4(lo, hi uint64, n int) (out [4]byte, ok bool) {
	least := [4]uint64{1: 0, 2: 10, 3: 100} // a leading zero may mean octal
	wrong := uint64(0)
	for i := range out {
		size := first(lo, '.')
		if i == 3 {
			size = n
		}
		if size < 1 || size > 3 {
			return out, false
		}
		// From the highest byte down: the last digit, the one before it and the first.
		digits := lo<<(64-8*size) ^ 0x3030300000000000&(^uint64(0)<<(64-8*size))
		wrong |= (digits | (digits + 0x7676760000000000)) & 0x8080800000000000
		value := digits>>56 + 10*(digits>>48&0xff) + 100*(digits>>40&0xff)
		wrong |= (value-least[size])>>63 | (255-value)>>63
		out[i] = byte(value)
		lo = lo>>(8*size+8) | hi<<(56-8*size)
		hi >>= 8*size + 8
		n -= size + 1
	}
	return out, wrong == 0
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
