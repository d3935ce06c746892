package alibaba

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"fwsync/cloudfw"
	"fwsync/cloudfw/simulator"
)

var bothBorders = cloudfw.Scope{Borders: []cloudfw.Border{natBorder, vpcBorder}}

func acceptRule(key cloudfw.ListKey, order int, description string) *cloudfw.FirewallRule {
	return &cloudfw.FirewallRule{
		Order: order, Border: key.Border, Direction: key.Direction, Family: key.Family, Action: cloudfw.Accept,
		Source: cloudfw.Peer{Kind: cloudfw.Net, Value: "192.0.2.0/24"}, Destination: cloudfw.Peer{Kind: cloudfw.Net, Value: "198.51.100.0/24"},
		Protocol: cloudfw.TCP, Ports: cloudfw.PortRange{First: 25, Last: 25}, Application: "ANY", Description: description,
	}
}

func TestEveryStepOfARuleHasItsEffectInOneCallAtEveryBorder(t *testing.T) {
	for _, border := range []cloudfw.Border{{}, natBorder, vpcBorder} {
		r := newRig(t, withBorders())
		key := border.Keys()[0]
		run := func(step cloudfw.Step) []cloudfw.FirewallRule {
			t.Helper()
			before := len(r.writes())
			r.execute(t, step)
			if n := len(r.writes()) - before; n != 1 {
				t.Errorf("%s: %s made %d writing calls", border, step.Op, n)
			}
			snap, err := r.Observe(t.Context(), bothBorders)
			if err != nil {
				t.Fatal(err)
			}
			if !cloudfw.Done(step, snap) {
				t.Errorf("%s: %s %s is not done in %+v", border, step.Op, step.Subject(), snap.Rules)
			}
			if n := len(snap.Rules) - len(snap.List(key)); n != 0 {
				t.Errorf("%s: %d rules stand elsewhere", border, n)
			}
			return snap.List(key)
		}
		for i := range 3 {
			run(cloudfw.Step{Op: cloudfw.InsertRule, Rule: acceptRule(key, 1, fmt.Sprintf("rule %d", i))})
		}
		list := run(cloudfw.Step{Op: cloudfw.InsertRule, Rule: acceptRule(key, 3, "the third")})
		moved := list[2]
		moved.Order = 1
		list = run(cloudfw.Step{Op: cloudfw.MoveRule, Rule: &moved, From: 3})
		if got := []string{list[0].Description, list[1].Description, list[2].Description, list[3].Description}; !slices.Equal(got, []string{"the third", "rule 2", "rule 1", "rule 0"}) {
			t.Errorf("%s: after the move the list is %v", border, got)
		}
		edited := list[1]
		edited.Protocol, edited.Ports, edited.Action, edited.Description = cloudfw.AnyProtocol, cloudfw.PortRange{}, cloudfw.Drop, "another"
		list = run(cloudfw.Step{Op: cloudfw.EditRule, Rule: &edited})
		if list[1].ID != edited.ID || list[1].Order != 2 {
			t.Errorf("%s: the edited rule is now %+v", border, list[1])
		}
		for _, rule := range slices.Backward(list) {
			run(cloudfw.Step{Op: cloudfw.DeleteRule, Rule: &rule})
		}
	}
}

