package gates

import (
	"slices"
	"testing"

	"fwsync/cloudfw"
	"fwsync/sync/plan"
)

func TestANameThatSomebodyElseHasIsRefused(t *testing.T) {
	foreign := cloudfw.AddressBook{ID: "b1", Family: cloudfw.IPv4, Name: cloudfw.Owner("edge").BookName("blocked4-1"), Description: "made by hand"}
	expect(t, check(t, Input{Intent: intentOf(prefixes("198.51.100.7")...), Live: cloudfw.Snapshot{Books: []cloudfw.AddressBook{foreign}}}), "ownership", "made by hand")
}

// A book that merely sounds like ours and that we do not need holds nothing up.
func TestALookAlikeThatIsNotNeededIsLeftAlone(t *testing.T) {
	foreign := cloudfw.AddressBook{ID: "b1", Family: cloudfw.IPv4, Name: cloudfw.Owner("edge").BookName("blocked-by-hand"), Description: "fwsync owner=edge"}
	if got := check(t, Input{Intent: intentOf(prefixes("198.51.100.7")...), Live: cloudfw.Snapshot{Books: []cloudfw.AddressBook{foreign}}}); len(got) > 0 {
		t.Errorf("refusals = %v", got)
	}
}

// Promise P1: no step touches an object whose description is not our whole marker,
// however near it comes, and whatever the planner thought.
func TestP1NoStepTouchesALookAlike(t *testing.T) {
	const owner = cloudfw.Owner("edge")
	marker := func(kind, name string) string {
		return cloudfw.Marker{Owner: owner, Kind: kind, Name: name}.String()
	}
	name := owner.BookName("blocked4-1")
	for _, nearly := range []string{
		"", "made by hand", "fwsync owner=edge", marker("book", "blocked4-1") + " ", " " + marker("book", "blocked4-1"), marker("book", "blocked4-1") + "\n",
		"see: " + marker("book", "blocked4-1"), "fwsync owner=edge2 book=blocked4-1", "fwsync owner=edg book=blocked4-1",
		"FWSYNC owner=edge book=blocked4-1", marker("book", "blocked4-2"), marker("rule", "blocked4-1"), marker("list", "blocked4-1"),
	} {
		book := cloudfw.AddressBook{ID: "b1", Name: name, Family: cloudfw.IPv4, Description: nearly, Prefixes: prefixes("198.51.100.1")}
		ruleText, listText := nearly, nearly
		if nearly == marker("rule", "blocked4-1") {
			ruleText = marker("book", "blocked4-1")
		}
		if nearly == marker("list", "blocked4-1") {
			listText = marker("book", "blocked4-1")
		}
		rule := cloudfw.FirewallRule{ID: "r1", Direction: cloudfw.In, Family: cloudfw.IPv4, Description: ruleText}
		list := cloudfw.PrefixList{ID: "l1", Name: name, Family: cloudfw.IPv4, Description: listText}
		grouped := cloudfw.GroupRule{ID: "g1", Direction: cloudfw.In, Description: ruleText}
		live := cloudfw.Snapshot{
			Books: []cloudfw.AddressBook{book}, Rules: []cloudfw.FirewallRule{rule}, Lists: []cloudfw.PrefixList{list},
			Groups: []cloudfw.SecurityGroup{{ID: "sg-1", Rules: []cloudfw.GroupRule{grouped}}},
		}
		// What a step says of the object is no proof: it may claim to be ours.
		book.Description, rule.Description, list.Description, grouped.Description =
			marker("book", "blocked4-1"), marker("rule", "x"), marker("list", "blocked4-1"), marker("rule", "x")
		for _, s := range []cloudfw.Step{
			{Op: cloudfw.CreateBook, Book: &book},
			{Op: cloudfw.AppendAddresses, Book: &book, Prefixes: prefixes("198.51.100.2")},
			{Op: cloudfw.RemoveAddresses, Book: &book, Prefixes: prefixes("198.51.100.1")},
			{Op: cloudfw.DeleteBook, Book: &book},
			{Op: cloudfw.MoveRule, Rule: &rule},
			{Op: cloudfw.EditRule, Rule: &rule},
			{Op: cloudfw.DeleteRule, Rule: &rule},
			{Op: cloudfw.CreateList, List: &list},
			{Op: cloudfw.EditList, List: &list, Prefixes: prefixes("198.51.100.2")},
			{Op: cloudfw.DeleteList, List: &list},
			{Op: cloudfw.RevokeRules, GroupID: "sg-1", GroupRules: []cloudfw.GroupRule{grouped}},
			{Op: cloudfw.EditGroupRule, GroupID: "sg-1", GroupRules: []cloudfw.GroupRule{grouped}},
			{Op: "take over", Book: &book},
			{Op: cloudfw.DeleteBook},
		} {
			f := ownership(Input{Plan: plan.Plan{Owner: owner, Steps: []cloudfw.Step{s}}, Live: live})
			if f.Passed != 0 || len(f.Withheld) == 0 {
				t.Errorf("%q: %s passed", nearly, s.Op)
			}
		}
	}
}

// What a step makes must bear our marker, or nobody would own it afterwards.
func TestP1WhatIsMadeBearsOurMarker(t *testing.T) {
	book := cloudfw.AddressBook{Name: "fwsync-edge-blocked4-1", Family: cloudfw.IPv4, Description: "fwsync owner=edge book=blocked4-2"}
	rule := cloudfw.FirewallRule{Description: "drop them"}
	list := cloudfw.PrefixList{Name: "anything", Description: "fwsync owner=edge list=blocked4-1"}
	steps := []cloudfw.Step{
		{Op: cloudfw.CreateBook, Book: &book}, {Op: cloudfw.InsertRule, Rule: &rule}, {Op: cloudfw.CreateList, List: &list},
		{Op: cloudfw.AuthoriseRules, GroupID: "sg-1", GroupRules: []cloudfw.GroupRule{{Description: "fwsync owner=other rule=x"}}},
	}
	f := ownership(Input{Plan: plan.Plan{Owner: "edge", Steps: steps}})
	if f.Passed != 0 || len(f.Withheld) != len(steps) {
		t.Errorf("finding = %+v", f)
	}
}

func TestP1OurOwnObjectsPass(t *testing.T) {
	live := blockedAlready(many(3))
	in := computed(t, Input{Intent: intentOf(many(4)[1:]...), Live: live})
	f := ownership(in)
	if f.Passed != len(in.Plan.Steps) || len(f.Withheld) > 0 || f.Passed < 2 {
		t.Errorf("finding = %+v of %d steps", f, len(in.Plan.Steps))
	}
	// The same plan is refused as soon as the live book bears another's description.
	live.Books = slices.Clone(live.Books)
	live.Books[0].Description += "."
	in.Live = live
	if f := ownership(in); len(f.Withheld) == 0 {
		t.Error("a book that was edited by hand was taken for ours")
	}
}
