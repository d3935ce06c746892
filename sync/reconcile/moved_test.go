package reconcile_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"fwsync/cloudfw"
	"fwsync/sync/reconcile"
)

func seenRule(id string, order int) cloudfw.FirewallRule {
	return cloudfw.FirewallRule{
		ID: id, Order: order, Direction: cloudfw.In, Family: cloudfw.IPv4, Action: cloudfw.Accept, Protocol: cloudfw.TCP, Application: "ANY", Description: id,
		Source: cloudfw.Peer{Kind: cloudfw.Net, Value: "203.0.113.0/24"}, Destination: cloudfw.Peer{Kind: cloudfw.Net, Value: "192.0.2.0/24"},
	}
}

func seenWorld() cloudfw.Snapshot {
	s := cloudfw.Snapshot{
		Books:  []cloudfw.AddressBook{{ID: "b", Name: "office", Family: cloudfw.IPv4, Description: "by hand", Prefixes: hosts(1, 2, 3)}},
		Lists:  []cloudfw.PrefixList{{ID: "l", Name: "partners", MaxEntries: 10, Prefixes: hosts(4)}},
		Groups: []cloudfw.SecurityGroup{{ID: "sg-1", Name: "mail", Rules: []cloudfw.GroupRule{{ID: "g", Direction: cloudfw.In, Action: cloudfw.Accept, Protocol: cloudfw.TCP, Priority: 50, Peer: cloudfw.Peer{Kind: cloudfw.Net, Value: "any"}}}}},
		Assets: []cloudfw.Asset{{Address: netip.MustParseAddr("192.0.2.25"), Name: "mx"}},
	}
	for i, id := range []string{"a", "b", "c", "d"} {
		s.Rules = append(s.Rules, seenRule(id, i+1))
	}
	return s
}

func hosts(last ...byte) []netip.Prefix {
	var all []netip.Prefix
	for _, n := range last {
		all = append(all, netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 51, 100, n}), 32))
	}
	return all
}

func reordered(rules []cloudfw.FirewallRule) []cloudfw.FirewallRule {
	for i := range rules {
		rules[i].Order = i + 1
	}
	return rules
}

// Whatever moves in an account is named, once, as what it is.
func TestMovedNamesWhatIsNotAsItWas(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*cloudfw.Snapshot)
		want   []string
	}{
		"nothing":                {func(*cloudfw.Snapshot) {}, nil},
		"a rule on top":          {func(s *cloudfw.Snapshot) { s.Rules = reordered(slices.Insert(s.Rules, 0, seenRule("new", 0))) }, []string{`rule #1 of in ipv4 is new: in accept tcp from 203.0.113.0/24 to 192.0.2.0/24 ("new")`}},
		"a rule gone":            {func(s *cloudfw.Snapshot) { s.Rules = reordered(slices.Delete(s.Rules, 1, 2)) }, []string{`rule #2 of in ipv4 is gone: in accept tcp from 203.0.113.0/24 to 192.0.2.0/24 ("b")`}},
		"a rule edited":          {func(s *cloudfw.Snapshot) { s.Rules[2].Action = cloudfw.Drop }, []string{`rule #3 of in ipv4 was in accept tcp from 203.0.113.0/24 to 192.0.2.0/24 ("c"), now in drop tcp from 203.0.113.0/24 to 192.0.2.0/24 ("c")`}},
		"a rule disabled":        {func(s *cloudfw.Snapshot) { s.Rules[0].Disabled = true }, []string{`rule #1 of in ipv4 was in accept tcp from 203.0.113.0/24 to 192.0.2.0/24 ("a"), now in accept tcp from 203.0.113.0/24 to 192.0.2.0/24 ("a"), disabled`}},
		"the last rule moved up": {func(s *cloudfw.Snapshot) { s.Rules = reordered(append(s.Rules[3:4:4], s.Rules[:3]...)) }, []string{`rule #4 of in ipv4 is now #1: in accept tcp from 203.0.113.0/24 to 192.0.2.0/24 ("d")`}},
		"addresses":              {func(s *cloudfw.Snapshot) { s.Books[0].Prefixes = hosts(2, 3, 7, 8) }, []string{"book office +2 -1: +198.51.100.7/32, +198.51.100.8/32, -198.51.100.1/32"}},
		"a description":          {func(s *cloudfw.Snapshot) { s.Books[0].Description = "mine" }, []string{`book office was "by hand", named by 0 rules, now "mine", named by 0 rules`}},
		"what has no text":       {func(s *cloudfw.Snapshot) { s.Books[0].ID = "other" }, []string{`book office was changed: "by hand", named by 0 rules`}},
		"entries of a list":      {func(s *cloudfw.Snapshot) { s.Lists[0].Prefixes = nil }, []string{"prefix list partners +0 -1: -198.51.100.4/32"}},
		"a list's successor":     {func(s *cloudfw.Snapshot) { s.Lists[0].Name = "friends" }, []string{`prefix list partners is gone: "", for 10 entries`, `prefix list friends is new: "", for 10 entries`}},
		"a group's rule":         {func(s *cloudfw.Snapshot) { s.Groups[0].Rules[0].Priority = 1 }, []string{`rule g of security group sg-1 was priority 50: in accept tcp ports any, peer any (""), now priority 1: in accept tcp ports any, peer any ("")`}},
		"a new public address": {func(s *cloudfw.Snapshot) {
			s.Assets = append(s.Assets, cloudfw.Asset{Address: netip.MustParseAddr("192.0.2.26")})
		}, []string{`public address 192.0.2.26 is new: ""`}},
		"the border's strictness": {func(s *cloudfw.Snapshot) { s.Strict = true }, []string{"internet border was strict mode false, now strict mode true"}},
	} {
		t.Run(name, func(t *testing.T) {
			was, is := seenWorld(), seenWorld()
			c.change(&is)
			got := reconcile.Moved(reconcile.Objects(was), reconcile.Objects(is))
			if !slices.Equal(got, c.want) {
				t.Errorf("moved = %q, want %q", got, c.want)
			}
			if (was.Fingerprint() != is.Fingerprint()) != (len(got) > 0) {
				t.Errorf("the fingerprints differ: %v, what moved: %q", was.Fingerprint() != is.Fingerprint(), got)
			}
		})
	}
}

// Of a list in any new order, as few rules are named as were really moved.
func TestMovedNamesTheFewestRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		was := cloudfw.Snapshot{}
		for i := range rapid.IntRange(2, 12).Draw(t, "rules") {
			was.Rules = append(was.Rules, seenRule(fmt.Sprint("r", i), i+1))
		}
		is := cloudfw.Snapshot{Rules: slices.Clone(was.Rules)}
		moves := rapid.IntRange(0, 3).Draw(t, "moves")
		for range moves {
			from := rapid.IntRange(0, len(is.Rules)-1).Draw(t, "from")
			moved := is.Rules[from]
			is.Rules = slices.Delete(is.Rules, from, from+1)
			is.Rules = slices.Insert(is.Rules, rapid.IntRange(0, len(is.Rules)).Draw(t, "to"), moved)
		}
		is.Rules = reordered(is.Rules)
		got := reconcile.Moved(reconcile.Objects(was), reconcile.Objects(is))
		if len(got) > moves {
			t.Fatalf("%d moves are told as %q", moves, got)
		}
		if (was.Fingerprint() != is.Fingerprint()) != (len(got) > 0) {
			t.Fatalf("the order changed: %v, told %q", was.Fingerprint() != is.Fingerprint(), got)
		}
	})
}
