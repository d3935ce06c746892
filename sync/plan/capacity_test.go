package plan

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"fwsync/cloudfw"
)

// tight blocks n addresses, two apart, with two applications and two port ranges:
// each address costs four units of the policy quota.
func tight(n int) Input {
	in := Input{Limits: cloudfw.DefaultLimits(), Now: now, Intent: cloudfw.Intent{
		Owner:   "edge",
		Targets: []cloudfw.Target{{Kind: cloudfw.InternetFirewall}, {Kind: cloudfw.SecurityGroupTarget, GroupID: "sg-mail", Via: cloudfw.ViaRules, Capacity: 10}},
		Rules: []cloudfw.Rule{{
			Name: "drop", Direction: cloudfw.In, From: cloudfw.Side{Blocked: true}, To: cloudfw.Side{Any: true},
			Protocol: cloudfw.TCP, Application: "HTTP,SMTP", Ports: []cloudfw.PortRange{{First: 25, Last: 25}, {First: 80, Last: 80}}, Action: cloudfw.Drop,
		}},
	}, Live: cloudfw.Snapshot{
		Rules:  []cloudfw.FirewallRule{{ID: "hand", Order: 1, Direction: cloudfw.In, Family: cloudfw.IPv4, Cost: 20, Description: "by hand"}},
		Groups: []cloudfw.SecurityGroup{{ID: "sg-mail", Rules: []cloudfw.GroupRule{{ID: "hand", Description: "by hand"}}}},
	}}
	for i := range n {
		in.Intent.Blocked = append(in.Intent.Blocked, cloudfw.Block{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{203, 0, 113, byte(2 * i)}), 32), Score: n - i})
	}
	return in
}

func useOf(t *testing.T, p Plan, what string) Use {
	t.Helper()
	at := slices.IndexFunc(p.Capacity, func(u Use) bool { return u.What == what })
	if at < 0 {
		t.Fatalf("no %q in %v", what, p.Capacity)
	}
	return p.Capacity[at]
}

func TestP4CapacityCountsEveryFactorAndWarnsInTime(t *testing.T) {
	in := tight(15)
	for _, c := range []struct {
		quota   int
		warning bool
	}{{0, false}, {101, false}, {100, true}} {
		in.Limits.SpreadUnits = c.quota
		p, err := Compute(in)
		if err != nil {
			t.Fatal(err)
		}
		want := Use{"policy quota (spread units)", 20, 20 + 15*4, 20 + 15*4, c.quota, c.warning}
		if got := useOf(t, p, want.What); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
		noted := slices.ContainsFunc(p.Notes, func(n string) bool { return strings.HasPrefix(n, want.What) })
		if noted != c.warning {
			t.Errorf("quota %d: notes %q", c.quota, p.Notes)
		}
		if got, want := useOf(t, p, "rules in security group sg-mail"), (Use{"rules in security group sg-mail", 1, 9, 9, 200, false}); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
		if got, want := useOf(t, p, "places for blocked ipv4 at security-group sg-mail"), (Use{"places for blocked ipv4 at security-group sg-mail", 0, 8, 8, 8, true}); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
}

// Each border's quota is its own.
func TestTheQuotaIsCountedForEachKindOfBorder(t *testing.T) {
	in := tight(5)
	in.Limits.SpreadUnits = 1000
	in.Live.Rules = append(in.Live.Rules, cloudfw.FirewallRule{ID: "nat", Order: 1, Border: gateway, Direction: cloudfw.Out, Family: cloudfw.IPv4, Cost: 7, Description: "by hand"})
	p, err := Compute(in)
	if err != nil {
		t.Fatal(err)
	}
	if got := useOf(t, p, "policy quota (spread units)"); got.Before != 20 || got.After != 40 {
		t.Errorf("internet: %+v", got)
	}
	if got := useOf(t, p, "policy quota (spread units) of nat firewalls"); got.Before != 7 || got.After != 7 {
		t.Errorf("nat: %+v", got)
	}
}

// What was merged and what was left out is in the plan, and the plan fits.
func TestP4ThePlanListsWhatItCondensesAndShelves(t *testing.T) {
	in := tight(40)
	in.Limits.SpreadUnits = 100 // 70 are left: 17 addresses
	in.Intent.Collateral = cloudfw.Collateral{Innocents: 3, WidestIPv4: 30}
	p, err := Compute(in)
	if err != nil {
		t.Fatal(err)
	}
	if got := useOf(t, p, "policy quota (spread units)"); got.After > 90 {
		t.Errorf("%+v, want 10 %% kept free", got)
	}
	covered, innocents := 0, uint64(0)
	for _, c := range p.Condensed {
		if c.Target == "internet-firewall" {
			covered, innocents = covered+c.Members, innocents+c.Innocents
		}
	}
	shelved := 0
	for _, s := range p.Shelved {
		if s.Target == "internet-firewall" {
			shelved++
		}
	}
	// One /30 holds two addresses at the price of two innocents: 18 in 17 places.
	if covered != 2 || innocents != 2 || shelved != 22 {
		t.Errorf("%d covered with %d innocents, %d shelved; want 2, 2 and 22: %v", covered, innocents, shelved, fmt.Sprint(p.Condensed))
	}
}
