package alibaba

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"fwsync/cloudfw"
	"fwsync/cloudfw/simulator"
)

// size of an account that is observed.
type size struct{ policies, nat, vpc, books, addresses, groups, rules, lists, assets int }

var (
	several = size{policies: 120, nat: 130, vpc: 60, books: 101, addresses: 3, groups: 200, rules: 2, lists: 5, assets: 170}
	full    = size{policies: 5000, nat: 100, vpc: 100, books: 300, addresses: 2000, groups: 200, rules: 200, lists: 20, assets: 500}
)

func addressOf(book, i int) string { return fmt.Sprintf("10.%d.%d.%d", book%250, i/250, i%250) }

// account makes the world of an account and what is to be observed of it.
func (s size) account() (simulator.State, cloudfw.Snapshot) {
	world := simulator.State{
		InternetSwitch: "on",
		NATGateways:    []simulator.NATGateway{{ID: "ngw-1"}}, VPCFirewalls: []simulator.VPCFirewall{{ID: "cen-1"}},
	}
	want := cloudfw.Snapshot{Strict: true, Rules: []cloudfw.FirewallRule{}}
	for i := range s.books {
		b := simulator.AddressBook{UUID: fmt.Sprintf("b0000000-0000-4000-8000-%012d", i), Name: fmt.Sprintf("book-%04d", i), Type: "ip", Description: "one of many"}
		model := cloudfw.AddressBook{ID: b.UUID, Name: b.Name, Family: cloudfw.IPv4, Description: b.Description}
		for j := range s.addresses {
			b.Addresses = append(b.Addresses, addressOf(i, j)+" note")
			model.Prefixes = append(model.Prefixes, netip.MustParsePrefix(addressOf(i, j)+"/32"))
		}
		cloudfw.SortPrefixes(model.Prefixes)
		world.AddressBooks, want.Books = append(world.AddressBooks, b), append(want.Books, model)
	}
	s.addPolicies(&world, &want, s.policies, cloudfw.Border{}.Keys()[0])
	s.addPolicies(&world, &want, s.nat, natBorder.Keys()[0])
	s.addPolicies(&world, &want, s.vpc, vpcBorder.Keys()[0])
	for i := range s.groups {
		g := simulator.SecurityGroup{ID: fmt.Sprintf("sg-%04d", i), Name: fmt.Sprintf("group %d", i), VPCID: "vpc-1", Type: "normal"}
		model := cloudfw.SecurityGroup{ID: g.ID, Name: g.Name, VPC: g.VPCID, Rules: []cloudfw.GroupRule{}}
		for j := range s.rules {
			id := fmt.Sprintf("sgr-%04d-%04d", i, j)
			g.Rules = append(g.Rules, simulator.SecurityRule{ID: id, Direction: "ingress", Protocol: "TCP", PortRange: "25/25", Policy: "Drop", Priority: 1 + j/2, SourceCIDR: addressOf(i, j), Description: "d"})
			model.Rules = append(model.Rules, cloudfw.GroupRule{
				ID: id, Direction: cloudfw.In, Action: cloudfw.Drop, Protocol: cloudfw.TCP, Ports: cloudfw.PortRange{First: 25, Last: 25},
				Peer: cloudfw.Peer{Kind: cloudfw.Net, Value: addressOf(i, j) + "/32"}, Priority: 1 + j/2, Description: "d",
			})
		}
		world.SecurityGroups, want.Groups = append(world.SecurityGroups, g), append(want.Groups, model)
	}
	for i := range s.lists {
		l := simulator.PrefixList{ID: fmt.Sprintf("pl-%04d", i), Name: fmt.Sprintf("fwsync-test-%02d", i), Family: "IPv4", MaxEntries: 200, Description: "d"}
		model := cloudfw.PrefixList{ID: l.ID, Name: l.Name, Family: cloudfw.IPv4, MaxEntries: 200, Description: "d"}
		for j := range 200 {
			l.Entries = append(l.Entries, simulator.PrefixEntry{CIDR: addressOf(i, j) + "/32"})
			model.Prefixes = append(model.Prefixes, netip.MustParsePrefix(addressOf(i, j)+"/32"))
		}
		world.PrefixLists, want.Lists = append(world.PrefixLists, l), append(want.Lists, model)
	}
	for i := range s.assets {
		world.Assets = append(world.Assets, simulator.Asset{InternetAddress: addressOf(9, i), Name: fmt.Sprintf("host %d", i), RegionID: "cn-hangzhou", ResourceType: "EIP", ProtectStatus: "open"})
		want.Assets = append(want.Assets, cloudfw.Asset{Address: netip.MustParseAddr(addressOf(9, i)), Name: fmt.Sprintf("host %d", i)})
	}
	want.Sort()
	return world, want
}

