package gates

import (
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"fwsync/cloudfw"
)

// The set operations agree with sets of single addresses, in both families.
func TestSpansAgreeWithSingleAddresses(t *testing.T) {
	draw := func(t *rapid.T, label string) []netip.Prefix {
		var all []netip.Prefix
		for range rapid.IntRange(0, 6).Draw(t, label) {
			last := byte(rapid.IntRange(0, 63).Draw(t, "address"))
			bits := rapid.IntRange(26, 32).Draw(t, "bits")
			a := netip.AddrFrom4([4]byte{255, 255, 255, 192 + last}) // up to the very end of the family
			if rapid.Bool().Draw(t, "IPv6") {
				a, bits = netip.AddrFrom16([16]byte{0x20, 1, 15: last}), bits+96
			}
			all = append(all, netip.PrefixFrom(a, bits).Masked())
		}
		return all
	}
	var universe []netip.Addr
	for i := range 64 {
		universe = append(universe, netip.AddrFrom4([4]byte{255, 255, 255, 192 + byte(i)}), netip.AddrFrom16([16]byte{0x20, 1, 15: byte(i)}))
	}
	in := func(ps []netip.Prefix, a netip.Addr) bool {
		return slices.ContainsFunc(ps, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	rapid.Check(t, func(t *rapid.T) {
		left, right := draw(t, "left"), draw(t, "right")
		a, b := union(left), union(right)
		for _, x := range universe {
			host := cloudfw.HostPrefix(x)
			for _, c := range []struct {
				name string
				got  spans
				want bool
			}{
				{"union", union(slices.Concat(left, right)), in(left, x) || in(right, x)},
				{"minus", a.minus(b), in(left, x) && !in(right, x)},
				{"both", a.both(b), in(left, x) && in(right, x)},
			} {
				if c.got.holds(host) != c.want || c.got.meets(host) != c.want {
					t.Fatalf("%s of %v and %v at %s: %v", c.name, left, right, x, !c.want)
				}
			}
		}
		for _, p := range right {
			meets, holds := false, true
			for _, x := range universe {
				if p.Contains(x) {
					meets, holds = meets || in(left, x), holds && in(left, x)
				}
			}
			if a.meets(p) != meets || a.holds(p) != holds {
				t.Fatalf("%v and %s: meets %v, holds %v", left, p, a.meets(p), a.holds(p))
			}
		}
	})
}

func TestSpansSayHowMuchTheyCover(t *testing.T) {
	for _, c := range []struct {
		prefixes []netip.Prefix
		want     string
	}{
		{nil, "0 IPv4 addresses"},
		{prefixes("203.0.113.0/24", "203.0.113.7", "198.51.100.1"), "257 IPv4 addresses"},
		{prefixes("2001:db8::/63", "2001:db8::1"), "2 IPv6 /64 networks"},
		{prefixes("0.0.0.0/1", "128.0.0.0/1", "::/0"), "4294967296 IPv4 addresses and 18446744073709551615 IPv6 /64 networks"},
	} {
		if got := union(c.prefixes).String(); got != c.want {
			t.Errorf("%v cover %q, want %q", c.prefixes, got, c.want)
		}
	}
}
