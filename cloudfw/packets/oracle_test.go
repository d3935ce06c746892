package packets

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"pgregory.net/rapid"

	"fwsync/cloudfw"
)

// The oracle: the semantics once more, as plainly as they can be written, on the
// model's own values. It shares nothing with the engine.
func oracle(rules []cloudfw.FirewallRule, world cloudfw.Snapshot, p Packet) (cloudfw.Action, int) {
	for i, r := range rules {
		v := r.Validity
		inForce := v.Permanent() || v.Repeat == cloudfw.Once && !world.TakenAt.Before(v.Start) && world.TakenAt.Before(v.End)
		if r.Disabled || !inForce && !slices.Contains(p.True, "in force "+string(v.Repeat)+" –  –") {
			continue
		}
		if !reaches(r.Source, p.Source, world, p) || !reaches(r.Destination, p.Destination, world, p) {
			continue
		}
		if r.Protocol != cloudfw.AnyProtocol {
			if r.Protocol != p.Protocol {
				continue
			}
			if p.Protocol == cloudfw.TCP || p.Protocol == cloudfw.UDP {
				ports := []cloudfw.PortRange{r.Ports}
				if r.PortBook != "" {
					ports = nil
					for _, b := range world.Books {
						if b.Name == r.PortBook {
							for _, e := range b.Entries {
								var first, last uint16
								fmt.Sscanf(e, "%d/%d", &first, &last)
								ports = append(ports, cloudfw.PortRange{First: first, Last: last})
							}
						}
					}
				}
				if !slices.ContainsFunc(ports, func(q cloudfw.PortRange) bool {
					return q == (cloudfw.PortRange{}) || q.First <= p.Port && p.Port <= q.Last
				}) {
					continue
				}
			}
		}
		if r.Application != "ANY" && r.Application != p.Application {
			if world.Strict && p.Application == "" {
				return cloudfw.Drop, i
			}
			continue
		}
		if r.Action == cloudfw.Drop {
			return cloudfw.Drop, i
		}
		return cloudfw.Accept, i
	}
	return cloudfw.Accept, -1
}

func reaches(peer cloudfw.Peer, a netip.Addr, world cloudfw.Snapshot, p Packet) bool {
	switch peer.Kind {
	case cloudfw.Net:
		return netip.MustParsePrefix(peer.Value).Contains(a)
	case cloudfw.Book:
		for _, b := range world.Books {
			if b.Name == peer.Value {
				return slices.ContainsFunc(b.Prefixes, func(q netip.Prefix) bool { return q.Contains(a) })
			}
		}
	}
	return slices.Contains(p.True, peer.String())
}

// The small space: 16 addresses a side, a few services, applications, conditions.
var (
	smallPorts = []cloudfw.PortRange{{}, {First: 25, Last: 25}, {First: 20, Last: 25}, {First: 1, Last: 24}, {First: 587, Last: 65535}}
	smallApps  = []string{"ANY", "SMTP", "SSH"}
	someWhen   = "in force daily –  –"
)

func smallPrefix(t *rapid.T, family cloudfw.Family) netip.Prefix {
	n, bits := rapid.IntRange(0, 15).Draw(t, "host"), rapid.SampledFrom([]int{0, 1, 2, 3, 4, 4, 4}).Draw(t, "bits")
	base := netip.AddrFrom4([4]byte{198, 51, 100, byte(n)})
	size := 28 + bits
	if family == cloudfw.IPv6 {
		base = netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: byte(n)})
		size = 124 + bits
	}
	if bits == 0 && n < 4 {
		size = 0
	}
	return netip.PrefixFrom(base, size).Masked()
}

// noon is the time of the small worlds.
var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

func smallWorld(t *rapid.T, family cloudfw.Family) cloudfw.Snapshot {
	world := cloudfw.Snapshot{TakenAt: noon, Strict: rapid.Bool().Draw(t, "strict")}
	for i := range 3 {
		var ps []netip.Prefix
		for range rapid.IntRange(0, 4).Draw(t, "entries") {
			ps = append(ps, smallPrefix(t, family))
		}
		world.Books = append(world.Books, cloudfw.AddressBook{Name: fmt.Sprintf("b%d", i), Family: family, Prefixes: cloudfw.SortPrefixes(ps)})
	}
	world.Books = append(world.Books, cloudfw.AddressBook{Name: "ports", Type: cloudfw.PortRanges, Entries: []string{"22/25", "587/587"}})
	return world
}

