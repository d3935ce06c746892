package alibaba

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"fwsync/cloudfw"
	"fwsync/cloudfw/simulator"
)

func prefixes(texts ...string) []netip.Prefix {
	ps := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		ps[i] = netip.MustParsePrefix(text)
	}
	return ps
}

const bookName = "fwsync-test-blocked4-1"

func bookStep(op cloudfw.Op, addresses ...string) cloudfw.Step {
	book := &cloudfw.AddressBook{Name: bookName, Family: cloudfw.IPv4, Description: "fwsync owner=test book=blocked4-1"}
	step := cloudfw.Step{Op: op, Book: book}
	if op == cloudfw.CreateBook {
		book.Prefixes = prefixes(addresses...)
	} else {
		step.Prefixes = prefixes(addresses...)
	}
	return step
}

func dropRule(order int) *cloudfw.FirewallRule {
	return &cloudfw.FirewallRule{
		Order: order, Direction: cloudfw.In, Family: cloudfw.IPv4, Action: cloudfw.Drop,
		Source: cloudfw.Peer{Kind: cloudfw.Book, Value: bookName}, Destination: cloudfw.Peer{Kind: cloudfw.Net, Value: "0.0.0.0/0"},
		Protocol: cloudfw.AnyProtocol, Application: "ANY", Description: "fwsync owner=test rule=drop4-1",
	}
}

// run executes a step and demands one write and its effect.
func (r *rig) run(t *testing.T, step cloudfw.Step, groups ...string) cloudfw.Snapshot {
	t.Helper()
	before := len(r.writes())
	r.execute(t, step)
	if n := len(r.writes()) - before; n != 1 {
		t.Errorf("%s made %d writing calls", step.Op, n)
	}
	snap := r.observe(t, groups...)
	if !cloudfw.Done(step, snap) {
		t.Errorf("%s %s is not done in %+v", step.Op, step.Subject(), snap)
	}
	return snap
}

func TestEveryStepOfABookAndItsRulesHasItsEffectInOneCall(t *testing.T) {
	r := newRig(t, world())
	r.run(t, bookStep(cloudfw.CreateBook, "198.51.100.7/32", "203.0.113.0/24"))
	snap := r.run(t, bookStep(cloudfw.AppendAddresses, "192.0.2.9/32"))
	if b, _ := snap.Book(bookName); !slices.Equal(b.Prefixes, prefixes("192.0.2.9/32", "198.51.100.7/32", "203.0.113.0/24")) {
		t.Errorf("after the append the book holds %v", b.Prefixes)
	}
	r.run(t, bookStep(cloudfw.RemoveAddresses, "203.0.113.0/24"))
	mark := bookStep(cloudfw.MarkBook)
	mark.Book.Description = "released"
	snap = r.run(t, mark)
	if b, _ := snap.Book(bookName); len(b.Prefixes) != 2 || b.Description != "released" {
		t.Errorf("after its description was written the book is %+v", b)
	}

	snap = r.run(t, cloudfw.Step{Op: cloudfw.InsertRule, Rule: dropRule(1)})
	list := snap.List(cloudfw.ListKey{Direction: cloudfw.In, Family: cloudfw.IPv4})
	if len(list) != 2 || !list[0].Same(*dropRule(1)) || list[0].Cost != 2 {
		t.Fatalf("the list is %+v", list)
	}
	if b, _ := snap.Book(bookName); b.References != 1 {
		t.Errorf("the book has %d references", b.References)
	}
	moved := list[0]
	moved.Order = 2
	snap = r.run(t, cloudfw.Step{Op: cloudfw.MoveRule, Rule: &moved, From: 1})
	if list := snap.List(moved.Key()); list[1].ID != moved.ID || list[0].Order != 1 {
		t.Errorf("after the move the list is %+v", list)
	}
	r.run(t, cloudfw.Step{Op: cloudfw.DeleteRule, Rule: &moved})
	r.run(t, bookStep(cloudfw.DeleteBook))
}

