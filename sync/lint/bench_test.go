package lint

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"fwsync/cloudfw"
	"fwsync/policies"
)

// large is a policy of so many rules in ten shapes that people write, over 200 groups
// of 50 prefixes. One rule in fifty repeats an earlier one.
func large(rules int) *policies.Policy {
	r := rand.New(rand.NewPCG(1, 2))
	p := &policies.Policy{Groups: map[string][]netip.Prefix{}, Targets: []cloudfw.Target{{Kind: cloudfw.InternetFirewall}}}
	var groups []cloudfw.Side
	for i := range 200 {
		side := cloudfw.Side{Group: fmt.Sprintf("group-%d", i)}
		for range 50 {
			side.Prefixes = append(side.Prefixes, netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(1 + r.IntN(200)), byte(r.IntN(256)), byte(r.IntN(256)), 0}), 24))
		}
		side.Prefixes = cloudfw.SortPrefixes(side.Prefixes)
		p.Groups[side.Group] = side.Prefixes
		groups = append(groups, side)
	}
	for _, prefix := range groups[0].Prefixes {
		p.Allowlist = append(p.Allowlist, cloudfw.Exempt{Prefix: prefix, Reason: "group-0"})
	}
	server := func() cloudfw.Side {
		return cloudfw.Side{Prefixes: []netip.Prefix{netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, byte(2 + r.IntN(4)), byte(r.IntN(256))}), 32)}}
	}
	p.Rules = append(p.Rules, cloudfw.Rule{From: cloudfw.Side{Blocked: true}, To: cloudfw.Side{Any: true}, Protocol: cloudfw.AnyProtocol, Action: cloudfw.Drop})
	for i := 1; i < rules-1; i++ {
		rule := cloudfw.Rule{From: groups[r.IntN(200)], To: server(), Protocol: cloudfw.TCP, Action: cloudfw.Accept, Ports: []cloudfw.PortRange{{First: uint16(1 + r.IntN(30000)), Last: uint16(30001 + r.IntN(30000))}}}
		switch i % 10 {
		case 0:
			rule.To, rule.Protocol, rule.Ports, rule.Action = cloudfw.Side{Any: true}, cloudfw.AnyProtocol, nil, cloudfw.Drop
		case 1, 2, 3:
			rule.From, rule.Ports = cloudfw.Side{Any: true}, []cloudfw.PortRange{{First: 25, Last: 25}, {First: 587, Last: 587}}
		case 4:
			rule.From, rule.Action = cloudfw.Side{Any: true}, cloudfw.Drop
		}
		if i%50 == 49 {
			rule = p.Rules[r.IntN(len(p.Rules))]
		}
		p.Rules = append(p.Rules, rule)
	}
	p.Rules = append(p.Rules, cloudfw.Rule{From: cloudfw.Side{Any: true}, To: cloudfw.Side{Prefixes: []netip.Prefix{netip.MustParsePrefix("192.0.0.0/16")}}, Protocol: cloudfw.AnyProtocol, Action: cloudfw.Drop})
	for i := range p.Rules {
		p.Rules[i].Name, p.Rules[i].Direction, p.Rules[i].Application = fmt.Sprintf("rule-%d", i), cloudfw.In, "ANY"
	}
	return p
}

func BenchmarkRun(b *testing.B) {
	for _, rules := range []int{500, 5000} {
		b.Run(fmt.Sprintf("rules=%d", rules), func(b *testing.B) {
			in := Input{Policy: large(rules)}
			found := 0
			for b.Loop() {
				found = len(Run(in))
			}
			b.ReportMetric(float64(found), "findings")
		})
	}
}