func smallRules(t *rapid.T, family cloudfw.Family) []cloudfw.FirewallRule {
	peer := func(label string) cloudfw.Peer {
		switch rapid.IntRange(0, 5).Draw(t, label) {
		case 0, 1:
			return cloudfw.Peer{Kind: cloudfw.Book, Value: fmt.Sprintf("b%d", rapid.IntRange(0, 3).Draw(t, "book"))} // b3 is not there
		case 2:
			return cloudfw.Peer{Kind: cloudfw.Domain, Value: "example.com"}
		default:
			return cloudfw.Peer{Kind: cloudfw.Net, Value: smallPrefix(t, family).String()}
		}
	}
	var rules []cloudfw.FirewallRule
	for i := range rapid.IntRange(0, 7).Draw(t, "rules") {
		r := cloudfw.FirewallRule{
			ID: fmt.Sprintf("r%d", i), Order: i + 1, Direction: cloudfw.In, Family: family,
			Action: rapid.SampledFrom([]cloudfw.Action{cloudfw.Accept, cloudfw.Drop, cloudfw.Log}).Draw(t, "action"),
			Source: peer("source"), Destination: peer("destination"),
			Protocol:    rapid.SampledFrom([]cloudfw.Protocol{cloudfw.AnyProtocol, cloudfw.TCP, cloudfw.TCP, cloudfw.UDP, cloudfw.ICMP}).Draw(t, "protocol"),
			Application: "ANY",
			Disabled:    rapid.IntRange(0, 9).Draw(t, "disabled") == 0,
		}
		if r.Protocol == cloudfw.TCP || r.Protocol == cloudfw.UDP {
			r.Ports = rapid.SampledFrom(smallPorts).Draw(t, "ports")
			if rapid.IntRange(0, 5).Draw(t, "by book") == 0 {
				r.PortBook = "ports"
			}
		}
		if r.Protocol == cloudfw.TCP {
			r.Application = rapid.SampledFrom(smallApps).Draw(t, "application")
		}
		switch rapid.IntRange(0, 9).Draw(t, "temporary") {
		case 0:
			r.Validity.Repeat = cloudfw.Daily
		case 1: // over or in force
			begin := noon.Add(time.Duration(rapid.IntRange(-2, 0).Draw(t, "begin")) * time.Hour)
			r.Validity = cloudfw.Validity{Repeat: cloudfw.Once, Start: begin, End: begin.Add(time.Hour)}
		}
		rules = append(rules, r)
	}
	return rules
}

func smallPacket(t *rapid.T, family cloudfw.Family) Packet {
	host := func() netip.Addr {
		n := byte(rapid.IntRange(0, 17).Draw(t, "address"))
		if family == cloudfw.IPv6 {
			return netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: n})
		}
		return netip.AddrFrom4([4]byte{198, 51, 100, n})
	}
	p := Packet{Source: host(), Destination: host(),
		Protocol:    rapid.SampledFrom([]cloudfw.Protocol{cloudfw.TCP, cloudfw.TCP, cloudfw.TCP, cloudfw.UDP, cloudfw.ICMP, "gre"}).Draw(t, "protocol"),
		Application: rapid.SampledFrom([]string{"", "SMTP", "SSH", "HTTP"}).Draw(t, "application"),
	}
	if p.Protocol == cloudfw.TCP || p.Protocol == cloudfw.UDP {
		p.Port = rapid.SampledFrom([]uint16{0, 1, 21, 24, 25, 26, 586, 587, 65535}).Draw(t, "port")
	}
	for _, c := range []string{"domain:example.com", "book:b3", someWhen} {
		if rapid.Bool().Draw(t, c) {
			p.True = append(p.True, c)
		}
	}
	return p
}