func TestRulesKeepTheirMeaningThroughTheService(t *testing.T) {
	r := newRig(t, simulator.Options{})
	book6 := bookStep(cloudfw.CreateBook, "2001:db8::1/128")
	book6.Book.Family, book6.Book.Name = cloudfw.IPv6, "fwsync-test-blocked6-1"
	r.run(t, book6)
	net4 := cloudfw.Peer{Kind: cloudfw.Net, Value: "192.0.2.0/24"}
	any4 := cloudfw.Peer{Kind: cloudfw.Net, Value: "0.0.0.0/0"}
	net6 := cloudfw.Peer{Kind: cloudfw.Net, Value: "2001:db8:1::/48"}
	for i, rule := range []cloudfw.FirewallRule{
		{Direction: cloudfw.In, Family: cloudfw.IPv4, Action: cloudfw.Accept, Source: any4, Destination: net4, Protocol: cloudfw.TCP, Ports: cloudfw.PortRange{First: 25, Last: 25}, Application: "SMTP"},
		{Direction: cloudfw.In, Family: cloudfw.IPv4, Action: cloudfw.Accept, Source: any4, Destination: net4, Protocol: cloudfw.TCP, Application: "MYSQL"},
		{Direction: cloudfw.In, Family: cloudfw.IPv4, Action: cloudfw.Log, Source: any4, Destination: net4, Protocol: cloudfw.UDP, Ports: cloudfw.PortRange{First: 6000, Last: 6100}, Application: "ANY"},
		{Direction: cloudfw.In, Family: cloudfw.IPv4, Action: cloudfw.Drop, Source: net4, Destination: any4, Protocol: cloudfw.ICMP, Application: "ANY", Disabled: true},
		{Direction: cloudfw.Out, Family: cloudfw.IPv4, Action: cloudfw.Drop, Source: any4, Destination: net4, Protocol: cloudfw.AnyProtocol, Application: "ANY"},
		{Direction: cloudfw.In, Family: cloudfw.IPv6, Action: cloudfw.Drop, Source: cloudfw.Peer{Kind: cloudfw.Book, Value: "fwsync-test-blocked6-1"}, Destination: net6, Protocol: cloudfw.TCP, Application: "ANY"},
		{Direction: cloudfw.Out, Family: cloudfw.IPv6, Action: cloudfw.Accept, Source: net6, Destination: net6, Protocol: cloudfw.AnyProtocol, Application: "ANY"},
	} {
		rule.Order, rule.Description = 1, fmt.Sprintf("fwsync owner=test rule=r%d", i)
		r.run(t, cloudfw.Step{Op: cloudfw.InsertRule, Rule: &rule})
	}
	if n := len(r.observe(t).Rules); n != 7 {
		t.Errorf("%d rules, want 7", n)
	}
}

func listStep(op cloudfw.Op, added, removed []netip.Prefix) cloudfw.Step {
	list := &cloudfw.PrefixList{Name: "fwsync-test-blocked4", Family: cloudfw.IPv4, MaxEntries: 50, Description: "fwsync owner=test list=blocked4"}
	if op == cloudfw.CreateList {
		list.Prefixes, added = added, nil
	}
	return cloudfw.Step{Op: op, List: list, Prefixes: added, Removed: removed}
}

