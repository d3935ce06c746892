package lint

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"fwsync/cloudfw"
	"fwsync/policies"
)

// packet is one of the small space: sixteen addresses a side and family, and whether
// the source is blocked is open.
type packet struct {
	source, destination netip.Addr
	port                uint16
	application         string
	blocked             bool
}

func space(do func(packet)) {
	addr := func(family cloudfw.Family, n int) netip.Addr {
		if family == cloudfw.IPv4 {
			return netip.AddrFrom4([4]byte{192, 0, 2, byte(n)})
		}
		return netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: byte(n)})
	}
	for _, family := range cloudfw.Families {
		for s := range 9 {
			for d := range 9 {
				for _, port := range []uint16{0, 1, 24, 25, 26, 587, 65535} {
					for _, application := range []string{"", "SMTP"} {
						for _, blocked := range []bool{false, true} {
							do(packet{addr(family, s), addr(family, d), port, application, blocked})
						}
					}
				}
			}
		}
	}
}

// matches is what a declared rule means, written down once more.
func (p packet) matches(r cloudfw.Rule) bool {
	on := func(side cloudfw.Side, a netip.Addr) bool {
		if side.Blocked {
			return p.blocked
		}
		return side.Any || slices.ContainsFunc(side.Prefixes, func(q netip.Prefix) bool { return q.Contains(a) })
	}
	return on(r.From, p.source) && on(r.To, p.destination) &&
		(len(r.Ports) == 0 || slices.ContainsFunc(r.Ports, func(q cloudfw.PortRange) bool { return q.First <= p.port && p.port <= q.Last })) &&
		(r.Application == "ANY" || r.Application == p.application)
}

func decider(rules []cloudfw.Rule, p packet) int {
	return slices.IndexFunc(rules, p.matches)
}

func drawSide(t *rapid.T, label string, blockable bool) cloudfw.Side {
	switch n := rapid.IntRange(0, 9).Draw(t, label); {
	case n == 0 && blockable:
		return cloudfw.Side{Blocked: true}
	case n < 3:
		return cloudfw.Side{Any: true}
	}
	var side cloudfw.Side
	for range rapid.IntRange(1, 3).Draw(t, "prefixes") {
		n, bits := rapid.IntRange(0, 7).Draw(t, "host"), rapid.IntRange(0, 3).Draw(t, "bits")
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(n)}), 29+bits)
		if rapid.IntRange(0, 3).Draw(t, "six") == 0 {
			p = netip.PrefixFrom(netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: byte(n)}), 125+bits)
		}
		side.Prefixes = append(side.Prefixes, p.Masked())
	}
	side.Prefixes = cloudfw.SortPrefixes(side.Prefixes)
	if len(side.Prefixes) > 1 {
		side.Group = "g"
	}
	return side
}

func drawRules(t *rapid.T) []cloudfw.Rule {
	var rules []cloudfw.Rule
	for i := range rapid.IntRange(0, 7).Draw(t, "rules") {
		r := cloudfw.Rule{
			Name: fmt.Sprintf("r%d", i), Direction: cloudfw.In, Protocol: cloudfw.TCP, Declared: fmt.Sprintf("p.yaml:%d", i+1),
			From: drawSide(t, "from", true), To: drawSide(t, "to", false),
			Ports:       rapid.SampledFrom([][]cloudfw.PortRange{nil, {{First: 25, Last: 25}}, {{First: 1, Last: 24}}, {{First: 25, Last: 65535}}, {{First: 1, Last: 25}, {First: 587, Last: 587}}}).Draw(t, "ports"),
			Application: rapid.SampledFrom([]string{"ANY", "ANY", "SMTP"}).Draw(t, "application"),
			Action:      rapid.SampledFrom([]cloudfw.Action{cloudfw.Accept, cloudfw.Drop, cloudfw.Log}).Draw(t, "action"),
		}
		rules = append(rules, r)
	}
	return rules
}

// A rule is called dead exactly when it decides no packet of the small space, which
// holds a packet of every kind that the rules tell apart; a redundant one makes no
// difference to any.
func TestWhatIsSaidOfRulesIsTrueOfPackets(t *testing.T) {
	dead, redundant := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		rules := drawRules(t)
		decides, matched := make([]bool, len(rules)), make([]bool, len(rules))
		space(func(p packet) {
			if at := decider(rules, p); at >= 0 {
				decides[at] = true
			}
			for i, r := range rules {
				matched[i] = matched[i] || p.matches(r)
			}
		})
		in := Input{Policy: &policies.Policy{Rules: rules, Targets: []cloudfw.Target{{Kind: cloudfw.InternetFirewall}}}}
		said := map[string][]string{}
		for _, f := range Run(in) {
			at := f.Line - 1
			if at < 0 {
				continue
			}
			said[rules[at].Name] = append(said[rules[at].Name], f.Check)
			if f.Check == "redundant-rule" {
				redundant++
				without := slices.Delete(slices.Clone(rules), at, at+1)
				space(func(p packet) {
					before, after := decider(rules, p), decider(without, p)
					if (before < 0) != (after < 0) || before >= 0 && rules[before].Action != without[after].Action {
						t.Fatalf("%+v of %+v: without rule %d it is another", p, rules, at)
					}
				})
			}
		}
		for i, r := range rules {
			calledDead := slices.ContainsFunc(said[r.Name], func(check string) bool {
				return check == contradiction.Name || check == shadowedRule.Name || check == deadRule.Name
			})
			if calledDead != (matched[i] && !decides[i]) {
				t.Fatalf("rule %d of %+v: decides %v, matches %v; lint says %v", i, rules, decides[i], matched[i], said[r.Name])
			}
			if slices.Contains(said[r.Name], neverMatches.Name) == matched[i] {
				t.Fatalf("rule %d of %+v: matches %v; lint says %v", i, rules, matched[i], said[r.Name])
			}
			if calledDead {
				dead++
			}
		}
	})
	// Redundant ones are rare, now and then none is drawn; checks_test.go has some.
	if dead == 0 {
		t.Errorf("%d dead and %d redundant rules drawn: the test guards nothing", dead, redundant)
	}
}
