package simulator

// spread is the quota a policy uses: sources × destinations × port ranges ×
// applications (reference §2.2). An empty book counts as one, assumed.
func spread(p *Policy, books map[string]*AddressBook) int {
	if p.SourceType == "net" && p.DestinationType == "net" && p.DestPortType == "port" {
		return max(1, len(p.Applications))
	}
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

// spreadTotal is what the policies of one border use. That each border has a quota
// of its own is assumed; the reference gives the same figures for two of them.
func (s *State) spreadTotal(b *border) int {
	books, total := s.booksByName(), 0
	for i := range s.Policies {
		if s.Policies[i].border() == b {
			total += spread(&s.Policies[i], books)
		}
	}
	return total
}

// borders are all there are, in the order of their rank.
var borders = []*border{internetBorder, natBorder, vpcBorder}

// spreadTotals is spreadTotal for every border.
func (s *State) spreadTotals() []int {
	books, totals := s.booksByName(), make([]int, len(borders))
	for i := range s.Policies {
		p := &s.Policies[i]
		totals[p.border().rank] += spread(p, books)
	}
	return totals
}

// spreadWithin refuses an edit that takes a border further over its quota than before.
func (e *edit) spreadWithin(b *border, before int) error {
	return e.grownBeyond(before, e.spreadTotal(b))
}

func (e *edit) grownBeyond(before, after int) error {
	if after > e.limits.SpreadUnits && after > before {
		return bad("ErrorAclExtendedCountExceed", "The policy quota is exhausted: %d of %d units.", after, e.limits.SpreadUnits)
	}
	return nil
}

// spreadsWithin is spreadWithin for every border.
func (e *edit) spreadsWithin(before []int) error {
	for i, after := range e.spreadTotals() {
		if err := e.grownBeyond(before[i], after); err != nil {
			return err
		}
	}
	return nil
}
