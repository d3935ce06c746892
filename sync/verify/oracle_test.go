package verify

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"fwsync/cloudfw"
	"fwsync/cloudfw/lower"
)

// packet is one packet of a small space: sixteen addresses outside, two inside, three
// services, and whether the domain that a rule may name is its destination.
type packet struct {
	from, to netip.Addr
	protocol cloudfw.Protocol
	port     uint16
	domain   bool
}

func outside(n int) netip.Addr { return netip.AddrFrom4([4]byte{198, 51, 100, byte(n)}) }
func inside(n int) netip.Addr  { return netip.AddrFrom4([4]byte{192, 0, 2, byte(n)}) }

// dropped says what a list does with a packet, as plainly as it can be written.
func dropped(list []cloudfw.FirewallRule, world cloudfw.Snapshot, p packet) bool {
	reaches := func(peer cloudfw.Peer, a netip.Addr) bool {
		if peer.Kind == cloudfw.Domain {
			return p.domain
		}
		held, _ := world.Addresses(peer)
		return slices.ContainsFunc(held, func(q netip.Prefix) bool { return q.Contains(a) })
	}
	for _, r := range list {
		if !r.Disabled && reaches(r.Source, p.from) && reaches(r.Destination, p.to) &&
			(r.Protocol == cloudfw.AnyProtocol || r.Protocol == p.protocol && (r.Ports.AllPorts() || r.Ports.First <= p.port && p.port <= r.Ports.Last)) {
			return r.Action == cloudfw.Drop
		}
	}
	return false
}

func everyPacketOf(prefix netip.Prefix, out bool, demand cloudfw.Rule, seen func(packet)) {
	for own := range 17 {
		for other := range 3 {
			for _, service := range []packet{{protocol: cloudfw.TCP, port: 25}, {protocol: cloudfw.TCP, port: 587}, {protocol: cloudfw.UDP, port: 25}} {
				if !prefix.Contains(outside(own)) || demand.Protocol != cloudfw.AnyProtocol && (service.protocol != demand.Protocol || len(demand.Ports) > 0 && service.port != demand.Ports[0].First) {
					continue
				}
				for _, domain := range []bool{false, true} {
					p := service
					p.from, p.to, p.domain = outside(own), inside(other), domain
					if out {
						p.from, p.to = p.to, p.from
					}
					seen(p)
				}
			}
		}
	}
}