func (s size) addPolicies(world *simulator.State, want *cloudfw.Snapshot, n int, key cloudfw.ListKey) {
	for i := range n {
		p := simulator.Policy{
			UUID: fmt.Sprintf("a%07d-0000-4000-8000-%012d", len(key.Border.NAT)*10+len(key.Border.VPC), i), Order: i + 1, NATGateway: key.Border.NAT, VPCFirewall: key.Border.VPC,
			Direction: string(key.Direction), Action: "accept", SourceType: "net", Source: addressOf(i/2000, i%2000) + "/32", DestinationType: "net", Destination: "192.0.2.0/24",
			Proto: "TCP", DestPort: "25/25", Applications: []string{"SMTP"}, Description: fmt.Sprintf("rule %d, written by hand", i), HitTimes: int64(i), HitLastTime: 1_700_000_000,
		}
		if key.Direction == cloudfw.Between {
			p.Direction = ""
		}
		world.Policies = append(world.Policies, p)
		want.Rules = append(want.Rules, cloudfw.FirewallRule{
			ID: p.UUID, Order: i + 1, Border: key.Border, Direction: key.Direction, Family: key.Family, Action: cloudfw.Accept,
			Source: cloudfw.Peer{Kind: cloudfw.Net, Value: p.Source}, Destination: cloudfw.Peer{Kind: cloudfw.Net, Value: p.Destination},
			Protocol: cloudfw.TCP, Ports: cloudfw.PortRange{First: 25, Last: 25}, Application: "SMTP", Description: p.Description,
			Cost: 1, Hits: p.HitTimes, LastHit: time.Unix(p.HitLastTime, 0).UTC(),
		})
	}
}

func (s size) scope() cloudfw.Scope {
	scope := bothBorders
	for i := range s.groups {
		scope.Groups = append(scope.Groups, fmt.Sprintf("sg-%04d", i))
	}
	return scope
}

// observeAll observes the account and demands all of it.
func (s size) observeAll(t *testing.T) *rig {
	t.Helper()
	world, want := s.account()
	r := newRig(t, simulator.Options{World: &world, Limits: simulator.Limits{SpreadUnits: 1 << 30}})
	snap, err := r.Observe(t.Context(), s.scope())
	if err != nil {
		t.Fatal(err)
	}
	snap.TakenAt = time.Time{}
	for what, pair := range map[string][2]any{
		"books": {snap.Books, want.Books}, "rules": {snap.Rules, want.Rules}, "groups": {snap.Groups, want.Groups},
		"lists": {snap.Lists, want.Lists}, "assets": {snap.Assets, want.Assets}, "strict": {snap.Strict, want.Strict},
	} {
		got, err := json.Marshal(pair[0])
		if err != nil {
			t.Fatal(err)
		}
		demanded, err := json.Marshal(pair[1])
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(demanded) {
			t.Errorf("%s differ: %.2000s\nwant %.2000s", what, got, demanded)
		}
	}
	if !slices.EqualFunc(snap.Rules, want.Rules, func(a, b cloudfw.FirewallRule) bool { return a == b }) {
		t.Error("hits differ")
	}
	return r
}

func pages(items int) int { return max(1, (items+pageSize-1)/pageSize) }

func TestAnObservationMakesNoCallTooMany(t *testing.T) {
	r := several.observeAll(t)
	want := map[string]int{
		"DescribeControlPolicy":            pages(several.policies) + 3,
		"DescribeNatFirewallControlPolicy": pages(several.nat),
		"DescribeVpcFirewallControlPolicy": pages(several.vpc),
		"DescribeAddressBook":              pages(several.books),
		"DescribeAssetList":                pages(several.assets),
		"DescribePolicyAdvancedConfig":     1,
		"DescribeSecurityGroups":           2,
		"DescribeSecurityGroupAttribute":   several.groups,
		"DescribePrefixLists":              1,
		"DescribePrefixListAttributes":     several.lists,
	}
	sum := 0
	for _, c := range r.Calls() {
		if c.Count != want[c.API] {
			t.Errorf("%s: %d calls, want %d", c.API, c.Count, want[c.API])
		}
		delete(want, c.API)
		sum += c.Count
	}
	if len(want) > 0 {
		t.Errorf("not called: %v", want)
	}
	if sum != 227 {
		t.Errorf("%d calls in all", sum)
	}
}

func TestAFullAccountIsObservedWhole(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	full.observeAll(t)
}
