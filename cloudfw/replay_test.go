package cloudfw

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// What a step has done shows in the replay as Done sees it in an account.
func TestReplayDoesWhatDoneLooksFor(t *testing.T) {
	prefix := func(t *rapid.T) netip.Prefix {
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{203, 0, 113, byte(rapid.IntRange(0, 9).Draw(t, "host"))}), 32)
	}
	prefixes := func(t *rapid.T) []netip.Prefix {
		var all []netip.Prefix
		for range rapid.IntRange(1, 4).Draw(t, "prefixes") {
			all = append(all, prefix(t))
		}
		return SortPrefixes(all)
	}
	rapid.Check(t, func(t *rapid.T) {
		r := NewReplay(Snapshot{Groups: []SecurityGroup{{ID: "sg"}}})
		for n := range 12 {
			s := Step{Op: rapid.SampledFrom([]Op{CreateBook, AppendAddresses, RemoveAddresses, MarkBook, DeleteBook, InsertRule, MoveRule, EditRule, DeleteRule, CreateList, EditList, MarkList, DeleteList, AuthoriseRules, RevokeRules}).Draw(t, "op")}
			now := r.Snapshot()
			switch s.Op {
			case CreateBook:
				s.Book = &AddressBook{Name: fmt.Sprint("book", n), Prefixes: prefixes(t)}
			case AppendAddresses, RemoveAddresses, DeleteBook:
				if len(now.Books) == 0 {
					continue
				}
				s.Book = &AddressBook{Name: rapid.SampledFrom(now.Books).Draw(t, "book").Name}
				s.Prefixes = prefixes(t)
			case MarkBook:
				if len(now.Books) == 0 {
					continue
				}
				s.Book = &AddressBook{Name: rapid.SampledFrom(now.Books).Draw(t, "book").Name, Description: fmt.Sprint("mark", n)}
			case MarkList:
				if len(now.Lists) == 0 {
					continue
				}
				s.List = &PrefixList{Name: rapid.SampledFrom(now.Lists).Draw(t, "list").Name, Description: fmt.Sprint("mark", n)}
			case InsertRule:
				s.Rule = &FirewallRule{Direction: In, Family: IPv4, Description: fmt.Sprint("rule", n), Order: rapid.IntRange(1, len(now.Rules)+1).Draw(t, "place")}
			case MoveRule, EditRule, DeleteRule:
				if len(now.Rules) == 0 {
					continue
				}
				rule := rapid.SampledFrom(now.Rules).Draw(t, "rule")
				if s.Rule = &rule; s.Op == EditRule {
					rule.Description += "!"
				} else if s.Op == MoveRule {
					rule.Order = rapid.IntRange(1, len(now.Rules)).Draw(t, "place")
				}
			case CreateList:
				s.List = &PrefixList{Name: fmt.Sprint("list", n), Prefixes: prefixes(t)}
			case EditList, DeleteList:
				if len(now.Lists) == 0 {
					continue
				}
				s.List = &PrefixList{Name: rapid.SampledFrom(now.Lists).Draw(t, "list").Name}
				s.Prefixes = prefixes(t)
				s.Removed = slices.DeleteFunc(prefixes(t), func(p netip.Prefix) bool { return contains(s.Prefixes, p) })
			case AuthoriseRules:
				s.GroupID, s.GroupRules = "sg", []GroupRule{{Description: fmt.Sprint("group rule", n), Peer: Peer{Net, prefix(t).String()}}}
			case RevokeRules:
				s.GroupID = "sg"
				if len(now.Groups[0].Rules) == 0 {
					continue
				}
				s.GroupRules = []GroupRule{rapid.SampledFrom(now.Groups[0].Rules).Draw(t, "group rule")}
			}
			others := len(now.Rules)
			r.Follow(s)
			after := r.Snapshot()
			if !Done(s, after) {
				t.Fatalf("%s %s is not done in %+v", s.Op, s.Subject(), after)
			}
			switch s.Op {
			case InsertRule:
				others++
			case DeleteRule:
				others--
			}
			if len(after.Rules) != others {
				t.Fatalf("%d rules after %s, want %d", len(after.Rules), s.Op, others)
			}
			for i, rule := range after.Rules {
				if rule.Order != i+1 {
					t.Fatalf("rule %d has order %d", i+1, rule.Order)
				}
			}
			for _, b := range after.Books {
				if !slices.IsSortedFunc(b.Prefixes, ComparePrefixes) {
					t.Fatalf("book %s is not sorted: %v", b.Name, b.Prefixes)
				}
			}
		}
	})
}

func TestReplayLeavesItsBeginningAlone(t *testing.T) {
	live := Snapshot{
		Books:  []AddressBook{{ID: "b", Name: "book", Prefixes: []netip.Prefix{netip.MustParsePrefix("203.0.113.1/32")}}},
		Rules:  []FirewallRule{{ID: "1", Order: 1, Direction: In, Family: IPv4}, {ID: "2", Order: 2, Direction: In, Family: IPv4}},
		Groups: []SecurityGroup{{ID: "sg", Rules: []GroupRule{{ID: "r"}}}},
		Lists:  []PrefixList{{ID: "pl", Name: "list"}},
	}
	before := live.Fingerprint()
	r := NewReplay(live)
	for _, s := range []Step{
		{Op: AppendAddresses, Book: &live.Books[0], Prefixes: []netip.Prefix{netip.MustParsePrefix("203.0.113.2/32")}},
		{Op: MoveRule, Rule: &FirewallRule{ID: "2", Order: 1, Direction: In, Family: IPv4}},
		{Op: EditRule, Rule: &FirewallRule{ID: "2", Direction: In, Family: IPv4, Action: Drop}},
		{Op: DeleteRule, Rule: &FirewallRule{ID: "1", Direction: In, Family: IPv4}},
		{Op: RevokeRules, GroupID: "sg", GroupRules: []GroupRule{{ID: "r"}}},
		{Op: DeleteList, List: &live.Lists[0]},
		{Op: DeleteBook, Book: &live.Books[0]},
		{Op: InsertRule}, // says nothing
	} {
		r.Follow(s)
	}
	if live.Fingerprint() != before {
		t.Error("the snapshot was changed")
	}
	if got := r.Snapshot(); len(got.Books)+len(got.Lists)+len(got.Groups[0].Rules) != 0 || len(got.Rules) != 1 || got.Rules[0].Action != Drop {
		t.Errorf("%+v", got)
	}
}
