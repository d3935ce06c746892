package detect

import "net/netip"

// Locate says how to find the country of an address ("" if it has none), for rules that
// count Countries. It is asked for each signal that such a rule counts.
func (e *Engine) Locate(country func(netip.Addr) string) { e.country = country }

// nowhere is the place of an address without a country.
const nowhere = 0

// place is where an address is: its country, or its /16 or, for IPv6, its /32.
func (e *Engine) place(m *meter, key key, addr netip.Addr) int64 {
	if m.abroad {
		if e.country == nil {
			return nowhere
		}
		c := e.country(addr)
		if c == "" {
			return nowhere
		}
		k := e.seed.account([]byte(c))
		return max(1, int64(k.low>>1))
	}
	return level{16, 32}.network(key).unit()
}
