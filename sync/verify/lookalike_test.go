package verify

import (
	"net/netip"
	"strings"
	"testing"

	"fwsync/cloudfw"
	"fwsync/cloudfw/lower"
)

func TestLookalikesAreNamedWithTheReason(t *testing.T) {
	mark := func(o cloudfw.Owner, kind, name string) string {
		return cloudfw.Marker{Owner: o, Kind: kind, Name: name}.String()
	}
	book := func(name, description string) func(*cloudfw.Snapshot) {
		return func(s *cloudfw.Snapshot) {
			s.Books = append(s.Books, cloudfw.AddressBook{ID: "b-x", Name: name, Family: cloudfw.IPv4, Description: description})
		}
	}
	for _, c := range []struct {
		name   string
		change func(*cloudfw.Snapshot)
		want   string // "" = none
	}{
		{"all is ours", func(*cloudfw.Snapshot) {}, ""},
		{"nothing like ours", book("web", "web servers, not fwsync"), ""},
		{"whole of another owner", book("fwsync-other-blocked4-1", mark("other", "book", "blocked4-1")), ""},
		{"whole of an owner whose name begins like ours", book("fwsync-edge-2-blocked4-1", mark("edge-2", "book", "blocked4-1")), ""},
		{"our style, no mark", book("fwsync-edge-mine", "by hand"), "without our mark"},
		{"our style, another's mark", book("fwsync-edge-blocked4-9", mark("other", "book", "blocked4-9")), "the mark is of owner other"},
		{"nearly our mark", book("web", mark(owner, "book", "blocked4-7")+" "), "not to the last byte"},
		{"a rule's mark", book("fwsync-edge-x", mark(owner, "rule", "x")), "the mark is of a rule, this is a book"},
		{"renamed", book("attackers", mark(owner, "book", "blocked4-7")), "it was renamed: the mark belongs to fwsync-edge-blocked4-7"},
		{"a copy", book("attackers", mark(owner, "book", "blocked4-1")), "the same mark as fwsync-edge-blocked4-1"},
		{"a book that was edited", func(s *cloudfw.Snapshot) {
			s.Books[0].Description = cloudfw.Summed(s.Books[0].Description, nil)
		}, "its addresses were edited since fwsync wrote them"},
		{"a book that was not", func(s *cloudfw.Snapshot) {
			s.Books[0].Description = cloudfw.Summed(s.Books[0].Description, s.Books[0].Prefixes)
		}, ""},
		{"a list that was edited", func(s *cloudfw.Snapshot) {
			s.Lists = append(s.Lists, cloudfw.PrefixList{ID: "pl-x", Name: "fwsync-edge-z", Description: mark(owner, "list", "z") + " sum=00000000"})
		}, "list pl-x"},
		{"a list in our style", func(s *cloudfw.Snapshot) {
			s.Lists = append(s.Lists, cloudfw.PrefixList{ID: "pl-x", Name: "fwsync-edge-z", Description: "by hand"})
		}, "list pl-x"},
		{"a rule with nearly our mark", func(s *cloudfw.Snapshot) { s.Rules[0].Description += "!" }, "not to the last byte"},
		{"a rule twice", func(s *cloudfw.Snapshot) {
			r := s.Rules[0]
			r.ID, r.Order = "copy", 9
			s.Rules = append(s.Rules, r)
		}, "rule copy in in ipv4"},
		{"a rule that was edited", func(s *cloudfw.Snapshot) { s.Rules[0].Protocol = cloudfw.TCP }, "its content was edited: in drop tcp"},
		{"a rule that was disabled", func(s *cloudfw.Snapshot) { s.Rules[0].Disabled = true }, ", disabled; it was made as"},
		{"a rule of the group that was edited", func(s *cloudfw.Snapshot) {
			s.Groups = []cloudfw.SecurityGroup{{ID: "sg-1", Rules: []cloudfw.GroupRule{{ID: "r-1", Direction: cloudfw.In, Action: cloudfw.Accept, Protocol: cloudfw.AnyProtocol, Priority: 1, Description: mark(owner, "rule", "blocked-sg-1")}}}}
		}, "group rule r-1 in sg-1"},
	} {
		intent, live := world()
		wanted, err := lower.Lower(intent, live, cloudfw.DefaultLimits(), nil)
		if err != nil {
			t.Fatal(err)
		}
		c.change(&live)
		live.Sort()
		found := Lookalikes(owner, wanted, live)
		var texts []string
		for _, l := range found {
			texts = append(texts, l.String())
		}
		all := strings.Join(texts, "; ")
		if (c.want == "") != (len(found) == 0) || len(found) > 1 || !strings.Contains(all, c.want) {
			t.Errorf("%s: found %q, want %q", c.name, all, c.want)
		}
	}
}

// A book of a declared group that somebody edited: lowering puts another one beside it.
func TestAnEditedGroupBookIsALookalike(t *testing.T) {
	intent, _ := world()
	intent.Rules[1].To = cloudfw.Side{Group: "servers", Prefixes: []netip.Prefix{netip.MustParsePrefix("192.0.2.25/32")}}
	first, err := lower.Lower(intent, cloudfw.Snapshot{}, cloudfw.DefaultLimits(), nil)
	if err != nil {
		t.Fatal(err)
	}
	live := cloudfw.Snapshot{Books: first.Books}
	if found := Lookalikes(owner, first, live); len(found) != 0 {
		t.Fatalf("untouched: %v", found)
	}
	for i, b := range live.Books {
		if strings.Contains(b.Name, "group-servers") {
			live.Books[i].Prefixes = append(b.Prefixes, netip.MustParsePrefix("203.0.113.9/32"))
		}
	}
	live.Sort()
	wanted, err := lower.Lower(intent, live, cloudfw.DefaultLimits(), nil)
	if err != nil {
		t.Fatal(err)
	}
	found := Lookalikes(owner, wanted, live)
	if len(found) != 1 || !strings.Contains(found[0].Why, "its addresses were edited") {
		t.Errorf("found %v", found)
	}
}
