package conformance

import (
	"slices"

	"fwsync/cloudfw"
)

// booksReadBack: books of each type read back as they were written; a name is taken
// whatever the type; a deleted book is gone.
func booksReadBack(s *scene) {
	books := []*cloudfw.AddressBook{
		s.book("four", cloudfw.IPv4, "192.0.2.1/32", "192.0.2.64/26", "198.51.100.0/24"),
		s.book("six", cloudfw.IPv6, "2001:db8::1/128", "2001:db8:0:1::/64", "2001:db8:ffff::/48"),
		s.entries("domains", cloudfw.DomainNames, "*.example.net", "example.com", "mail.example.org"),
		s.entries("ports", cloudfw.PortRanges, "25/25", "6000/6100"),
	}
	var steps []cloudfw.Step
	for _, b := range books {
		steps = append(steps, cloudfw.Step{Op: cloudfw.CreateBook, Target: "conformance", Reason: "round trip", Book: b})
	}
	s.carry(steps...)
	var taken []refusal
	for _, want := range books {
		live := s.liveBook(want.Name)
		got := live
		got.ID = ""
		if plain(got) != plain(bare(*want)) {
			s.Errorf("book %s reads back as another\ngot  %s\nwant %s", want.Name, plain(got), plain(bare(*want)))
		}
		again := *want
		taken = append(taken, refusal{"a second book of the name " + want.Name, cloudfw.Step{Op: cloudfw.CreateBook, Book: &again}, []cloudfw.Kind{cloudfw.Conflict}})
	}
	other := s.book("ports", cloudfw.IPv4, "192.0.2.1/32")
	taken = append(taken, refusal{"a book of another type with a name that is taken", cloudfw.Step{Op: cloudfw.CreateBook, Book: other}, []cloudfw.Kind{cloudfw.Conflict}})
	s.changeNothing(taken...)

	// A mark is another description and nothing else, by the book's id and by its name.
	for i, b := range books {
		before := s.liveBook(b.Name)
		marked := cloudfw.AddressBook{ID: before.ID, Name: before.Name, Type: before.Type, Family: before.Family, Description: before.Description + " marked"}
		if i%2 == 1 {
			marked.ID = ""
		}
		s.carry(cloudfw.Step{Op: cloudfw.MarkBook, Book: &marked})
		before.Description = marked.Description
		if got := s.liveBook(b.Name); plain(got) != plain(before) {
			s.Errorf("book %s was marked and reads back as another\ngot  %s\nwant %s", b.Name, plain(got), plain(before))
		}
	}

	var deletions []cloudfw.Step
	var twice []refusal
	for _, b := range books {
		live := s.liveBook(b.Name)
		step := cloudfw.Step{Op: cloudfw.DeleteBook, Book: &live}
		deletions = append(deletions, step)
		twice = append(twice, refusal{"deleting " + b.Name + " a second time", step, gone})
	}
	s.carry(deletions...)
	s.changeNothing(twice...)
}

// bare is a book as a snapshot without rules shows it, but for its id.
func bare(b cloudfw.AddressBook) cloudfw.AddressBook {
	if b.Prefixes == nil {
		b.Prefixes = parse()
	}
	return b
}

func (s *scene) liveBook(name string) cloudfw.AddressBook {
	s.Helper()
	b, ok := s.live.Book(name)
	if !ok {
		s.Fatalf("there is no book %s", name)
	}
	return b
}

