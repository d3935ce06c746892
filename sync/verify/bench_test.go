package verify

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"fwsync/cloudfw"
	"fwsync/cloudfw/lower"
)

// BenchmarkCheck verifies 100,000 blocks and 5,000 declared rules at the internet
// border, as they must be, with 500 foreign rules below ours; and before the first
// run, when every block is a gap.
func BenchmarkCheck(b *testing.B) {
	intent := cloudfw.Intent{Owner: owner, Targets: []cloudfw.Target{{Kind: cloudfw.InternetFirewall}}}
	intent.Rules = append(intent.Rules, cloudfw.Rule{Name: "drop-attackers", Direction: cloudfw.In, From: cloudfw.Side{Blocked: true}, To: cloudfw.Side{Any: true}, Protocol: cloudfw.AnyProtocol, Application: "ANY", Action: cloudfw.Drop})
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 5000 {
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), 32)
		from := netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(1 + r.IntN(100)), byte(r.IntN(256)), 0, 0}), 16)
		intent.Rules = append(intent.Rules, cloudfw.Rule{
			Name: fmt.Sprintf("rule-%d", i), Direction: cloudfw.In, From: cloudfw.Side{Prefixes: []netip.Prefix{from}}, To: cloudfw.Side{Prefixes: []netip.Prefix{p}},
			Protocol: cloudfw.TCP, Ports: []cloudfw.PortRange{{First: uint16(1 + i), Last: uint16(1 + i)}}, Application: "ANY", Action: []cloudfw.Action{cloudfw.Accept, cloudfw.Drop}[i%2],
		})
	}
	seen := map[netip.Prefix]bool{}
	for len(intent.Blocked) < 100_000 {
		v := r.Uint32()
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}), 32)
		if !seen[p] {
			seen[p] = true
			intent.Blocked = append(intent.Blocked, cloudfw.Block{Prefix: p, Score: 1})
		}
	}
	wanted, err := lower.Lower(intent, cloudfw.Snapshot{}, cloudfw.DefaultLimits(), nil)
	if err != nil {
		b.Fatal(err)
	}
	key := cloudfw.ListKey{Direction: cloudfw.In, Family: cloudfw.IPv4}
	foreign := func(s *cloudfw.Snapshot, from int) {
		for i := range 500 {
			s.Rules = append(s.Rules, cloudfw.FirewallRule{ID: fmt.Sprint("hand-", i), Order: from + i, Direction: cloudfw.In, Family: cloudfw.IPv4, Action: cloudfw.Accept, Protocol: cloudfw.TCP, Application: "ANY",
				Ports: cloudfw.PortRange{First: 25, Last: 25}, Source: cloudfw.Peer{Kind: cloudfw.Net, Value: "0.0.0.0/0"}, Destination: cloudfw.Peer{Kind: cloudfw.Net, Value: fmt.Sprintf("203.0.113.%d/32", i%256)}})
		}
		s.Sort()
	}
	live, bare := cloudfw.Snapshot{Books: wanted.Books}, cloudfw.Snapshot{}
	for i, rule := range wanted.Rules[key] {
		rule.ID, rule.Order = fmt.Sprint("ours-", i), i+1
		live.Rules = append(live.Rules, rule)
	}
	foreign(&live, len(live.Rules)+1)
	foreign(&bare, 1)
	for _, c := range []struct {
		name string
		live cloudfw.Snapshot
		gaps int
	}{{"all enforced", live, 0}, {"nothing there", bare, len(intent.Blocked) + len(wanted.Rules[key])}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if r := Check(intent, wanted, c.live); len(r.Gaps) != c.gaps {
					b.Fatalf("%d gaps, want %d, such as %v", len(r.Gaps), c.gaps, r.Gaps[0])
				}
			}
		})
	}
}