func TestEveryStepOfAGroupAndItsListHasItsEffectInOneCall(t *testing.T) {
	r := newRig(t, world())
	r.run(t, listStep(cloudfw.CreateList, prefixes("198.51.100.7/32"), nil), "sg-mail")

	rules := []cloudfw.GroupRule{
		{Direction: cloudfw.In, Action: cloudfw.Drop, Protocol: cloudfw.AnyProtocol, Peer: cloudfw.Peer{Kind: cloudfw.List, Value: "fwsync-test-blocked4"}, Priority: 1, Description: "fwsync owner=test rule=list"},
		{Direction: cloudfw.In, Action: cloudfw.Drop, Protocol: cloudfw.TCP, Ports: cloudfw.PortRange{First: 25, Last: 25}, Peer: cloudfw.Peer{Kind: cloudfw.Net, Value: "198.51.100.9/32"}, Priority: 2, Description: "fwsync owner=test rule=one"},
		{Direction: cloudfw.In, Action: cloudfw.Accept, Protocol: cloudfw.UDP, Peer: cloudfw.Peer{Kind: cloudfw.Net, Value: "2001:db8::/32"}, Priority: 100, Description: "fwsync owner=test rule=two"},
	}
	reads := r.Traffic().Reads
	before := len(r.writes())
	r.execute(t, cloudfw.Step{Op: cloudfw.AuthoriseRules, GroupID: "sg-mail", GroupRules: rules})
	if r.Traffic().Reads != reads || len(r.writes()) != before+1 {
		t.Errorf("authorising took %d reads and %d writes", r.Traffic().Reads-reads, len(r.writes())-before)
	}
	snap := r.observe(t, "sg-mail")
	if !cloudfw.Done(cloudfw.Step{Op: cloudfw.AuthoriseRules, GroupID: "sg-mail", GroupRules: rules}, snap) {
		t.Errorf("the rules are not there: %+v", snap.Groups)
	}
	r.run(t, listStep(cloudfw.EditList, prefixes("203.0.113.0/24"), prefixes("198.51.100.7/32")), "sg-mail")

	mark := listStep(cloudfw.MarkList, nil, nil)
	mark.List.Description = "released"
	snap = r.run(t, mark, "sg-mail")
	if l := snap.Lists[0]; len(l.Prefixes) != 1 || l.MaxEntries != 50 || l.Description != "released" {
		t.Errorf("after its description was written the list is %+v", l)
	}

	out := []cloudfw.GroupRule{{Direction: cloudfw.Out, Action: cloudfw.Drop, Protocol: cloudfw.TCP, Ports: cloudfw.PortRange{First: 25, Last: 25}, Peer: cloudfw.Peer{Kind: cloudfw.Net, Value: "203.0.113.0/24"}, Priority: 5, Description: "fwsync owner=test rule=out"}}
	snap = r.run(t, cloudfw.Step{Op: cloudfw.AuthoriseRules, GroupID: "sg-mail", GroupRules: out}, "sg-mail")

	for _, direction := range []cloudfw.Direction{cloudfw.In, cloudfw.Out} {
		group, _ := snap.Group("sg-mail")
		ours := slices.DeleteFunc(slices.Clone(group.Rules), func(rule cloudfw.GroupRule) bool {
			_, marked := cloudfw.ParseMarker(rule.Description)
			return !marked || rule.Direction != direction
		})
		r.run(t, cloudfw.Step{Op: cloudfw.RevokeRules, GroupID: "sg-mail", GroupRules: ours}, "sg-mail")
	}
	r.run(t, listStep(cloudfw.DeleteList, nil, nil), "sg-mail")
	if group, _ := r.observe(t, "sg-mail").Group("sg-mail"); len(group.Rules) != 2 {
		t.Errorf("the group's own rules are %+v", group.Rules)
	}
}

func TestNamesAreLookedUpOnceByAnAccountThatNeverSawThem(t *testing.T) {
	first := newRig(t, world())
	first.run(t, bookStep(cloudfw.CreateBook, "198.51.100.7/32"))
	first.run(t, listStep(cloudfw.CreateList, prefixes("198.51.100.7/32"), nil))

	second := &rig{Account: first.Account, cloud: first.cloud}
	second.names.learn(nil, nil)
	reads := second.Traffic().Reads
	second.execute(t, bookStep(cloudfw.AppendAddresses, "198.51.100.8/32"))
	second.execute(t, bookStep(cloudfw.AppendAddresses, "198.51.100.9/32"))
	second.execute(t, listStep(cloudfw.EditList, prefixes("198.51.100.8/32"), nil))
	second.execute(t, listStep(cloudfw.EditList, prefixes("198.51.100.9/32"), nil))
	if n := second.Traffic().Reads - reads; n != 2 {
		t.Errorf("took %d reading calls, want 2", n)
	}
	second.names.learn(nil, nil)
	missing := bookStep(cloudfw.AppendAddresses, "198.51.100.8/32")
	missing.Book.Name = "fwsync-test-blocked4-10"
	if err := second.Execute(t.Context(), missing); cloudfw.KindOf(err) != cloudfw.NotFound {
		t.Errorf("an unknown book: %v", err)
	}
	gone := listStep(cloudfw.DeleteList, nil, nil)
	gone.List.Name = "fwsync-test-other"
	if err := second.Execute(t.Context(), gone); cloudfw.KindOf(err) != cloudfw.NotFound {
		t.Errorf("an unknown list: %v", err)
	}
}

