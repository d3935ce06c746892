package cloudfw

import "testing"

func TestDoneLooksAtAllThatWasMade(t *testing.T) {
	domains := AddressBook{Name: "d", Type: DomainNames, Entries: []string{"example.com"}}
	live := Snapshot{Books: []AddressBook{domains}, Lists: []PrefixList{{Name: "l", Family: IPv4, MaxEntries: 3}}}
	book := func(change func(*AddressBook)) *AddressBook {
		b := domains
		change(&b)
		return &b
	}
	for what, c := range map[string]struct {
		step Step
		done bool
	}{
		"the book":                          {Step{Op: CreateBook, Book: &domains}, true},
		"a book of other domains":           {Step{Op: CreateBook, Book: book(func(b *AddressBook) { b.Entries = []string{"other.example"} })}, false},
		"a book of another type":            {Step{Op: CreateBook, Book: book(func(b *AddressBook) { b.Type = PortRanges })}, false},
		"an entry that is not there":        {Step{Op: AppendAddresses, Book: book(func(b *AddressBook) { b.Entries = []string{"other.example"} })}, false},
		"an entry that has not gone":        {Step{Op: RemoveAddresses, Book: &domains}, false},
		"the prefix list":                   {Step{Op: CreateList, List: &PrefixList{Name: "l", Family: IPv4, MaxEntries: 3}}, true},
		"a prefix list of another size":     {Step{Op: CreateList, List: &PrefixList{Name: "l", Family: IPv4, MaxEntries: 5}}, false},
		"a prefix list of the other family": {Step{Op: CreateList, List: &PrefixList{Name: "l", Family: IPv6, MaxEntries: 3}}, false},
		"the mark of the book":              {Step{Op: MarkBook, Book: &domains}, true},
		"another mark of the book":          {Step{Op: MarkBook, Book: book(func(b *AddressBook) { b.Description = "x" })}, false},
		"the mark of no book":               {Step{Op: MarkBook, Book: book(func(b *AddressBook) { b.Name = "x" })}, false},
		"the mark of the list":              {Step{Op: MarkList, List: &PrefixList{Name: "l"}}, true},
		"another mark of the list":          {Step{Op: MarkList, List: &PrefixList{Name: "l", Description: "x"}}, false},
		"the mark of no list":               {Step{Op: MarkList, List: &PrefixList{Name: "x"}}, false},
		"a step without its book":           {Step{Op: DeleteBook}, false},
	} {
		if got := Done(c.step, live); got != c.done {
			t.Errorf("%s: done %v", what, got)
		}
		_ = c.step.Subject()
	}
}

func TestSpellingsMakeNoOtherRule(t *testing.T) {
	plain := FirewallRule{Direction: In, Family: IPv4, Action: Accept, Protocol: TCP, Application: "HTTP,SMTP",
		Source: Peer{Net, "192.0.2.1/32"}, Destination: Peer{Net, "0.0.0.0/0"}, Description: "d"}
	for what, change := range map[string]func(*FirewallRule){
		"every port spelled out":    func(r *FirewallRule) { r.Ports = PortRange{1, 65535} },
		"applications out of order": func(r *FirewallRule) { r.Application = "SMTP,HTTP" },
		"a bare address":            func(r *FirewallRule) { r.Source.Value = "192.0.2.1" },
		"another place":             func(r *FirewallRule) { r.ID, r.Order, r.Hits = "x", 7, 9 },
	} {
		other := plain
		change(&other)
		if !plain.Same(other) {
			t.Errorf("%s makes another rule", what)
		}
	}
	other := plain
	other.Ports = PortRange{25, 25}
	if plain.Same(other) {
		t.Error("other ports make no other rule")
	}
}
