package gates

import (
	"net/netip"
	"testing"

	"fwsync/cloudfw"
)

func TestARuleThatDropsEverythingIsRefused(t *testing.T) {
	halves := cloudfw.Side{Group: "all", Prefixes: prefixes("0.0.0.0/1", "128.0.0.0/1")}
	any := cloudfw.Side{Any: true}
	servers := cloudfw.Side{Prefixes: prefixes("192.0.2.0/24")}
	drop := cloudfw.Rule{Name: "deny", Direction: cloudfw.In, Protocol: cloudfw.AnyProtocol, Application: "ANY", Action: cloudfw.Drop}
	for _, c := range []struct {
		name     string
		from, to cloudfw.Side
		change   func(*cloudfw.Rule)
		refused  bool
	}{
		{"any to any", any, any, nil, true},
		{"two halves to any", halves, any, nil, true},
		{"any to two halves", any, halves, nil, true},
		{"outbound", any, any, func(r *cloudfw.Rule) { r.Direction = cloudfw.Out }, true},
		{"to our servers", any, servers, nil, false},
		{"one half", cloudfw.Side{Prefixes: prefixes("0.0.0.0/1")}, any, nil, false},
		{"one port", any, any, func(r *cloudfw.Rule) {
			r.Protocol, r.Ports = cloudfw.TCP, []cloudfw.PortRange{{First: 25, Last: 25}}
		}, false},
		{"an accept", any, any, func(r *cloudfw.Rule) { r.Action = cloudfw.Accept }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			rule := drop
			rule.From, rule.To = c.from, c.to
			if c.change != nil {
				c.change(&rule)
			}
			in := Input{Intent: intentOf()}
			in.Intent.Rules = append(in.Intent.Rules, rule)
			got := check(t, in)
			if !c.refused {
				if len(got) > 0 {
					t.Errorf("refusals = %v", got)
				}
				return
			}
			expect(t, got, "drop-everything", "it drops all ipv4 traffic")
			in.Limits = DefaultLimits()
			in.Limits.DropEverything = true
			if got := check(t, in); len(got) > 0 {
				t.Errorf("with the flag: %v", got)
			}
		})
	}
}

// Prefixes that each pass may add up to the internet.
func TestBlocksThatAddUpToTheInternetAreRefused(t *testing.T) {
	var wide []netip.Prefix
	for i := range 40 { // of a /8 each: more than an eighth of IPv4
		wide = append(wide, netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(11 + i)}), 8))
	}
	limits := DefaultLimits()
	limits.WidestIPv4 = 8
	expect(t, check(t, Input{Intent: intentOf(wide...), Limits: limits}), "drop-everything", "671088640 IPv4 addresses")
	if got := check(t, Input{Intent: intentOf(wide[:30]...), Limits: limits}); len(got) > 0 {
		t.Errorf("less than an eighth: %v", got)
	}
}