func TestTheServicesRefusalsKeepTheirKind(t *testing.T) {
	r := newRig(t, world())
	r.run(t, bookStep(cloudfw.CreateBook, "198.51.100.7/32"))
	r.run(t, cloudfw.Step{Op: cloudfw.InsertRule, Rule: dropRule(1)})
	tooMany := make([]string, 2001)
	for i := range tooMany {
		tooMany[i] = fmt.Sprintf("10.0.%d.%d/32", i/250, i%250)
	}
	missing := dropRule(1)
	missing.Source.Value = "fwsync-test-nowhere"
	beyond := dropRule(9)
	other := bookStep(cloudfw.CreateBook, tooMany...)
	other.Book.Name = "fwsync-test-big"
	for _, c := range []struct {
		what string
		step cloudfw.Step
		want cloudfw.Kind
	}{
		{"a book whose name is taken", bookStep(cloudfw.CreateBook, "198.51.100.7/32"), cloudfw.Conflict},
		{"deleting a book in use", bookStep(cloudfw.DeleteBook), cloudfw.Conflict},
		{"too many addresses", other, cloudfw.Quota},
		{"a rule with an unknown book", cloudfw.Step{Op: cloudfw.InsertRule, Rule: missing}, cloudfw.NotFound},
		{"a position beyond the end", cloudfw.Step{Op: cloudfw.InsertRule, Rule: beyond}, cloudfw.Conflict},
		{"deleting an unknown rule", cloudfw.Step{Op: cloudfw.DeleteRule, Rule: &cloudfw.FirewallRule{ID: "00000000-nowhere", Direction: cloudfw.In}}, cloudfw.NotFound},
		{"a rule of an unknown group", cloudfw.Step{Op: cloudfw.AuthoriseRules, GroupID: "sg-nowhere", GroupRules: []cloudfw.GroupRule{{Direction: cloudfw.In, Action: cloudfw.Drop, Protocol: cloudfw.AnyProtocol, Peer: cloudfw.Peer{Kind: cloudfw.Net, Value: "192.0.2.1/32"}, Priority: 1}}}, cloudfw.NotFound},
		{"revoking an unknown rule", cloudfw.Step{Op: cloudfw.RevokeRules, GroupID: "sg-mail", GroupRules: []cloudfw.GroupRule{{ID: "sgr-nowhere", Direction: cloudfw.In}}}, cloudfw.NotFound},
	} {
		before := len(r.writes())
		err := r.Execute(t.Context(), c.step)
		if cloudfw.KindOf(err) != c.want {
			t.Errorf("%s: %v, want kind %s", c.what, err, c.want)
		}
		if n := len(r.writes()) - before; n != 1 {
			t.Errorf("%s: %d writing calls", c.what, n)
		}
	}
}

