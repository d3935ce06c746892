package simulator

// spread is the quota a policy uses: sources × destinations × port ranges ×
// applications (reference §2.2). An empty book counts as one, assumed.
func spread(p *Policy, books map[string]*AddressBook) int {
	apps := max(1, len(p.Applications))
	ports := 1
	if p.DestPortType == "group" {
		ports = bookSize(books, p.DestPortGroup)
	}
	return peerSize(books, p.SourceType, p.Source) * peerSize(books, p.DestinationType, p.Destination) * ports * apps
}

func peerSize(books map[string]*AddressBook, kind, value string) int {
	switch kind {
	case "group":
		return bookSize(books, value)
	case "location":
		list, _ := regions(value)
		return max(1, len(list))
	}
	return 1
}

func bookSize(books map[string]*AddressBook, name string) int {
	if b := books[name]; b != nil {
		return max(1, len(b.Addresses))
	}
	return 1
}

func (s *State) booksByName() map[string]*AddressBook {
	m := make(map[string]*AddressBook, len(s.AddressBooks))
	for i := range s.AddressBooks {
		m[s.AddressBooks[i].Name] = &s.AddressBooks[i]
	}
	return m
}

func (s *State) spreadTotal() int {
	books, total := s.booksByName(), 0
	for i := range s.Policies {
		total += spread(&s.Policies[i], books)
	}
	return total
}

// spreadWithin refuses an edit that takes the account further over its quota than before.
func (e *edit) spreadWithin(before int) error {
	if after := e.spreadTotal(); after > e.limits.SpreadUnits && after > before {
		return bad("ErrorAclExtendedCountExceed", "The policy quota is exhausted: %d of %d units.", after, e.limits.SpreadUnits)
	}
	return nil
}
