package reconcile

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"testing"

	"fwsync/cloudfw"
	"fwsync/ledger"
	"fwsync/sync/plan"
)

// What is kept of a plan tells of each step what it found at that moment, not at the
// beginning, and which addresses it names.
func TestTheDetailOfAPlanKeepsWhatEachStepFound(t *testing.T) {
	prefix := netip.MustParsePrefix
	set := func(texts ...string) (all []netip.Prefix) {
		for _, text := range texts {
			all = append(all, prefix(text))
		}
		return all
	}
	net := func(text string) cloudfw.Peer { return cloudfw.Peer{Kind: cloudfw.Net, Value: text} }
	rule := func(id, source string, order int) cloudfw.FirewallRule {
		return cloudfw.FirewallRule{ID: id, Order: order, Direction: cloudfw.In, Family: cloudfw.IPv4, Action: cloudfw.Drop, Source: net(source), Destination: net("0.0.0.0/0"), Protocol: cloudfw.TCP}
	}
	book := cloudfw.AddressBook{ID: "b1", Name: "old", Family: cloudfw.IPv4, Description: "first", Prefixes: set("192.0.2.1/32")}
	list := cloudfw.PrefixList{ID: "l1", Name: "list", Family: cloudfw.IPv4, MaxEntries: 20, Description: "list", Prefixes: set("192.0.2.9/32")}
	group := func(id, peer string) cloudfw.GroupRule {
		return cloudfw.GroupRule{ID: id, Direction: cloudfw.In, Action: cloudfw.Drop, Peer: net(peer), Priority: 1}
	}
	live := cloudfw.Snapshot{
		Books: []cloudfw.AddressBook{book}, Lists: []cloudfw.PrefixList{list},
		Rules:  []cloudfw.FirewallRule{rule("r1", "198.51.100.1/32", 1), rule("r2", "198.51.100.2/32", 2)},
		Groups: []cloudfw.SecurityGroup{{ID: "sg", Rules: []cloudfw.GroupRule{group("g1", "203.0.113.1/32"), group("g2", "0.0.0.0/0")}}},
	}
	named := func(b cloudfw.AddressBook, description string, prefixes []netip.Prefix) *cloudfw.AddressBook {
		b.Description, b.Prefixes = description, prefixes
		return &b
	}
	edited := func(r cloudfw.FirewallRule) *cloudfw.FirewallRule { return &r }
	listed := func(description string, prefixes []netip.Prefix) *cloudfw.PrefixList {
		l := list
		l.Description, l.Prefixes = description, prefixes
		return &l
	}
	moved := rule("r2", "198.51.100.2/32", 1)
	steps := []struct {
		step   cloudfw.Step
		before *Was
		names  string // an address; empty: none
	}{
		{cloudfw.Step{Op: cloudfw.CreateBook, Book: &cloudfw.AddressBook{Name: "new", Prefixes: set("192.0.2.7/32")}}, nil, "192.0.2.7"},
		{cloudfw.Step{Op: cloudfw.AppendAddresses, Book: named(book, "second", nil), Prefixes: set("192.0.2.2/32")}, &Was{Book: named(book, "first", nil)}, "192.0.2.2"},
		{cloudfw.Step{Op: cloudfw.RemoveAddresses, Book: named(book, "third", nil), Prefixes: set("192.0.2.1/32")}, &Was{Book: named(book, "second", nil)}, "192.0.2.1"},
		{cloudfw.Step{Op: cloudfw.MarkBook, Book: named(book, "fourth", nil)}, &Was{Book: named(book, "third", nil)}, ""},
		{cloudfw.Step{Op: cloudfw.DeleteBook, Book: named(book, "", nil)}, &Was{Book: named(book, "fourth", set("192.0.2.2/32"))}, "192.0.2.2"},
		{cloudfw.Step{Op: cloudfw.DeleteBook, Book: named(book, "", nil)}, nil, ""}, // it is gone
		{cloudfw.Step{Op: cloudfw.InsertRule, Rule: edited(rule("", "198.51.100.3/32", 1))}, nil, ""},
		{cloudfw.Step{Op: cloudfw.MoveRule, Rule: &moved, From: 3}, &Was{Rule: edited(rule("r2", "198.51.100.2/32", 3))}, ""},
		{cloudfw.Step{Op: cloudfw.EditRule, Rule: edited(rule("r2", "198.51.100.9/32", 1))}, &Was{Rule: edited(rule("r2", "198.51.100.2/32", 1))}, ""},
		{cloudfw.Step{Op: cloudfw.DeleteRule, Rule: edited(rule("r2", "", 1))}, &Was{Rule: edited(rule("r2", "198.51.100.9/32", 1))}, ""},
		{cloudfw.Step{Op: cloudfw.EditList, List: listed("edited", nil), Prefixes: set("192.0.2.8/32"), Removed: set("192.0.2.9/32")}, &Was{List: listed("list", nil)}, "192.0.2.9"},
		{cloudfw.Step{Op: cloudfw.MarkList, List: listed("marked", nil)}, &Was{List: listed("edited", nil)}, ""},
		{cloudfw.Step{Op: cloudfw.DeleteList, List: listed("", nil)}, &Was{List: listed("marked", set("192.0.2.8/32"))}, "192.0.2.8"},
		{cloudfw.Step{Op: cloudfw.AuthoriseRules, GroupID: "sg", GroupRules: []cloudfw.GroupRule{group("", "203.0.113.2/32")}}, nil, "203.0.113.2"},
		{cloudfw.Step{Op: cloudfw.EditGroupRule, GroupID: "sg", GroupRules: []cloudfw.GroupRule{group("g1", "203.0.113.3/32")}}, &Was{GroupRules: []cloudfw.GroupRule{group("g1", "203.0.113.1/32")}}, "203.0.113.3"},
		{cloudfw.Step{Op: cloudfw.RevokeRules, GroupID: "sg", GroupRules: []cloudfw.GroupRule{group("g2", "0.0.0.0/0")}}, &Was{GroupRules: []cloudfw.GroupRule{group("g2", "0.0.0.0/0")}}, ""},
		{cloudfw.Step{Op: cloudfw.DeleteRule}, nil, ""}, // says nothing
	}
	p := plan.Plan{Kind: plan.Reconcile, PolicyHash: "abc"}
	for _, s := range steps {
		p.Steps = append(p.Steps, s.step)
	}
	kept, err := json.Marshal(live)
	if err != nil {
		t.Fatal(err)
	}
	detail, err := DetailOf(ledger.AppliedPlan{ID: "p", Detail: detailOf(p, "run", live)})
	if err != nil || detail.Kind != plan.Reconcile || detail.Command != "run" || detail.PolicyHash != "abc" || len(detail.Steps) != len(steps) {
		t.Fatalf("%+v, %v", detail, err)
	}
	everyone := []string{"192.0.2.1", "192.0.2.2", "192.0.2.7", "192.0.2.8", "192.0.2.9", "203.0.113.1", "203.0.113.2", "203.0.113.3", "203.0.113.250"}
	for i, s := range steps {
		got := detail.Steps[i]
		if !reflect.DeepEqual(got.Before, s.before) {
			t.Errorf("step %d, %s: it found %+v, want %+v", i+1, s.step.Op, text(t, got.Before), text(t, s.before))
		}
		for _, address := range everyone {
			also := s.step.Op == cloudfw.EditList && address == "192.0.2.8" || s.step.Op == cloudfw.EditGroupRule && address == "203.0.113.1"
			if names := got.Names(prefix(address + "/32")); names != (address == s.names || also) {
				t.Errorf("step %d, %s: names %s: %v", i+1, s.step.Op, address, names)
			}
		}
		if s.names != "" && (!got.Names(prefix("192.0.0.0/3")) && !got.Names(prefix("203.0.113.0/24"))) {
			t.Errorf("step %d, %s: names nothing within a network around it", i+1, s.step.Op)
		}
	}
	if now, err := json.Marshal(live); err != nil || string(now) != string(kept) {
		t.Errorf("the live state was changed: %s", now)
	}
	if d, err := DetailOf(ledger.AppliedPlan{ID: "p"}); err != nil || d.Steps != nil {
		t.Errorf("of an older fwsync: %+v, %v", d, err)
	}
}

func text(t *testing.T, value any) string {
	t.Helper()
	b, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