func TestAnUnknownBorderIsNotFoundByName(t *testing.T) {
	// A service may refuse an unknown id, or answer as for a border without policies.
	silent := func(o simulator.Options) *rig { return answersNothingForUnknown(t, o) }
	for what, open := range map[string]func(simulator.Options) *rig{
		"refused":  func(o simulator.Options) *rig { return newRig(t, o) },
		"answered": silent,
	} {
		r := open(withBorders())
		for _, border := range []cloudfw.Border{{NAT: "ngw-unknown"}, {VPC: "cen-unknown"}} {
			_, err := r.Observe(t.Context(), cloudfw.Scope{Borders: []cloudfw.Border{natBorder, border}})
			if cloudfw.KindOf(err) != cloudfw.NotFound || !strings.Contains(err.Error(), border.NAT+border.VPC) {
				t.Errorf("%s, %s: %v", what, border, err)
			}
			for _, op := range []cloudfw.Op{cloudfw.InsertRule, cloudfw.MoveRule, cloudfw.EditRule, cloudfw.DeleteRule} {
				rule := acceptRule(border.Keys()[0], 1, "d")
				rule.ID = "u-1"
				if err := r.Execute(t.Context(), cloudfw.Step{Op: op, Rule: rule}); cloudfw.KindOf(err) != cloudfw.NotFound {
					t.Errorf("%s, %s of %s: %v", what, op, border, err)
				}
			}
		}
		if snap, err := r.Observe(t.Context(), bothBorders); err != nil || len(snap.Rules) != 0 {
			t.Errorf("%s: bare borders: %v", what, err)
		}
	}
}

func TestABorderThatIsNamedTwiceIsReadOnce(t *testing.T) {
	r := newRig(t, withBorders())
	r.execute(t, cloudfw.Step{Op: cloudfw.InsertRule, Rule: acceptRule(natBorder.Keys()[0], 1, "d")})
	snap, err := r.Observe(t.Context(), cloudfw.Scope{Borders: []cloudfw.Border{natBorder, {}, natBorder}})
	if err != nil || len(snap.Rules) != 1 || r.count("DescribeNatFirewallControlPolicy") != 1 {
		t.Errorf("%d rules, %d calls (%v)", len(snap.Rules), r.count("DescribeNatFirewallControlPolicy"), err)
	}
}

