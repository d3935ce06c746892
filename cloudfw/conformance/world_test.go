package conformance

import (
	"fmt"

	"fwsync/cloudfw"
	"fwsync/cloudfw/simulator"
)

// The borders of the crowded world.
var (
	internet = cloudfw.Border{}
	nat      = cloudfw.Border{NAT: "ngw-office"}
	vpc      = cloudfw.Border{VPC: "cen-office"}
)

// crowded is an account with other people's things in every list, so that there is
// something to disturb. Among them are some that look like the suite's own.
func crowded() simulator.State {
	w := simulator.DefaultWorld()
	w.Policies = nil
	lookalike := "fwsync owner=conf rule=almost (do not touch)"
	add := func(n int, p simulator.Policy) {
		for i := range n {
			p.Action, p.Proto, p.Applications = "accept", "TCP", []string{"ANY"}
			p.SourceType, p.DestinationType = "net", "net"
			p.Source, p.Destination = fmt.Sprintf("10.%d.0.0/16", i), "10.0.0.0/8"
			if p.IPVersion == 6 {
				p.Source, p.Destination = fmt.Sprintf("fd00:%d::/32", i), "fd00::/8"
			}
			p.DestPort, p.Description = fmt.Sprintf("%d/%d", 8000+i, 8000+i), fmt.Sprintf("by hand, number %d", i)
			if i == 1 {
				p.Description = lookalike
			}
			w.Policies = append(w.Policies, p)
		}
	}
	add(4, simulator.Policy{Direction: "in", IPVersion: 4})
	add(2, simulator.Policy{Direction: "in", IPVersion: 6})
	add(3, simulator.Policy{Direction: "out", IPVersion: 4})
	add(3, simulator.Policy{NATGateway: nat.NAT, Direction: "out"})
	add(2, simulator.Policy{VPCFirewall: vpc.VPC})
	w.AddressBooks = append(w.AddressBooks,
		simulator.AddressBook{Name: "fwsync-conf-almost", Type: "ip", Description: "named like ours", Addresses: []string{"192.0.2.0/24"}},
		simulator.AddressBook{Name: "hosts", Type: "domain", Description: "by hand", Addresses: []string{"example.com"}},
		simulator.AddressBook{Name: "web", Type: "port", Description: "by hand", Addresses: []string{"80/80", "443/443"}},
	)
	w.PrefixLists = append(w.PrefixLists, simulator.PrefixList{
		Name: "fwsync-other-blocked4", Family: "IPv4", MaxEntries: 5, Description: "fwsync owner=other list=blocked4",
		Entries: []simulator.PrefixEntry{{CIDR: "192.0.2.66/32"}},
	})
	w.SecurityGroups[0].Rules = append(w.SecurityGroups[0].Rules, simulator.SecurityRule{
		Direction: "egress", Protocol: "TCP", PortRange: "25/25", Policy: "Drop", Priority: 7, DestCIDR: "192.0.2.0/24", Description: lookalike,
	})
	return w
}
