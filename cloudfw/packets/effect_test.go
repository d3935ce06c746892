package packets

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"fwsync/cloudfw"
)

// The searches for single packets agree with the comparisons of whole lists, and with
// the oracle on each packet.
func TestEffectsOfSingleRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		family := rapid.SampledFrom(cloudfw.Families).Draw(t, "family")
		world, rules := smallWorld(t, family), smallRules(t, family)
		world.Strict = false
		key := cloudfw.ListKey{Direction: cloudfw.In, Family: family}
		l := Firewall(key, rules, world)
		g := NewEffects(l, nil)
		deciding := l.Deciders()
		for i := range rules {
			if got := g.Decides(i); got != deciding[i] {
				t.Fatalf("rule %d decides: %v, by comparison %v", i, got, deciding[i])
			}
			counts := g.Counts(i, func(heir int) bool { return passes(rules, heir) == passes(rules, i) })
			if counts == l.Redundant(i) {
				t.Fatalf("rule %d counts: %v, and is redundant: %v", i, counts, counts)
			}
			takers := g.Takers(i)
			if (len(takers) > 0) != (!deciding[i] && !l.rules[i].never) {
				t.Fatalf("rule %d decides: %v, takers %v", i, deciding[i], takers)
			}
			if c := g.Coverer(i); c >= 0 && (deciding[i] || len(takers) == 0) {
				t.Fatalf("rule %d is covered by %d, decides: %v, takers %v", i, c, deciding[i], takers)
			}
			for range 40 {
				p := smallPacket(t, family)
				_, by := oracle(rules, world, p)
				_, alone := oracle(rules[i:i+1], world, p)
				if alone == 0 && len(takers) > 0 && !slices.ContainsFunc(takers, func(at int) bool {
					_, alone := oracle(rules[at:at+1], world, p)
					return alone == 0
				}) {
					t.Fatalf("%+v of rule %d is taken by %d, and by none of %v", p, i, by, takers)
				}
				for other := range rules {
					_, inOther := oracle(rules[other:other+1], world, p)
					if by == i && inOther == 0 && !g.DecidesWithin(i, other) {
						t.Fatalf("%+v is decided by rule %d within rule %d", p, i, other)
					}
					if inOther == 0 && alone != 0 && g.Holds(i, other) {
						t.Fatalf("rule %d matches %+v, rule %d does not and holds it", other, p, i)
					}
				}
			}
		}
	})
}

func passes(rules []cloudfw.FirewallRule, at int) bool {
	return at < 0 || rules[at].Action != cloudfw.Drop
}

// A packet within another rule's box is found though the rule decides elsewhere only,
// and the caller may tell apart what the engine does not.
func TestEffectsWithinOthers(t *testing.T) {
	rule := func(action cloudfw.Action, source string, port uint16) cloudfw.FirewallRule {
		return cloudfw.FirewallRule{Direction: cloudfw.In, Family: cloudfw.IPv4, Action: action, Application: "ANY",
			Source: cloudfw.Peer{Kind: cloudfw.Net, Value: source}, Destination: cloudfw.Peer{Kind: cloudfw.Net, Value: "0.0.0.0/0"},
			Protocol: cloudfw.TCP, Ports: cloudfw.PortRange{First: port, Last: port}}
	}
	rules := []cloudfw.FirewallRule{
		rule(cloudfw.Drop, "198.51.100.0/25", 25),
		rule(cloudfw.Log, "198.51.100.0/24", 25),
		rule(cloudfw.Accept, "198.51.100.0/24", 25),
		rule(cloudfw.Accept, "198.51.100.0/26", 25),
	}
	g := NewEffects(Firewall(inbound, rules, cloudfw.Snapshot{}), nil)
	if g.DecidesWithin(1, 3) || !g.DecidesWithin(1, 2) {
		t.Error("rule 1 decides the upper half of the network only")
	}
	for i, want := range []bool{true, true, false, false} {
		if got := g.Decides(i); got != want {
			t.Errorf("rule %d decides: %v", i, got)
		}
	}
	if got := g.Coverer(2); got != 1 {
		t.Errorf("rule 2 is covered by %d", got)
	}
	if got := g.Takers(2); !slices.Equal(got, []int{0, 1}) {
		t.Errorf("the packets of rule 2 are taken by %v", got)
	}
	if g.Counts(1, func(heir int) bool { return passes(rules, heir) }) {
		t.Error("without the log all of it would pass as well")
	}
	if !g.Counts(1, func(heir int) bool { return heir >= 0 && rules[heir].Action == cloudfw.Log }) {
		t.Error("without the log nothing would be recorded")
	}
}

// The whole of a large list, rule by rule.
func BenchmarkEffects(b *testing.B) {
	rules, world := large(1000)
	l := Firewall(inbound, rules, world)
	for b.Loop() {
		g := NewEffects(l, nil)
		for i := range rules {
			if g.Decides(i) {
				g.Counts(i, func(heir int) bool { return passes(rules, heir) == passes(rules, i) })
			} else {
				g.Takers(i)
			}
		}
	}
}