func TestABorderThatIsBothOrARuleOfNoListIsRefused(t *testing.T) {
	r := newRig(t, withBorders())
	both := cloudfw.Border{NAT: "ngw-1", VPC: "cen-1"}
	if _, err := r.Observe(t.Context(), cloudfw.Scope{Borders: []cloudfw.Border{both}}); cloudfw.KindOf(err) != cloudfw.Invalid {
		t.Errorf("observing: %v", err)
	}
	for _, op := range []cloudfw.Op{cloudfw.MoveRule, cloudfw.EditRule, cloudfw.DeleteRule} {
		rule := acceptRule(natBorder.Keys()[0], 1, "d")
		rule.ID, rule.Border = "u-1", both
		if err := r.Execute(t.Context(), cloudfw.Step{Op: op, Rule: rule}); cloudfw.KindOf(err) != cloudfw.Invalid {
			t.Errorf("%s at both: %v", op, err)
		}
	}
	for what, edit := range map[string]func(*cloudfw.FirewallRule){
		"both":                  func(r *cloudfw.FirewallRule) { r.Border = both },
		"inbound at a NAT":      func(r *cloudfw.FirewallRule) { r.Direction = cloudfw.In },
		"IPv6 at a NAT":         func(r *cloudfw.FirewallRule) { r.Family = cloudfw.IPv6 },
		"outbound between VPCs": func(r *cloudfw.FirewallRule) { r.Border = vpcBorder },
		"a location between VPCs": func(r *cloudfw.FirewallRule) {
			r.Border, r.Direction, r.Destination = vpcBorder, cloudfw.Between, cloudfw.Peer{Kind: cloudfw.Location, Value: `["ZB"]`}
		},
		"a location as source":    func(r *cloudfw.FirewallRule) { r.Source = cloudfw.Peer{Kind: cloudfw.Location, Value: `["ZB"]`} },
		"a location that is none": func(r *cloudfw.FirewallRule) { r.Destination = cloudfw.Peer{Kind: cloudfw.Location, Value: `ZB`} },
		"a domain without a way": func(r *cloudfw.FirewallRule) {
			r.Destination = cloudfw.Peer{Kind: cloudfw.Domain, Value: "example.com"}
		},
		"a domain that is none": func(r *cloudfw.FirewallRule) {
			r.Destination, r.Resolve = cloudfw.Peer{Kind: cloudfw.Domain, Value: "exa mple"}, cloudfw.ByDNS
		},
		"a way without a domain": func(r *cloudfw.FirewallRule) { r.Resolve = cloudfw.ByDNS },
		"a way that is none": func(r *cloudfw.FirewallRule) {
			r.Destination, r.Resolve = cloudfw.Peer{Kind: cloudfw.Domain, Value: "example.com"}, "guess"
		},
		"ports and a port book":  func(r *cloudfw.FirewallRule) { r.PortBook = "ports" },
		"31 applications":        func(r *cloudfw.FirewallRule) { r.Application = strings.Repeat("SMTP,", 30) + "SSH" },
		"a nameless application": func(r *cloudfw.FirewallRule) { r.Application = "SMTP,,SSH" },
	} {
		rule := acceptRule(natBorder.Keys()[0], 1, "d")
		edit(rule)
		if err := r.Execute(t.Context(), cloudfw.Step{Op: cloudfw.InsertRule, Rule: rule}); cloudfw.KindOf(err) != cloudfw.Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
	if n := len(r.writes()); n != 0 {
		t.Errorf("%d writing calls were made", n)
	}
}

func TestBooksOfDomainsAndPortsAreMadeFilledAndDeleted(t *testing.T) {
	r := newRig(t, simulator.Options{})
	for _, c := range []struct {
		kind              cloudfw.BookType
		first, more, left []string
	}{
		{cloudfw.DomainNames, []string{"a.example.com", "b.example.com"}, []string{"*.example.org"}, []string{"*.example.org", "b.example.com"}},
		{cloudfw.PortRanges, []string{"25", "80/90"}, []string{"465"}, []string{"465", "80/90"}},
	} {
		step := func(op cloudfw.Op, entries ...string) cloudfw.Step {
			return cloudfw.Step{Op: op, Book: &cloudfw.AddressBook{Name: "fwsync-test-" + string(c.kind), Type: c.kind, Description: "mark", Entries: entries}}
		}
		r.execute(t, step(cloudfw.CreateBook, c.first...))
		r.execute(t, step(cloudfw.AppendAddresses, c.more...))
		r.execute(t, step(cloudfw.RemoveAddresses, c.first[0]))
		snap := r.observe(t)
		if b, _ := snap.Book("fwsync-test-" + string(c.kind)); b.Type != c.kind || !slices.Equal(b.Entries, c.left) || b.Family != "" || b.Description != "mark" {
			t.Errorf("the book is %+v", b)
		}
		for _, call := range r.writes() {
			if mode := call.Params["ModifyMode"]; call.Action == "ModifyAddressBook" && mode != "Append" && mode != "Delete" {
				t.Errorf("mode %q", mode)
			}
		}
		r.execute(t, step(cloudfw.DeleteBook))
	}
	if n := len(r.observe(t).Books); n != 0 {
		t.Errorf("%d books are left", n)
	}
	for what, b := range map[string]cloudfw.AddressBook{
		"a book of tags":           {Type: cloudfw.Tagged, Entries: []string{"a=b"}},
		"a book of threats":        {Type: "threat", Entries: []string{"x"}},
		"entries in addresses":     {Family: cloudfw.IPv4, Prefixes: prefixes("192.0.2.1/32"), Entries: []string{"x"}},
		"prefixes in domains":      {Type: cloudfw.DomainNames, Prefixes: prefixes("192.0.2.1/32"), Entries: []string{"example.com"}},
		"domains without any":      {Type: cloudfw.DomainNames},
		"a domain that is none":    {Type: cloudfw.DomainNames, Entries: []string{"a.example.com,b.example.com"}},
		"ports in words":           {Type: cloudfw.PortRanges, Entries: []string{"any"}},
		"ports with a dash":        {Type: cloudfw.PortRanges, Entries: []string{"80-90"}},
		"a family for port ranges": {Type: cloudfw.PortRanges, Family: cloudfw.IPv4, Entries: []string{"80"}},
	} {
		b.Name, b.Description = "n", "d"
		if err := r.Execute(t.Context(), cloudfw.Step{Op: cloudfw.CreateBook, Book: &b}); cloudfw.KindOf(err) != cloudfw.Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
}
