package packets

import (
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"fwsync/cloudfw"
)

const packetsPerState = 120

// Decide against the oracle, rule by rule. rapid runs a hundred states, CI and
// development more: -rapid.checks=10000 makes 1.2 million pairs.
func TestDecideAgreesWithTheOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		family := rapid.SampledFrom(cloudfw.Families).Draw(t, "family")
		world, rules := smallWorld(t, family), smallRules(t, family)
		key := cloudfw.ListKey{Direction: cloudfw.In, Family: family}
		l := Firewall(key, rules, world)
		for range packetsPerState {
			p := smallPacket(t, family)
			want, by := oracle(rules, world, p)
			got := l.Decide(p)
			rule := ""
			if by >= 0 {
				rule = rules[by].ID
			}
			if got.Action != want || got.Rule != rule {
				t.Fatalf("%+v: %+v, the oracle says %s by %q", p, got, want, rule)
			}
		}
	})
}

// at follows a diagram to the leaf of a packet: nil where it is of no interest.
func (w *walk) at(n *node, p Packet) *node {
	for n != nil && n.leaf == nil {
		var to *node
		for _, way := range n.ways {
			for _, atom := range way.atoms {
				if w.lines[n.dim].spans[atom].holds(w.place(n.dim, p)) {
					to = way.to
				}
			}
		}
		n = to
	}
	return n
}

// place is where a packet lies on the line of a dimension.
func (w *walk) place(dim int, p Packet) point {
	switch dim {
	case bySource:
		return address(p.Source)
	case byDestination:
		return address(p.Destination)
	case byService:
		return servicePoint(p.Protocol, p.Port)
	case byApplication:
		at, known := slices.BinarySearch(w.applications, p.Application)
		if !known {
			at = len(w.applications)
		}
		return point{0, uint64(at)}
	}
	if slices.Contains(p.True, w.conditions[dim-byCondition]) {
		return point{0, 1}
	}
	return point{}
}

// Two states differ on just the packets that the diagram says, and are equal when
// it is empty.
func TestDifferencesAgreeWithTheOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		family := rapid.SampledFrom(cloudfw.Families).Draw(t, "family")
		key := cloudfw.ListKey{Direction: cloudfw.In, Family: family}
		worldA, worldB := smallWorld(t, family), smallWorld(t, family)
		rulesA := smallRules(t, family)
		rulesB := rulesA
		switch rapid.IntRange(0, 3).Draw(t, "other") {
		case 0:
			rulesB = smallRules(t, family)
		case 1:
			worldB = worldA
			rulesB = rapid.Permutation(rulesA).Draw(t, "order")
		case 2:
			worldB = worldA
		}
		a, b := Firewall(key, rulesA, worldA), Firewall(key, rulesB, worldB)
		w, diagram := differ(a, b)
		for range packetsPerState {
			p := smallPacket(t, family)
			wantA, byA := oracle(rulesA, worldA, p)
			wantB, byB := oracle(rulesB, worldB, p)
			leaf := w.at(diagram, p)
			if (leaf != nil) != (wantA != wantB) {
				t.Fatalf("%+v: the oracle says %s and %s, the diagram %v", p, wantA, wantB, leaf)
			}
			if leaf == nil {
				continue
			}
			d := w.box(make([][]int32, len(w.lines)), leaf.leaf)
			if d.Rules[0] != ruleID(rulesA, byA) || d.Rules[1] != ruleID(rulesB, byB) || d.Verdicts[0] != wantA || d.Verdicts[1] != wantB {
				t.Fatalf("%+v: decided by %d and %d, the diagram says %v", p, byA, byB, d)
			}
		}
		if Equal(a, b) != (diagram == nil) {
			t.Fatal("Equal does not agree with Differences")
		}
	})
}

func ruleID(rules []cloudfw.FirewallRule, at int) string {
	if at < 0 {
		return ""
	}
	return rules[at].ID
}

