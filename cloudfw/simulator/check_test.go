package simulator

import (
	"fmt"
	"strings"
	"testing"
)

func TestCheckFindsCorruption(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		corrupt    func(*State)
	}{
		{"two policies of one order", "stands at place 2", func(s *State) { s.Policies[1].Order = 1 }},
		{"a hole in the order", "stands at place 2", func(s *State) { s.Policies[1].Order = 3 }},
		{"two policies of one id", "has the id", func(s *State) { s.Policies[1].UUID = s.Policies[0].UUID }},
		{"a dangling source", "ErrorAddressGroupNotExist", func(s *State) { s.Policies[0].SourceType, s.Policies[0].Source = "group", "nobody" }},
		{"a dangling port book", "ErrorAddressGroupNotExist", func(s *State) { s.Policies[0].DestPortType, s.Policies[0].DestPortGroup = "group", "nobody" }},
		{"a book of the wrong family", "ErrorParameterIpVersion", func(s *State) {
			s.AddressBooks[0].Type, s.AddressBooks[0].Addresses = "ipv6", []string{"2001:db8::1"}
			s.Policies[0].SourceType, s.Policies[0].Source = "group", "partners"
		}},
		{"two books of one name", "two address books", func(s *State) {
			b := s.AddressBooks[0]
			b.UUID = "other"
			s.AddressBooks = append(s.AddressBooks, b)
		}},
		{"a malformed address", "not an address", func(s *State) { s.AddressBooks[0].Addresses = []string{"nonsense"} }},
		{"an address twice", "twice", func(s *State) { s.AddressBooks[0].Addresses = []string{"192.0.2.1", "192.0.2.1/32 again"} }},
		{"a book over its limit", "of 2000 addresses", func(s *State) {
			var list []string
			for i := range 2001 {
				list = append(list, fmt.Sprintf("10.0.%d.%d", i/250, i%250))
			}
			s.AddressBooks[0].Addresses = list
		}},
		{"a rule without peer", "MissingParameter.Source", func(s *State) { s.SecurityGroups[0].Rules[0].SourceCIDR = "" }},
		{"a dangling prefix list", "InvalidPrefixListId.NotFound", func(s *State) {
			r := &s.SecurityGroups[0].Rules[0]
			r.SourceCIDR, r.SourcePrefixListID = "", "pl-none"
		}},
		{"a rule twice", "stands there twice", func(s *State) {
			r := s.SecurityGroups[0].Rules[0]
			r.ID = "other"
			s.SecurityGroups[0].Rules = append(s.SecurityGroups[0].Rules, r)
		}},
		{"a full group", "of 200 rules", func(s *State) {
			s.PrefixLists = append(s.PrefixLists, PrefixList{ID: "pl-1", Name: "big", Family: "IPv4", MaxEntries: 199})
			r := s.SecurityGroups[0].Rules[0]
			r.ID, r.SourceCIDR, r.SourcePrefixListID = "other", "", "pl-1"
			s.SecurityGroups[0].Rules = append(s.SecurityGroups[0].Rules, r)
		}},
		{"a prefix list over its size", "2 of 1 entries", func(s *State) {
			s.PrefixLists = append(s.PrefixLists, PrefixList{ID: "pl-1", Name: "big", Family: "IPv4", MaxEntries: 1,
				Entries: []PrefixEntry{{CIDR: "192.0.2.1/32"}, {CIDR: "192.0.2.2/32"}}})
		}},
		{"a malformed asset", "internet address", func(s *State) { s.Assets[0].InternetAddress = "mail" }},
		{"a malformed switch", "internetSwitch", func(s *State) { s.InternetSwitch = "maybe" }},
		{"a VPC policy out of order", "policy 2 (cen-office) stands at place 1", func(s *State) { s.Policies[2].Order = 2 }},
		{"an unknown NAT gateway", "ErrorNatGatewayNotExist", func(s *State) {
			p := &s.Policies[2]
			p.VPCFirewall, p.NATGateway, p.Direction, p.Application, p.Applications = "", "ngw-none", "out", "", []string{"ANY"}
		}},
		{"an unknown VPC firewall", "ErrorVpcFirewallNotExist", func(s *State) { s.VPCFirewalls[0].ID = "cen-other" }},
		{"a policy on two borders", "one border only", func(s *State) { s.Policies[2].NATGateway = "ngw-office" }},
		{"an inbound NAT policy", "ErrorParametersDirection", func(s *State) {
			s.Policies[2].VPCFirewall, s.Policies[2].NATGateway, s.Policies[2].Direction = "", "ngw-office", "in"
		}},
		{"a VPC policy with a dangling book", "ErrorAddressGroupNotExist", func(s *State) { s.Policies[2].SourceType, s.Policies[2].Source = "group", "nobody" }},
		{"a member off the VPC border", "have a member", func(s *State) { s.Policies[0].MemberUID = "1" }},
		{"a NAT gateway with a strange id", "begin with ngw-", func(s *State) { s.NATGateways = append(s.NATGateways, NATGateway{ID: "nat-1"}) }},
		{"a VPC firewall with a strange id", "neither cen- nor vfw-", func(s *State) { s.VPCFirewalls = append(s.VPCFirewalls, VPCFirewall{ID: "vpc-1"}) }},
		{"a gateway twice", "has the id", func(s *State) { s.NATGateways = append(s.NATGateways, s.NATGateways[0]) }},
		{"a role twice", "two roles", func(s *State) { s.Roles = []Role{{ARN: testRole}, {ARN: testRole}} }},
		{"a malformed role", "not of the form", func(s *State) { s.Roles = []Role{{ARN: "writer"}} }},
		{"a malformed event", "vulLevel 7", func(s *State) {
			e := riskEvent("x", "198.51.100.1", 7, 100)
			e.ID, e.Firewall = "e", "VpcFirewall"
			s.RiskEvents = []RiskEvent{e}
		}},
		{"a malformed sign of invasion", "riskLevel 9", func(s *State) { s.InvadeEvents = []InvadeEvent{{Key: "k", RiskLevel: 9}} }},
		{"a group of no type", "of type", func(s *State) { s.SecurityGroups[0].Type = "huge" }},
		{"too many group references", "refers to 21 of 20", func(s *State) {
			for i := range 21 {
				id := fmt.Sprint("sg-", i)
				s.SecurityGroups = append(s.SecurityGroups, SecurityGroup{ID: id, Type: "normal", Rules: []SecurityRule{}})
				s.SecurityGroups[0].Rules = append(s.SecurityGroups[0].Rules, SecurityRule{
					ID: "sgr-x" + id, Direction: "ingress", Protocol: "ALL", PortRange: "-1/-1", Policy: "Accept", Priority: 1, SourceGroupID: id})
			}
		}},
		{"another version", "version 9", func(s *State) { s.Version = 9 }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			world := DefaultWorld()
			c, err := New(Options{World: &world})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.AddControlPolicy(tcpPolicy("in", -1, "second")); err != nil {
				t.Fatal(err)
			}
			inner := tcpPolicy("", -1, "third")
			inner.VPCFirewall = "cen-office"
			if _, err := c.AddControlPolicy(inner); err != nil {
				t.Fatal(err)
			}
			if err := c.Check(); err != nil {
				t.Fatalf("before: %v", err)
			}
			s := c.Snapshot()
			tt.corrupt(&s)
			if err := c.Load(s); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Load: got %v, want %q", err, tt.want)
			}
			c.state = &s
			if err := c.Check(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Check: got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestCheckFindsAnExceededQuota(t *testing.T) {
	world := DefaultWorld()
	if err := world.check(Limits{SpreadUnits: 0, Books: 0}.withDefaults(), Assumptions{}); err != nil {
		t.Fatal(err)
	}
	small := DefaultLimits()
	small.SpreadUnits, small.Books = 0, 0
	err := world.check(small, Assumptions{})
	if err == nil || !strings.Contains(err.Error(), "1 of 0 spread units") || !strings.Contains(err.Error(), "1 of 0 address books") {
		t.Errorf("got %v", err)
	}
}
