package plan

import (
	"fmt"
	"net/netip"
	"testing"

	"fwsync/cloudfw"
)

// BenchmarkPlan plans so many blocks, rules of other people and security groups
// against a live state that differs by a hundredth of the blocks: half of them go,
// others come. Lowering, order and proof included.
func BenchmarkPlan(b *testing.B) {
	for _, size := range []struct{ blocks, rules, groups int }{{10_000, 500, 20}, {50_000, 0, 0}, {100_000, 5000, 0}, {100_000, 5000, 200}} {
		b.Run(fmt.Sprintf("%d blocks, %d rules, %d groups", size.blocks, size.rules, size.groups), func(b *testing.B) {
			intent, live := largeAccount(b, size.blocks, size.rules, size.groups)
			for i := range size.blocks / 200 {
				intent.Blocked[i*197].Prefix = host(203, 0, i>>8, i)
			}
			changed := 0
			b.ReportAllocs()
			for b.Loop() {
				p, err := Compute(Input{Intent: intent, Live: live, Limits: cloudfw.DefaultLimits(), Now: now})
				if err != nil {
					b.Fatal(err)
				}
				if !p.Proof.Safe {
					b.Fatal("not safe")
				}
				changed = 0
				for _, s := range p.Steps {
					if s.Book != nil {
						changed += len(s.Prefixes)
					}
					if s.Op == cloudfw.CreateBook { // the books are full: the newcomers get one of their own
						changed += len(s.Book.Prefixes)
					}
				}
			}
			if changed != size.blocks/100 {
				b.Fatalf("the plan changes %d addresses, want %d", changed, size.blocks/100)
			}
		})
	}
}

func host(a, b, c, d int) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(a), byte(b), byte(c), byte(d)}), 32)
}

// largeAccount is an intent and the account that enforces it.
func largeAccount(b *testing.B, blocks, rules, groups int) (cloudfw.Intent, cloudfw.Snapshot) {
	intent := cloudfw.Intent{Owner: "edge", Targets: []cloudfw.Target{{Kind: cloudfw.InternetFirewall}},
		Rules: []cloudfw.Rule{{Name: "drop", Direction: cloudfw.In, From: cloudfw.Side{Blocked: true}, To: cloudfw.Side{Any: true}, Protocol: cloudfw.AnyProtocol, Application: "ANY", Action: cloudfw.Drop}}}
	for i := range blocks {
		intent.Blocked = append(intent.Blocked, cloudfw.Block{Prefix: host(100+i>>16, 64, i>>8, i)})
	}
	w := &world{t: b}
	for i := range groups {
		id := fmt.Sprintf("sg-%d", i)
		intent.Targets = append(intent.Targets, cloudfw.Target{Kind: cloudfw.SecurityGroupTarget, GroupID: id, Via: cloudfw.ViaPrefixList, Capacity: 100})
		g := cloudfw.SecurityGroup{ID: id}
		for k := range 90 {
			g.Rules = append(g.Rules, cloudfw.GroupRule{ID: fmt.Sprintf("%s-%d", id, k), Direction: cloudfw.In, Action: cloudfw.Accept, Protocol: cloudfw.TCP, Ports: cloudfw.PortRange{First: uint16(k + 1), Last: uint16(k + 1)},
				Peer: cloudfw.Peer{Kind: cloudfw.Net, Value: host(198, 51, 100, k).String()}, Priority: 10, Description: "by hand"})
		}
		w.snap.Groups = append(w.snap.Groups, g)
	}
	limits := cloudfw.DefaultLimits()
	first, err := Compute(Input{Intent: intent, Live: w.snap, Limits: limits, Now: now})
	if err != nil {
		b.Fatal(err)
	}
	for _, s := range first.Steps {
		if s.GroupID == "" && s.List == nil {
			w.execute(s)
			continue
		}
		w.executeQuickly(s)
	}
	free := len(w.snap.List(inbound)) + 1
	for i := range rules {
		w.snap.Rules = append(w.snap.Rules, cloudfw.FirewallRule{ID: fmt.Sprintf("hand-%d", i), Order: free + i, Direction: cloudfw.In, Family: cloudfw.IPv4,
			Action: cloudfw.Accept, Source: cloudfw.Peer{Kind: cloudfw.Net, Value: host(198, 18, i>>8, i).String()}, Destination: cloudfw.Peer{Kind: cloudfw.Net, Value: host(192, 0, 2, i%256).String()},
			Protocol: cloudfw.TCP, Ports: cloudfw.PortRange{First: uint16(i + 1), Last: uint16(i + 1)}, Application: "ANY", Description: fmt.Sprintf("by hand %d", i)})
	}
	w.snap.Sort()
	return intent, w.snap
}

var inbound = cloudfw.ListKey{Direction: cloudfw.In, Family: cloudfw.IPv4}

// executeQuickly is execute for the groups, without sorting the account each time.
func (w *world) executeQuickly(s cloudfw.Step) {
	switch s.Op {
	case cloudfw.CreateList:
		l := *s.List
		l.ID = w.id("list")
		w.snap.Lists = append(w.snap.Lists, l)
	case cloudfw.AuthoriseRules:
		for _, r := range s.GroupRules {
			r = withListID(r, w.snap)
			r.ID = w.id("sgr")
			w.group(s.GroupID).Rules = append(w.group(s.GroupID).Rules, r)
		}
	default:
		w.t.Fatalf("unexpected %s", s.Op)
	}
}