// Against the oracle: whatever stands in the internet border's two lists of a family
// and at a NAT border, a block is traced there when no packet of it that the declared
// rules mean to stop passes, and is a gap when one does.
func TestP5TracesAgreeWithTheOracle(t *testing.T) {
	traces, gaps := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		prefix := func(label string) netip.Prefix {
			bits := rapid.SampledFrom([]int{28, 30, 31, 32, 32, 32}).Draw(t, label+" bits")
			return netip.PrefixFrom(outside(rapid.IntRange(0, 15).Draw(t, label)), bits).Masked()
		}
		intent := cloudfw.Intent{Owner: owner, Targets: []cloudfw.Target{{Kind: cloudfw.InternetFirewall}}}
		nat := cloudfw.Border{NAT: "ngw-1"}
		if rapid.Bool().Draw(t, "nat") {
			intent.Targets = append(intent.Targets, cloudfw.Target{Kind: cloudfw.NATFirewall, Border: nat})
		}
		services := []cloudfw.Rule{{Protocol: cloudfw.AnyProtocol}, {Protocol: cloudfw.TCP}, {Protocol: cloudfw.TCP, Ports: []cloudfw.PortRange{{First: 25, Last: 25}}}}
		var demanded []cloudfw.Rule
		for _, d := range []cloudfw.Direction{cloudfw.In, cloudfw.Out} {
			if d == cloudfw.Out && rapid.Bool().Draw(t, "in only") {
				continue
			}
			r := rapid.SampledFrom(services).Draw(t, "demand")
			r.Name, r.Direction, r.Action, r.Application = string(d), d, cloudfw.Drop, "ANY"
			r.From, r.To = cloudfw.Side{Blocked: true}, cloudfw.Side{Any: true}
			if d == cloudfw.Out {
				r.From, r.To = r.To, r.From
			}
			demanded = append(demanded, r)
		}
		intent.Rules = demanded
		for range rapid.IntRange(1, 4).Draw(t, "blocks") {
			p := prefix("block")
			if !slices.ContainsFunc(intent.Blocked, func(b cloudfw.Block) bool { return b.Prefix == p }) {
				intent.Blocked = append(intent.Blocked, cloudfw.Block{Prefix: p})
			}
		}
		var live cloudfw.Snapshot
		for i := range 2 {
			b := cloudfw.AddressBook{Name: fmt.Sprintf("fwsync-edge-blocked4-%d", i+1), Family: cloudfw.IPv4}
			b.Description = cloudfw.Marker{Owner: owner, Kind: "book", Name: fmt.Sprintf("blocked4-%d", i+1)}.String()
			for _, blocked := range intent.Blocked {
				if rapid.IntRange(0, 3).Draw(t, "held") > 0 {
					b.Prefixes = append(b.Prefixes, blocked.Prefix)
				}
			}
			b.Prefixes = cloudfw.SortPrefixes(append(b.Prefixes, prefix("also held")))
			live.Books = append(live.Books, b)
		}
		everywhere := cloudfw.Peer{Kind: cloudfw.Net, Value: "0.0.0.0/0"}
		for _, key := range []cloudfw.ListKey{{Direction: cloudfw.In, Family: cloudfw.IPv4}, {Direction: cloudfw.Out, Family: cloudfw.IPv4}, {Border: nat, Direction: cloudfw.Out, Family: cloudfw.IPv4}} {
			for order := range rapid.IntRange(0, 5).Draw(t, "rules") {
				s := rapid.SampledFrom(services).Draw(t, "service")
				r := cloudfw.FirewallRule{
					ID: fmt.Sprintf("%s-%d", key, order), Order: order + 1, Border: key.Border, Direction: key.Direction, Family: key.Family,
					Action:   rapid.SampledFrom([]cloudfw.Action{cloudfw.Drop, cloudfw.Drop, cloudfw.Accept, cloudfw.Log}).Draw(t, "action"),
					Protocol: s.Protocol, Application: "ANY", Disabled: rapid.IntRange(0, 9).Draw(t, "disabled") == 0,
				}
				if len(s.Ports) > 0 {
					r.Ports = s.Ports[0]
				}
				own := everywhere
				switch rapid.IntRange(0, 5).Draw(t, "own side") {
				case 0, 1, 2:
					own = cloudfw.Peer{Kind: cloudfw.Book, Value: live.Books[rapid.IntRange(0, 1).Draw(t, "book")].Name}
				case 3, 4:
					own = cloudfw.Peer{Kind: cloudfw.Net, Value: prefix("net").String()}
				}
				other := rapid.SampledFrom([]cloudfw.Peer{everywhere, everywhere, {Kind: cloudfw.Net, Value: "192.0.2.0/31"}, {Kind: cloudfw.Domain, Value: "example.com"}}).Draw(t, "other side")
				r.Source, r.Destination = own, other
				if key.Direction == cloudfw.Out {
					r.Source, r.Destination = other, own
				}
				if rapid.Bool().Draw(t, "ours") {
					r.Description = cloudfw.Marker{Owner: owner, Kind: "rule", Name: fmt.Sprint("r", order)}.String()
				}
				live.Rules = append(live.Rules, r)
			}
		}
		live.Sort()
		wanted, err := lower.Lower(intent, live, cloudfw.DefaultLimits(), nil)
		if err != nil {
			t.Fatal(err)
		}
		report := Check(intent, wanted, live)
		for _, target := range intent.Targets {
			for _, b := range intent.Blocked {
				enforced, asked := true, false
				for _, d := range demanded {
					key := cloudfw.ListKey{Border: target.Border, Direction: d.Direction, Family: cloudfw.IPv4}
					if !target.Takes(d) {
						continue
					}
					asked = true
					everyPacketOf(b.Prefix, d.Direction == cloudfw.Out, d, func(p packet) { enforced = enforced && dropped(live.List(key), live, p) })
				}
				traced := slices.ContainsFunc(report.Traces, func(x Trace) bool { return x.Prefix == b.Prefix && x.Target == target.Name() })
				gap := slices.ContainsFunc(report.Gaps, func(g Gap) bool { return g.Subject == b.Prefix.String() && g.Target == target.Name() })
				if traced != (asked && enforced) || gap != (asked && !enforced) {
					t.Fatalf("%s at %s: traced %v, gap %v; the oracle says asked %v, enforced %v\n%v", b.Prefix, target.Name(), traced, gap, asked, enforced, live.Rules)
				}
			}
		}
		for _, x := range report.Traces {
			at := slices.IndexFunc(live.Rules, func(r cloudfw.FirewallRule) bool { return r.ID == x.RuleID })
			if at < 0 || live.Rules[at].Action != cloudfw.Drop || live.Rules[at].Disabled || x.Foreign == owner.Owns("rule", live.Rules[at].Description) {
				t.Fatalf("the trace %+v does not name a drop as it is", x)
			}
		}
		traces, gaps = traces+len(report.Traces), gaps+len(report.Gaps)
	})
	if traces == 0 || gaps == 0 {
		t.Errorf("%d traces and %d gaps: the states are too much alike", traces, gaps)
	}
}