// booksChange: addresses come and go in batches, by the book's id and by its name,
// and asking for what is so already changes nothing.
func booksChange(s *scene) {
	four, six := s.book("four", cloudfw.IPv4, "192.0.2.1/32"), s.book("six", cloudfw.IPv6, "2001:db8::1/128")
	// Others begin and end alike.
	longer, other := s.book("four-more", cloudfw.IPv4, "192.0.2.2/32"), s.book("fourteen", cloudfw.IPv4, "192.0.2.2/32")
	for _, b := range []*cloudfw.AddressBook{longer, four, other, six} {
		s.carry(cloudfw.Step{Op: cloudfw.CreateBook, Book: b})
	}

	for _, byName := range []bool{false, true} {
		known := func(b *cloudfw.AddressBook) *cloudfw.AddressBook {
			live := s.liveBook(b.Name)
			if byName {
				live.ID = ""
			}
			return &live
		}
		more4, more6 := many(150), parse("2001:db8:1::/64", "2001:db8:2::7/128")
		s.carry(
			cloudfw.Step{Op: cloudfw.AppendAddresses, Book: known(four), Prefixes: more4},
			cloudfw.Step{Op: cloudfw.AppendAddresses, Book: known(six), Prefixes: more6},
		)
		if got := s.liveBook(four.Name); len(got.Prefixes) != 151 || got.Description != four.Description || got.ID == "" {
			s.Errorf("after appending 150 addresses to one: %d, described as %q", len(got.Prefixes), got.Description)
		}
		s.changeNothing(
			refusal{"appending addresses that are there", cloudfw.Step{Op: cloudfw.AppendAddresses, Book: known(four), Prefixes: more4[:3]}, harmless},
			refusal{"removing addresses that are not there", cloudfw.Step{Op: cloudfw.RemoveAddresses, Book: known(six), Prefixes: parse("2001:db8:9::/64")}, harmless},
		)
		s.carry(
			cloudfw.Step{Op: cloudfw.RemoveAddresses, Book: known(four), Prefixes: more4},
			cloudfw.Step{Op: cloudfw.RemoveAddresses, Book: known(six), Prefixes: more6},
		)
		if got := s.liveBook(four.Name); !slices.Equal(got.Prefixes, four.Prefixes) {
			s.Errorf("after removing what was appended: %v, want %v", got.Prefixes, four.Prefixes)
		}
	}

	// A name stands for the book that bears it now, whoever made it anew.
	old := s.liveBook(four.Name)
	s.carry(cloudfw.Step{Op: cloudfw.DeleteBook, Book: &old})
	s.carry(cloudfw.Step{Op: cloudfw.CreateBook, Book: four})
	named := *four
	s.carry(cloudfw.Step{Op: cloudfw.AppendAddresses, Book: &named, Prefixes: parse("192.0.2.99/32")})
	for _, b := range []*cloudfw.AddressBook{longer, other} {
		if got := s.liveBook(b.Name); !slices.Equal(got.Prefixes, b.Prefixes) {
			s.Errorf("book %s, which nobody changed, holds %v, want %v", b.Name, got.Prefixes, b.Prefixes)
		}
	}
	s.carry(cloudfw.Step{Op: cloudfw.DeleteBook, Book: &named})
}

// booksInUseStay: a book that a rule refers to is not deleted, whatever its role in
// the rule, and says how often it is referred to; without the rule it is.
func booksInUseStay(s *scene) {
	have := s.supply()
	key := s.keys[0]
	var inserts []cloudfw.Step
	used := []string{have.addresses[key.Family], have.ports}
	for _, f := range s.forms(key, have) {
		if f.Description == s.rule(key, "from-book").Description || f.Description == s.rule(key, "port-book").Description {
			inserts = append(inserts, insert(f, s.end(key)+len(inserts)))
		}
	}
	s.carry(inserts...)
	var refused []refusal
	for _, name := range used {
		b := s.liveBook(name)
		if b.References < 1 {
			s.Errorf("book %s is in use and says it has %d references", name, b.References)
		}
		refused = append(refused, refusal{"deleting a book in use, " + name, cloudfw.Step{Op: cloudfw.DeleteBook, Book: &b}, []cloudfw.Kind{cloudfw.Conflict}})
	}
	s.changeNothing(refused...)
	var deletions []cloudfw.Step
	for _, step := range inserts {
		rule := s.made(*step.Rule)
		deletions = append(deletions, cloudfw.Step{Op: cloudfw.DeleteRule, Rule: &rule})
	}
	s.carry(deletions...)
	deletions = nil
	for _, name := range used {
		b := s.liveBook(name)
		deletions = append(deletions, cloudfw.Step{Op: cloudfw.DeleteBook, Book: &b})
	}
	s.carry(deletions...)
}
