package plan

import (
	"net/netip"
	"testing"

	"fwsync/cloudfw"
)

// BenchmarkPlan plans 50,000 blocks against a live state that differs by 100.
func BenchmarkPlan(b *testing.B) {
	intent := cloudfw.Intent{Owner: "edge", Targets: []cloudfw.Target{{Kind: cloudfw.InternetFirewall}},
		Rules: []cloudfw.Rule{{Name: "drop", Direction: cloudfw.In, From: cloudfw.Side{Blocked: true}, To: cloudfw.Side{Any: true}, Protocol: cloudfw.AnyProtocol, Application: "ANY", Action: cloudfw.Drop}}}
	for i := range 50_000 {
		intent.Blocked = append(intent.Blocked, cloudfw.Block{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 18, byte(i >> 8), byte(i)}), 32)})
	}
	w := &world{t: b}
	first, err := Compute(Input{Intent: intent, Limits: cloudfw.DefaultLimits(), Now: now})
	if err != nil {
		b.Fatal(err)
	}
	for _, s := range first.Steps {
		w.execute(s)
	}
	for i := range 50 { // 50 go, 50 come
		intent.Blocked[i*997].Prefix = netip.PrefixFrom(netip.AddrFrom4([4]byte{203, 0, 113, byte(i)}), 32)
	}
	changed := 0
	for b.Loop() {
		p, err := Compute(Input{Intent: intent, Live: w.snap, Limits: cloudfw.DefaultLimits(), Now: now})
		if err != nil {
			b.Fatal(err)
		}
		changed = 0
		for _, s := range p.Steps {
			changed += len(s.Prefixes)
			if s.Op == cloudfw.CreateBook { // the books are full: the newcomers get one of their own
				changed += len(s.Book.Prefixes)
			}
		}
	}
	if changed != 100 {
		b.Fatalf("the plan changes %d addresses, want 100", changed)
	}
}
