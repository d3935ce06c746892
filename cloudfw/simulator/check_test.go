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
	if err := world.check(Limits{SpreadUnits: 0, Books: 0}.withDefaults()); err != nil {
		t.Fatal(err)
	}
	small := DefaultLimits()
	small.SpreadUnits, small.Books = 0, 0
	err := world.check(small)
	if err == nil || !strings.Contains(err.Error(), "1 of 0 spread units") || !strings.Contains(err.Error(), "1 of 0 address books") {
		t.Errorf("got %v", err)
	}
}
