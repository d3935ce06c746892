package packets

import (
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"fwsync/cloudfw"
)

// packetsAsked hands over the packets of a small space that a question is about, until
// the function says stop. The points chosen lie in every atom of the small rules.
func packetsAsked(l *List, q Question, prefix netip.Prefix, seen func(Packet) bool) {
	host := func(n byte) netip.Addr {
		if l.family == cloudfw.IPv6 {
			return netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: n})
		}
		return netip.AddrFrom4([4]byte{198, 51, 100, n})
	}
	conditions := l.Conditions()
	for _, protocol := range []cloudfw.Protocol{cloudfw.TCP, cloudfw.UDP, cloudfw.ICMP, "gre"} {
		ports := []uint16{0}
		if protocol == cloudfw.TCP || protocol == cloudfw.UDP {
			ports = []uint16{0, 1, 21, 24, 25, 26, 586, 587, 65535}
		}
		for _, port := range ports {
			if q.Protocol != cloudfw.AnyProtocol && q.Protocol != protocol || len(q.Ports) > 0 &&
				!slices.ContainsFunc(q.Ports, func(r cloudfw.PortRange) bool { return r.First <= port && port <= r.Last }) {
				continue
			}
			for _, application := range []string{"", "SMTP", "SSH", "HTTP"} {
				if q.Application != "ANY" && q.Application != application {
					continue
				}
				for true1 := range 1 << len(conditions) {
					p := Packet{Protocol: protocol, Port: port, Application: application}
					for i, c := range conditions {
						if true1>>i&1 == 1 {
							p.True = append(p.True, c)
						}
					}
					for own := range byte(18) {
						for opposite := range byte(18) {
							p.Source, p.Destination = host(own), host(opposite)
							if !prefix.Contains(p.Source) || q.Opposite != nil && !slices.ContainsFunc(q.Opposite, func(o netip.Prefix) bool { return o.Contains(p.Destination) }) {
								continue
							}
							if q.AtDestination {
								p.Source, p.Destination = p.Destination, p.Source
							}
							if !seen(p) {
								return
							}
						}
					}
				}
			}
		}
	}
}

// A prefix passes when the oracle lets one of its packets pass, and not otherwise.
func TestFatesAgreeWithTheOracle(t *testing.T) {
	passed, dropped := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		family := rapid.SampledFrom(cloudfw.Families).Draw(t, "family")
		world, rules := smallWorld(t, family), smallRules(t, family)
		if rapid.Bool().Draw(t, "ours") { // else hardly anything is ever dropped as a whole
			ours := cloudfw.FirewallRule{ID: "ours", Direction: cloudfw.In, Family: family, Action: cloudfw.Drop, Protocol: cloudfw.AnyProtocol, Application: "ANY",
				Source: cloudfw.Peer{Kind: cloudfw.Book, Value: "b0"}, Destination: cloudfw.Peer{Kind: cloudfw.Net, Value: family.Everything().String()}}
			rules = slices.Insert(rules, rapid.IntRange(0, len(rules)).Draw(t, "at"), ours)
		}
		l := Firewall(cloudfw.ListKey{Direction: cloudfw.In, Family: family}, rules, world)
		q := Question{
			AtDestination: rapid.Bool().Draw(t, "at destination"),
			Protocol:      rapid.SampledFrom([]cloudfw.Protocol{cloudfw.AnyProtocol, cloudfw.TCP, cloudfw.UDP}).Draw(t, "protocol asked"),
			Application:   "ANY",
		}
		if q.Protocol == cloudfw.TCP {
			q.Ports = rapid.SampledFrom([][]cloudfw.PortRange{nil, {{First: 25, Last: 25}}, {{First: 20, Last: 24}, {First: 587, Last: 587}}}).Draw(t, "ports asked")
			q.Application = rapid.SampledFrom(smallApps).Draw(t, "application asked")
		}
		if rapid.Bool().Draw(t, "some opposite") {
			q.Opposite = []netip.Prefix{smallPrefix(t, family)}
		}
		for range 3 {
			q.Prefixes = append(q.Prefixes, smallPrefix(t, family))
		}
		if b := world.Books[0].Prefixes; len(b) > 0 {
			q.Prefixes = append(q.Prefixes, b[0])
		}
		for i, f := range l.Fates(q) {
			first := len(rules) + 1 // of the rules that let a packet pass, the fallback behind them
			packetsAsked(l, q, q.Prefixes[i], func(p Packet) bool {
				if action, by := oracle(rules, world, p); action != cloudfw.Drop {
					if by < 0 {
						by = len(rules)
					}
					first = min(first, by)
				}
				return !f.Passes || first > 0
			})
			if passes := first <= len(rules); passes != f.Passes {
				t.Fatalf("%s: passes %v, the oracle says %v (%d)\n%+v", q.Prefixes[i], f.Passes, passes, first, rules)
			}
			if f.Passes {
				passed++
				if first == len(rules) {
					first = -1
				}
				if want := ruleID(rules, first); want != f.Rule {
					t.Fatalf("%s: let pass by %q, the oracle says %q", q.Prefixes[i], f.Rule, want)
				}
				continue
			}
			dropped++
			if !slices.ContainsFunc(rules, func(r cloudfw.FirewallRule) bool { return r.ID == f.Rule && (world.Strict || r.Action == cloudfw.Drop) }) {
				t.Fatalf("%s: dropped by %q", q.Prefixes[i], f.Rule)
			}
		}
	})
	// Of a few random cases none may be like that.
	if !testing.Short() && (passed == 0 || dropped == 0) {
		t.Errorf("%d pass, %d are dropped: the states are too much alike", passed, dropped)
	}
}

// Of ours that are overruled the oracle, asked with all rules and with ours alone,
// knows a packet, and of the others none.
func TestOverruledAgreesWithTheOracle(t *testing.T) {
	found := 0
	rapid.Check(t, func(t *rapid.T) {
		family := cloudfw.IPv4
		world, rules := smallWorld(t, family), smallRules(t, family)
		world.Strict = false // a rule would be two
		mine := map[string]bool{}
		var alone []cloudfw.FirewallRule
		for _, r := range rules {
			if mine[r.ID] = rapid.Bool().Draw(t, "mine"); mine[r.ID] {
				alone = append(alone, r)
			}
		}
		l := Firewall(cloudfw.ListKey{Direction: cloudfw.In, Family: family}, rules, world)
		got := l.Overruled(func(rule string) bool { return mine[rule] })
		want := map[string]int{}
		packetsAsked(l, Question{Protocol: cloudfw.AnyProtocol, Application: "ANY"}, family.Everything(), func(p Packet) bool {
			wanted, declared := oracle(alone, world, p)
			action, by := oracle(rules, world, p)
			if declared < 0 || by < 0 || action == wanted || mine[rules[by].ID] {
				return true
			}
			id := alone[declared].ID
			if first, known := want[id]; !known || by < first {
				want[id] = by
			}
			return true
		})
		for id, by := range want {
			if got[id] != rules[by].ID {
				t.Fatalf("%s is overruled by %s, found %q", id, rules[by].ID, got[id])
			}
		}
		if len(got) != len(want) {
			t.Fatalf("found %v, want %v", got, want)
		}
		found += len(got)
	})
	// Of a few random cases none may be like that.
	if !testing.Short() && found == 0 {
		t.Error("no rule was ever overruled")
	}
}
