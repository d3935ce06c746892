package conformance

import (
	"slices"

	"fwsync/cloudfw"
)

func (s *scene) liveList(name string) cloudfw.PrefixList {
	s.Helper()
	i := slices.IndexFunc(s.live.Lists, func(l cloudfw.PrefixList) bool { return l.Name == name })
	if i < 0 {
		s.Fatalf("there is no prefix list %s", name)
	}
	return s.live.Lists[i]
}

// prefixLists: they read back as written, change by entry up to their fixed size,
// and a deleted one is gone.
func prefixLists(s *scene) {
	lists := []*cloudfw.PrefixList{
		s.list("list4", cloudfw.IPv4, 3, "192.0.2.1/32", "198.51.100.0/24"),
		s.list("list6", cloudfw.IPv6, 3, "2001:db8::1/128", "2001:db8:1::/64"),
	}
	s.carry(cloudfw.Step{Op: cloudfw.CreateList, List: lists[0]}, cloudfw.Step{Op: cloudfw.CreateList, List: lists[1]})
	for _, want := range lists {
		got := s.liveList(want.Name)
		got.ID = ""
		if plain(got) != plain(want) {
			s.Errorf("prefix list %s reads back as another\ngot  %s\nwant %s", want.Name, plain(got), plain(want))
		}
	}

	list4, list6 := s.liveList(lists[0].Name), s.liveList(lists[1].Name)
	edited4, edited6 := list4, list6
	edited4.Prefixes, edited6.Prefixes, edited6.ID = nil, nil, "" // the second one by its name
	s.carry(
		cloudfw.Step{Op: cloudfw.EditList, List: &edited4, Prefixes: parse("192.0.2.9/32", "203.0.113.0/25"), Removed: parse("198.51.100.0/24")},
		cloudfw.Step{Op: cloudfw.EditList, List: &edited6, Prefixes: parse("2001:db8:2::/64"), Removed: parse("2001:db8::1/128")},
	)
	if got, want := s.liveList(list4.Name).Prefixes, parse("192.0.2.1/32", "192.0.2.9/32", "203.0.113.0/25"); !slices.Equal(got, want) {
		s.Errorf("edited to %v, want %v", got, want)
	}
	s.changeNothing(
		refusal{"one entry more than the list has room for", cloudfw.Step{Op: cloudfw.EditList, List: &edited4, Prefixes: parse("192.0.2.77/32")}, []cloudfw.Kind{cloudfw.Quota}},
		refusal{"adding an entry that is there", cloudfw.Step{Op: cloudfw.EditList, List: &edited4, Prefixes: parse("192.0.2.1/32")}, harmless},
		refusal{"removing an entry that is not there", cloudfw.Step{Op: cloudfw.EditList, List: &edited4, Removed: parse("192.0.2.77/32")}, harmless},
		refusal{"more entries than MaxEntries from the start", cloudfw.Step{Op: cloudfw.CreateList, List: s.list("list-full", cloudfw.IPv4, 1, "192.0.2.1/32", "192.0.2.9/32")}, []cloudfw.Kind{cloudfw.Quota}},
	)

	marked4, marked6 := s.liveList(list4.Name), s.liveList(list6.Name)
	for i, l := range []cloudfw.PrefixList{marked4, marked6} {
		mark := l
		mark.Prefixes, mark.Description = nil, l.Description+" marked"
		if i == 1 {
			mark.ID = "" // by its name
		}
		s.carry(cloudfw.Step{Op: cloudfw.MarkList, List: &mark})
		l.Description = mark.Description
		if got := s.liveList(l.Name); plain(got) != plain(l) {
			s.Errorf("prefix list %s was marked and reads back as another\ngot  %s\nwant %s", l.Name, plain(got), plain(l))
		}
	}

	list4, list6 = s.liveList(list4.Name), s.liveList(list6.Name)
	deletions := []cloudfw.Step{{Op: cloudfw.DeleteList, List: &list4}, {Op: cloudfw.DeleteList, List: &list6}}
	s.carry(deletions...)
	s.changeNothing(
		refusal{"deleting a prefix list a second time", deletions[0], gone},
		refusal{"editing a deleted prefix list", cloudfw.Step{Op: cloudfw.EditList, List: &list4, Prefixes: parse("192.0.2.77/32")}, []cloudfw.Kind{cloudfw.NotFound}},
	)

	// A name stands for the list that bears it now, whoever made it anew.
	s.carry(cloudfw.Step{Op: cloudfw.CreateList, List: lists[0]})
	named := *lists[0]
	named.Prefixes = nil
	s.carry(cloudfw.Step{Op: cloudfw.EditList, List: &named, Prefixes: parse("192.0.2.99/32")})
	s.carry(cloudfw.Step{Op: cloudfw.DeleteList, List: &named})
}
