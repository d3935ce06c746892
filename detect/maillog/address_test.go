package maillog

import (
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func reference(s string) netip.Addr {
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" && !strings.HasPrefix(s, "fe80:") {
		return netip.Addr{}
	}
	return a.WithZone("").Unmap()
}

func TestAddressesAreReadAsTheStandardLibraryDoes(t *testing.T) {
	for _, s := range []string{"", "::", "::1", "1::", "1::2", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1::2::3", ":1", "1:", ":::", "::ffff:1.2.3.4", "::1.2.3.4", "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:7:1.2.3.4", "1::1.2.3", "::1.2.3.4:5", "12345::", "g::", "1.2.3.4", "01.2.3.4", "1.2.3.256", "1.2.3", "1.2.3.4.5", "1..2.3", "1.2.3.4 ", "fe80::1%eth0", "fe80::1%", "2001:db8::1%eth0", "1.2.3.4%eth0", "0.0.0.0", "00.0.0.0", "1.2.3.00"} {
		if got, _, _ := bracketed([]byte("[" + s + "]")); got != reference(s) {
			t.Errorf("[%s]: %v", s, got)
		}
		if got, want := parseAddr([]byte(s)), reference(s); got != want {
			t.Errorf("%q: %v, want %v", s, got, want)
		}
	}
	parts := rapid.SliceOfN(rapid.SampledFrom([]string{":", "::", ".", "0", "1", "ffff", "abcd", "12345", "192.0.2.1", "255", "256", "09", "%", "fe80:", "g", "2001:db8::"}), 1, 12)
	rapid.Check(t, func(t *rapid.T) {
		s := ""
		for _, p := range parts.Draw(t, "parts") {
			s += p
		}
		if got, want := parseAddr([]byte(s)), reference(s); got != want {
			t.Fatalf("%q: %v, want %v", s, got, want)
		}
		if got, _, _ := bracketed([]byte("[" + s + "]")); len(s) < 60 && got != reference(s) {
			t.Fatalf("[%s]: %v", s, got)
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "address")
		a := netip.AddrFrom16([16]byte(b))
		if got, rest, ok := bracketed([]byte("[" + a.Unmap().String() + "]x")); !ok || got != a.Unmap() || string(rest) != "x" {
			t.Fatalf("[%s]: %v", a.Unmap(), got)
		}
		if got := parseAddr([]byte(a.String())); got != a.Unmap() {
			t.Fatalf("%s: %v", a, got)
		}
	})
}
