package gates

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"fwsync/cloudfw"
	"fwsync/sync/plan"
)

// Promise P3: whatever got into the intent, no plan that blocks a protected address
// passes, both families, inside a wider block or around a narrower one.
func TestP3NeverBlockHoldsOnTheFinalPlan(t *testing.T) {
	for _, c := range []struct{ name, blocked, reason string }{
		{"loopback", "127.0.0.1", "loopback"},
		{"private", "10.2.3.0/24", "private"},
		{"shared", "100.64.1.1", "shared"},
		{"multicast", "224.0.0.5", "multicast"},
		{"reserved", "240.0.0.1", "reserved"},
		{"link-local IPv6", "fe80::1", "link-local"},
		{"unique local IPv6", "fd12::/64", "private"},
		{"our own address", "192.0.2.25", "our own address"},
		{"a prefix around our own address", "192.0.2.0/24", "our own address 192.0.2.25"},
		{"the allowlist", "203.0.113.5", "group office"},
		{"the operator", "198.51.100.200", "operator"},
		{"a provider", "198.18.7.7", "ranges of cdn"},
		{"a prefix around a provider", "198.18.0.0/15", "ranges of cdn"},
		{"a provider in IPv6", "2001:db8:cd::99", "ranges of cdn"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := Input{
				Intent:    intentOf(prefixes(c.blocked)...),
				Live:      cloudfw.Snapshot{Assets: []cloudfw.Asset{{Address: netip.MustParseAddr("192.0.2.25")}}},
				Operator:  Operator{Addresses: []netip.Addr{netip.MustParseAddr("198.51.100.200")}},
				Providers: []cloudfw.Exempt{{Prefix: prefixes("198.18.0.0/16")[0], Reason: "ranges of cdn"}, {Prefix: prefixes("2001:db8:cd::/48")[0], Reason: "ranges of cdn"}},
			}
			in.Intent.Allowed = []cloudfw.Exempt{{Prefix: prefixes("203.0.113.0/28")[0], Reason: "group office"}}
			expect(t, check(t, in), "never-block", c.reason)
		})
	}
	t.Run("an ordinary address passes", func(t *testing.T) {
		if got := check(t, Input{Intent: intentOf(prefixes("198.51.100.7", "2001:db8:bad::1")...)}); len(got) > 0 {
			t.Errorf("refusals = %v", got)
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "addr"))), rapid.IntRange(16, 32).Draw(t, "bits")).Masked()
		pl, err := plan.Compute(plan.Input{Intent: intentOf(p), Limits: cloudfw.DefaultLimits(), Now: now})
		if err != nil {
			t.Fatal(err)
		}
		refused := len(Check(Input{Plan: pl, Intent: intentOf(p), Limits: DefaultLimits()})) > 0
		if _, reserved := cloudfw.Reserved(p); reserved != refused {
			t.Fatalf("%s: reserved %v, refused %v", p, reserved, refused)
		}
	})
}

// A prefix that came in unparsed, as IPv4 within IPv6, is one of nobody's.
func TestP3MappedAddressesAreRefusedHoweverTheyAreWritten(t *testing.T) {
	for _, raw := range []string{"::ffff:0:0/96", "::ffff:198.51.100.7/128", "::fffe:0:0/95", "::ffff:c633:6400/120"} {
		step := cloudfw.Step{Op: cloudfw.AppendAddresses, Book: &cloudfw.AddressBook{}, Prefixes: []netip.Prefix{netip.MustParsePrefix(raw)}}
		f := neverBlock(Input{Plan: plan.Plan{Owner: "edge", Steps: []cloudfw.Step{step}}})
		if len(f.Withheld) != 1 {
			t.Errorf("%s passed: %+v", raw, f)
		}
	}
}
