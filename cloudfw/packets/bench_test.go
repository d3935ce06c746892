package packets

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"fwsync/cloudfw"
)

var inbound = cloudfw.ListKey{Direction: cloudfw.In, Family: cloudfw.IPv4}

// large is a list of so many rules over 100 books of 2,000 addresses.
func large(rules int) ([]cloudfw.FirewallRule, cloudfw.Snapshot) {
	r := rand.New(rand.NewPCG(1, 2))
	var world cloudfw.Snapshot
	for i := range 100 {
		b := cloudfw.AddressBook{Name: fmt.Sprintf("book-%d", i), Family: cloudfw.IPv4}
		for range 2000 {
			v := r.Uint32()
			b.Prefixes = append(b.Prefixes, netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}), 32))
		}
		b.Prefixes = cloudfw.SortPrefixes(b.Prefixes)
		world.Books = append(world.Books, b)
	}
	list := make([]cloudfw.FirewallRule, rules)
	for i := range list {
		list[i] = cloudfw.FirewallRule{
			ID: fmt.Sprintf("rule-%d", i), Direction: cloudfw.In, Family: cloudfw.IPv4, Application: "ANY",
			Action: []cloudfw.Action{cloudfw.Accept, cloudfw.Drop}[r.IntN(2)], Protocol: cloudfw.TCP,
			Ports:       cloudfw.PortRange{First: uint16(1 + r.IntN(1000)), Last: uint16(1001 + r.IntN(1000))},
			Source:      cloudfw.Peer{Kind: cloudfw.Net, Value: fmt.Sprintf("%d.%d.0.0/16", r.IntN(200), r.IntN(256))},
			Destination: cloudfw.Peer{Kind: cloudfw.Net, Value: fmt.Sprintf("192.0.2.%d/32", r.IntN(256))},
		}
		switch {
		case i < 100:
			list[i].Source = cloudfw.Peer{Kind: cloudfw.Book, Value: fmt.Sprintf("book-%d", i)}
			list[i].Destination = cloudfw.Peer{Kind: cloudfw.Net, Value: "0.0.0.0/0"}
			list[i].Protocol, list[i].Ports, list[i].Action = cloudfw.AnyProtocol, cloudfw.PortRange{}, cloudfw.Drop
		case i%3 == 0:
			list[i].Source = cloudfw.Peer{Kind: cloudfw.Net, Value: "0.0.0.0/0"}
		}
	}
	return list, world
}

// BenchmarkMoments proves a plan, compiling included: moves within a list, which is
// what makes moments unsafe.
func BenchmarkMoments(b *testing.B) {
	for _, size := range []struct{ rules, steps int }{{100, 200}, {1000, 20}, {1000, 200}, {5000, 200}} {
		b.Run(fmt.Sprintf("%d rules, %d steps", size.rules, size.steps), func(b *testing.B) {
			list, world := large(size.rules)
			r := rand.New(rand.NewPCG(3, 4))
			sequences := [][]cloudfw.FirewallRule{list}
			for range size.steps {
				list = slices.Clone(list)
				from, to := r.IntN(len(list)), r.IntN(len(list))
				moved := list[from]
				list = slices.Insert(slices.Delete(list, from, from+1), to, moved)
				sequences = append(sequences, list)
			}
			for b.Loop() {
				c := NewCompiler()
				states := make([]*List, len(sequences))
				for i := range sequences {
					states[i] = c.Firewall(inbound, sequences[i], world)
				}
				m := NewMoments(states)
				for i := range states {
					m.Unsafe(i, 1)
				}
			}
		})
	}
}

// BenchmarkDifferences compares two lists of 5,000 rules that differ in one.
func BenchmarkDifferences(b *testing.B) {
	list, world := large(5000)
	other := slices.Delete(slices.Clone(list), 50, 51)
	for b.Loop() {
		c := NewCompiler()
		if Equal(c.Firewall(inbound, list, world), c.Firewall(inbound, other, world)) {
			b.Fatal("equal")
		}
	}
}