// everyPacket enumerates the small space of one family.
func everyPacket(do func(Packet)) {
	hosts := make([]netip.Addr, 17)
	for i := range hosts {
		hosts[i] = netip.AddrFrom4([4]byte{198, 51, 100, byte(i)})
	}
	conditions := []string{"domain:example.com", "book:b3", someWhen}
	for _, source := range hosts {
		for _, destination := range hosts {
			for truth := range 8 {
				var holding []string
				for i, c := range conditions {
					if truth&(1<<i) != 0 {
						holding = append(holding, c)
					}
				}
				p := Packet{Source: source, Destination: destination, True: holding}
				for _, port := range []uint16{0, 1, 21, 24, 25, 26, 586, 587} {
					for _, application := range []string{"", "SMTP", "SSH", "HTTP"} {
						p.Protocol, p.Port, p.Application = cloudfw.TCP, port, application
						do(p)
					}
				}
				for _, protocol := range []cloudfw.Protocol{cloudfw.UDP, cloudfw.ICMP, "gre"} {
					p.Protocol, p.Port, p.Application = protocol, 25, ""
					do(p)
				}
			}
		}
	}
}

// A rule is dead exactly when no packet of the whole small space is decided by it.
// Ports and addresses beyond the small space decide like those at its rim.
func TestDeadRulesDecideNothing(t *testing.T) {
	states := 0
	rapid.Check(t, func(t *rapid.T) {
		world, rules := smallWorld(t, cloudfw.IPv4), smallRules(t, cloudfw.IPv4)
		for i := range rules {
			rules[i].Ports = cloudfw.PortRange{} // UDP is enumerated at one port only
			if rules[i].Protocol == cloudfw.UDP {
				rules[i].PortBook = ""
			}
		}
		if states++; states > 25 {
			return // each costs 100,000 packets
		}
		l := Firewall(cloudfw.ListKey{Direction: cloudfw.In, Family: cloudfw.IPv4}, rules, world)
		decided := make([]bool, len(l.rules))
		everyPacket(func(p Packet) {
			if d := l.Decide(p); d.At >= 0 {
				decided[d.At] = true
			}
		})
		for i, decides := range l.Deciders() {
			if decides != decided[i] {
				t.Errorf("compiled rule %d (%s) decides: %v, by enumeration %v", i, l.rules[i].id, decides, decided[i])
			}
			if !decides && !l.Redundant(i) {
				t.Errorf("rule %d is dead but not redundant", i)
			}
		}
	})
}

// Unsafe finds just the moments that enumeration finds.
func TestUnsafeMomentsAgreeWithTheOracle(t *testing.T) {
	key := cloudfw.ListKey{Direction: cloudfw.In, Family: cloudfw.IPv4}
	rapid.Check(t, func(t *rapid.T) {
		world := smallWorld(t, cloudfw.IPv4)
		rules := smallRules(t, cloudfw.IPv4)
		worlds, lists := []cloudfw.Snapshot{world}, [][]cloudfw.FirewallRule{rules}
		for range rapid.IntRange(1, 6).Draw(t, "steps") {
			rules = slices.Clone(rules)
			switch pick := rapid.IntRange(0, 3).Draw(t, "step"); {
			case pick == 0 && len(rules) > 0:
				at := rapid.IntRange(0, len(rules)-1).Draw(t, "gone")
				rules = slices.Delete(rules, at, at+1)
			case pick == 1 && len(rules) > 1:
				from, to := rapid.IntRange(0, len(rules)-1).Draw(t, "from"), rapid.IntRange(0, len(rules)-1).Draw(t, "to")
				moved := rules[from]
				rules = slices.Insert(slices.Delete(rules, from, from+1), to, moved)
			case pick == 2:
				world.Books = slices.Clone(world.Books)
				at := rapid.IntRange(0, 2).Draw(t, "book")
				world.Books[at].Prefixes = cloudfw.SortPrefixes(append(slices.Clone(world.Books[at].Prefixes), smallPrefix(t, cloudfw.IPv4)))
			default:
				more := smallRules(t, cloudfw.IPv4)
				if len(more) > 0 {
					more[0].ID = "new"
					rules = slices.Insert(rules, rapid.IntRange(0, len(rules)).Draw(t, "at"), more[0])
				}
			}
			worlds, lists = append(worlds, world), append(lists, rules)
		}
		states := make([]*List, len(lists))
		for i := range lists {
			states[i] = Firewall(key, lists[i], worlds[i])
		}
		m := NewMoments(states)
		last := len(lists) - 1
		for i := range lists {
			unsafe := m.Unsafe(i, 1)
			if len(unsafe) > 0 {
				break // the moments after it may count on it
			}
			for range packetsPerState {
				p := smallPacket(t, cloudfw.IPv4)
				before, _ := oracle(lists[0], worlds[0], p)
				now, _ := oracle(lists[i], worlds[i], p)
				after, _ := oracle(lists[last], worlds[last], p)
				if now != before && now != after {
					t.Fatalf("moment %d: %+v gets %s, before %s, after %s, and it is not found", i, p, now, before, after)
				}
			}
		}
	})
}

