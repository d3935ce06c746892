package detect

import (
	"encoding/binary"
	"net/netip"
)

// Locate says how to find the country of an address ("" if it has none), for rules that
// count Countries. It is asked for each signal that such a rule counts.
func (e *Engine) Locate(country func(netip.Addr) string) { e.country = country }

// nowhere is the place of an address without a country.
const nowhere = 0

// place is where an address is: its country, or its /16 or, for IPv6, its /32.
func (e *Engine) place(m *meter, key *[16]byte, addr netip.Addr) int64 {
	if m.abroad {
		if e.country == nil {
			return nowhere
		}
		c := e.country(addr)
		if c == "" {
			return nowhere
		}
		k := e.seed.account([]byte(c))
		return max(1, int64(binary.LittleEndian.Uint64(k[:8])>>1))
	}
	n := level{16, 32}.network(key)
	return unit(&n)
}