func TestStepsThatLackSomethingAreRefusedBeforeAnyCall(t *testing.T) {
	r := newRig(t, world())
	ok := cloudfw.GroupRule{ID: "sgr-1", Direction: cloudfw.In, Action: cloudfw.Drop, Protocol: cloudfw.AnyProtocol, Peer: cloudfw.Peer{Kind: cloudfw.Net, Value: "192.0.2.1/32"}, Priority: 1}
	change := func(edit func(*cloudfw.GroupRule)) cloudfw.Step {
		rule := ok
		edit(&rule)
		return cloudfw.Step{Op: cloudfw.AuthoriseRules, GroupID: "sg-mail", GroupRules: []cloudfw.GroupRule{rule}}
	}
	edited := func(edit func(*cloudfw.FirewallRule)) cloudfw.Step {
		rule := dropRule(1)
		edit(rule)
		return cloudfw.Step{Op: cloudfw.InsertRule, Rule: rule}
	}
	for what, step := range map[string]cloudfw.Step{
		"no operation":                   {},
		"a book step without a book":     {Op: cloudfw.CreateBook},
		"a book without addresses":       bookStep(cloudfw.CreateBook),
		"an append of nothing":           bookStep(cloudfw.AppendAddresses),
		"an address of another family":   bookStep(cloudfw.CreateBook, "2001:db8::1/128"),
		"an address with host bits":      bookStep(cloudfw.CreateBook, "192.0.2.1/24"),
		"a mark without a description":   {Op: cloudfw.MarkBook, Book: &cloudfw.AddressBook{Name: "b", ID: "b"}},
		"a mark with addresses":          {Op: cloudfw.MarkBook, Book: &cloudfw.AddressBook{Name: "b", ID: "b", Description: "d"}, Prefixes: prefixes("192.0.2.1/32")},
		"a list's mark without a text":   {Op: cloudfw.MarkList, List: &cloudfw.PrefixList{Name: "l", ID: "pl-1"}},
		"a list's mark with entries":     {Op: cloudfw.MarkList, List: &cloudfw.PrefixList{Name: "l", ID: "pl-1", Description: "d"}, Removed: prefixes("192.0.2.1/32")},
		"an insert without a rule":       {Op: cloudfw.InsertRule},
		"an insert without a position":   {Op: cloudfw.InsertRule, Rule: dropRule(0)},
		"a move without an id":           {Op: cloudfw.MoveRule, Rule: dropRule(1)},
		"a delete without an id":         {Op: cloudfw.DeleteRule, Rule: dropRule(1)},
		"a list step without a list":     {Op: cloudfw.EditList},
		"an edit of a list of nothing":   listStep(cloudfw.EditList, nil, nil),
		"a list entry of another family": listStep(cloudfw.EditList, prefixes("2001:db8::/32"), nil),
		"rules without a group":          {Op: cloudfw.AuthoriseRules, GroupRules: []cloudfw.GroupRule{ok}},
		"a group without rules":          {Op: cloudfw.RevokeRules, GroupID: "sg-mail"},
		"too many rules":                 {Op: cloudfw.AuthoriseRules, GroupID: "sg-mail", GroupRules: slices.Repeat([]cloudfw.GroupRule{ok}, 101)},
		"rules of both directions":       {Op: cloudfw.RevokeRules, GroupID: "sg-mail", GroupRules: []cloudfw.GroupRule{ok, {ID: "sgr-2", Direction: cloudfw.Out}}},
		"a revoke without an id":         {Op: cloudfw.RevokeRules, GroupID: "sg-mail", GroupRules: []cloudfw.GroupRule{{Direction: cloudfw.In}}},
		"a priority of 0":                change(func(r *cloudfw.GroupRule) { r.Priority = 0 }),
		"a priority of 101":              change(func(r *cloudfw.GroupRule) { r.Priority = 101 }),
		"ports without a protocol":       change(func(r *cloudfw.GroupRule) { r.Ports = cloudfw.PortRange{First: 25, Last: 25} }),
		"a group rule that only logs":    change(func(r *cloudfw.GroupRule) { r.Action = cloudfw.Log }),
		"an unknown protocol":            change(func(r *cloudfw.GroupRule) { r.Protocol = "sctp" }),
		"a peer with host bits":          change(func(r *cloudfw.GroupRule) { r.Peer.Value = "192.0.2.1/24" }),
		"a domain as peer":               change(func(r *cloudfw.GroupRule) { r.Peer = cloudfw.Peer{Kind: cloudfw.Domain, Value: "example.com"} }),
		"a port book without ports":      edited(func(r *cloudfw.FirewallRule) { r.PortBook = "mail" }),
		"a rule with a validity time":    edited(func(r *cloudfw.FirewallRule) { r.Validity.Repeat = cloudfw.Once }),
		"an application without tcp":     edited(func(r *cloudfw.FirewallRule) { r.Application = "SMTP" }),
		"ports for any protocol":         edited(func(r *cloudfw.FirewallRule) { r.Ports = cloudfw.PortRange{First: 25, Last: 25} }),
		"a source of another family":     edited(func(r *cloudfw.FirewallRule) { r.Source = cloudfw.Peer{Kind: cloudfw.Net, Value: "2001:db8::/32"} }),
		"a location as destination":      edited(func(r *cloudfw.FirewallRule) { r.Destination = cloudfw.Peer{Kind: cloudfw.Location, Value: `["ZB"]`} }),
		"an edit without an id":          {Op: cloudfw.EditRule, Rule: dropRule(1)},
		"an edit of two group rules":     {Op: cloudfw.EditGroupRule, GroupID: "sg-mail", GroupRules: []cloudfw.GroupRule{ok, ok}},
		"an edit of no group rule":       {Op: cloudfw.EditGroupRule, GroupID: "sg-mail", GroupRules: []cloudfw.GroupRule{{Direction: cloudfw.In}}},
		"an edit that empties the text":  {Op: cloudfw.EditGroupRule, GroupID: "sg-mail", GroupRules: []cloudfw.GroupRule{ok}},
		"a direction that is none":       edited(func(r *cloudfw.FirewallRule) { r.Direction = "" }),
		"a family that is none":          edited(func(r *cloudfw.FirewallRule) { r.Family = "" }),
		"an action that is none":         edited(func(r *cloudfw.FirewallRule) { r.Action = "" }),
	} {
		if err := r.Execute(t.Context(), step); cloudfw.KindOf(err) != cloudfw.Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
	if n := len(r.cloud.Calls()); n != 0 {
		t.Errorf("%d calls were made", n)
	}
}
