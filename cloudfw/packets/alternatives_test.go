package packets

import (
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"fwsync/cloudfw"
)

// A packet of which the opaque part is left open is decided by its rule or by one of
// the alternatives, whatever turns out to be true.
func TestAlternativesAreAllThereIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		family := rapid.SampledFrom(cloudfw.Families).Draw(t, "family")
		world, rules := smallWorld(t, family), smallRules(t, family)
		world.Strict = false
		l := Firewall(cloudfw.ListKey{Direction: cloudfw.In, Family: family}, rules, world)
		for range packetsPerState {
			full := smallPacket(t, family)
			bare := full
			bare.True, bare.Application = nil, ""
			possible := []string{l.Decide(bare).Rule}
			for _, a := range l.Alternatives(bare) {
				possible = append(possible, a.Rule)
				if len(a.When)+len(a.Application) == 0 {
					t.Fatalf("%+v: nothing keeps rule %s from deciding", bare, a.Rule)
				}
			}
			if got := l.Decide(full).Rule; !slices.Contains(possible, got) {
				t.Fatalf("%+v is decided by %q, not among %q", full, got, possible)
			}
		}
	})
}

func TestAlternativesNameWhatIsMissing(t *testing.T) {
	rules := []cloudfw.FirewallRule{
		{ID: "domain", Direction: cloudfw.Out, Family: cloudfw.IPv4, Action: cloudfw.Drop, Source: cloudfw.Peer{Kind: cloudfw.Net, Value: "0.0.0.0/0"},
			Destination: cloudfw.Peer{Kind: cloudfw.Domain, Value: "example.com"}, Protocol: cloudfw.TCP, Application: "HTTP,HTTPS"},
		{ID: "elsewhere", Direction: cloudfw.Out, Family: cloudfw.IPv4, Action: cloudfw.Drop, Source: cloudfw.Peer{Kind: cloudfw.Net, Value: "203.0.113.0/24"},
			Destination: cloudfw.Peer{Kind: cloudfw.Domain, Value: "example.com"}, Protocol: cloudfw.TCP, Application: "ANY"},
	}
	l := Firewall(cloudfw.ListKey{Direction: cloudfw.Out, Family: cloudfw.IPv4}, rules, cloudfw.Snapshot{})
	p := Packet{Source: netip.MustParseAddr("192.0.2.1"), Destination: netip.MustParseAddr("198.51.100.1"), Protocol: cloudfw.TCP, Port: 443}
	got := l.Alternatives(p)
	if len(got) != 1 || got[0].Rule != "domain" || !slices.Equal(got[0].When, []string{"domain:example.com"}) || !slices.Equal(got[0].Application, []string{"HTTP", "HTTPS"}) {
		t.Fatalf("got %+v", got)
	}
	p.Application = "HTTP"
	if got = l.Alternatives(p); len(got) != 1 || got[0].Application != nil {
		t.Errorf("with the application: %+v", got)
	}
	p.True = []string{"domain:example.com"}
	if got = l.Alternatives(p); got != nil {
		t.Errorf("with the condition too it is decided: %+v", got)
	}
}