// Deleting a drop before the rule that takes its place is there lets its packets pass
// for a moment.
func TestAGapBetweenTwoStepsIsUnsafe(t *testing.T) {
	key := cloudfw.ListKey{Direction: cloudfw.In, Family: cloudfw.IPv4}
	drop := func(id, source string) cloudfw.FirewallRule {
		return cloudfw.FirewallRule{ID: id, Direction: cloudfw.In, Family: cloudfw.IPv4, Action: cloudfw.Drop, Protocol: cloudfw.AnyProtocol, Application: "ANY",
			Source: cloudfw.Peer{Kind: cloudfw.Net, Value: source}, Destination: cloudfw.Peer{Kind: cloudfw.Net, Value: "0.0.0.0/0"}}
	}
	list := func(rules ...cloudfw.FirewallRule) *List { return Firewall(key, rules, cloudfw.Snapshot{}) }
	narrow, wide := drop("narrow", "198.51.100.0/25"), drop("wide", "198.51.100.0/24")
	m := NewMoments([]*List{list(narrow), list(), list(wide)})
	found := m.Unsafe(1, 5)
	if len(found) != 1 || !slices.Equal(found[0].Source, []string{"198.51.100.0/25"}) || !slices.Equal(found[0].Rules, []string{"narrow", "", "wide"}) {
		t.Errorf("found %v", found)
	}
	if m := NewMoments([]*List{list(narrow), list(wide, narrow), list(wide)}); m.Unsafe(1, 5) != nil {
		t.Error("the other order is safe, and not found to be")
	}
}

// Two rules meet exactly when some packet of the small space matches both.
func TestRulesMeetWhereAPacketMatchesBoth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		world, rules := smallWorld(t, cloudfw.IPv4), smallRules(t, cloudfw.IPv4)
		world.Strict = false
		l := Firewall(cloudfw.ListKey{Direction: cloudfw.In, Family: cloudfw.IPv4}, rules, world)
		g := NewGround(l)
		for i := range rules {
			meeting := g.Meeting(0, i, 0)
			if !slices.IsSorted(meeting) {
				t.Fatalf("%v is not in order", meeting)
			}
			for range packetsPerState {
				p := smallPacket(t, cloudfw.IPv4)
				if !l.rules[i].matches(p, cloudfw.IPv4) {
					continue
				}
				for k := range rules {
					if l.rules[k].matches(p, cloudfw.IPv4) && !slices.Contains(meeting, k) {
						t.Fatalf("rules %d and %d both match %+v, and do not meet", i, k, p)
					}
				}
			}
		}
	})
}
