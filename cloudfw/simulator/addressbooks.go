package simulator

import (
	"slices"
	"unicode/utf8"
)

// AddAddressBook adds a book and returns its uuid. b.UUID is ignored.
func (c *Cloud) AddAddressBook(b AddressBook) (uuid string, err error) {
	err = c.update(func(e *edit) error {
		uuid, err = e.addBook(b)
		return err
	})
	return uuid, err
}

// EditAddresses covers, appends to or deletes from the addresses of a book;
// mode is one of ModeCover, ModeAppend, ModeDelete.
func (c *Cloud) EditAddresses(uuid, mode string, addresses ...string) error {
	return c.update(func(e *edit) error {
		i := e.bookIndex(uuid)
		if i < 0 {
			return noSuchBook()
		}
		b := e.AddressBooks[i]
		return e.modifyBook(uuid, mode, addresses, func(n *AddressBook) { n.Name, n.Description = b.Name, b.Description })
	})
}

// DescribeAddressBook gives a book another description; its addresses stay.
func (c *Cloud) DescribeAddressBook(uuid, description string) error {
	return c.update(func(e *edit) error {
		return e.modifyBook(uuid, "", nil, func(n *AddressBook) { n.Description = description })
	})
}

// DeleteAddressBook removes a book that no policy refers to.
func (c *Cloud) DeleteAddressBook(uuid string) error {
	return c.update(func(e *edit) error { return e.deleteBook(uuid) })
}

func (e *edit) addBook(b AddressBook) (string, error) {
	if !slices.Contains([]string{"ip", "ipv6", "domain", "port", "tag", "ack", "asset", "assetIpv6"}, b.Type) {
		return "", bad("ErrorParametersGroupType", "The address group type %q is invalid.", b.Type)
	}
	if err := e.judgeBookTexts(&b); err != nil {
		return "", err
	}
	if e.booksByName()[b.Name] != nil {
		return "", bad("ErrorAddressGroupExist", "The address group %q already exists.", b.Name)
	}
	if len(e.AddressBooks) >= e.limits.Books {
		return "", bad("ErrorAddressGroupCountExceed", "The maximum number of address groups, %d, is exceeded.", e.limits.Books)
	}
	if listed(b.Type) && len(b.Addresses) == 0 {
		return "", badEntry(b.Type, "the list is empty")
	}
	if !listed(b.Type) && len(b.Addresses) > 0 {
		return "", badEntry(b.Type, "this type takes no address list")
	}
	var err error
	if b.Addresses, err = e.cover(b.Type, b.Addresses); err != nil {
		return "", err
	}
	if err := e.overfull(b.Type, b.Addresses); err != nil {
		return "", err
	}
	if b.TagRelation == "" && b.Type == "tag" {
		b.TagRelation = "and"
	}
	b.Tags = slices.Clone(b.Tags)
	b.UUID = e.newBookID()
	e.AddressBooks = append(e.AddressBooks, b)
	return b.UUID, nil
}

// modifyBook applies change and then the address list. A nil list keeps the
// addresses; an empty mode is Cover.
func (e *edit) modifyBook(uuid, mode string, addresses []string, change func(*AddressBook)) error {
	i := e.bookIndex(uuid)
	if i < 0 {
		return noSuchBook()
	}
	old := e.AddressBooks[i]
	if !editable(old.Type) {
		return bad("ErrorParametersGroupType", "The built-in address group %q cannot be modified.", old.Name)
	}
	b := old
	change(&b)
	b.UUID, b.Type, b.Addresses = old.UUID, old.Type, old.Addresses
	if err := e.judgeBookTexts(&b); err != nil {
		return err
	}
	if b.Name != old.Name && e.booksByName()[b.Name] != nil {
		return bad("ErrorAddressGroupExist", "The address group %q already exists.", b.Name)
	}
	if !listed(b.Type) && (mode != "" || addresses != nil) {
		return bad("ErrorParameters", "An address group of type %q takes no ModifyMode and no AddressList.", b.Type)
	}
	if addresses != nil {
		var err error
		if b.Addresses, err = e.merge(&b, mode, addresses); err != nil {
			return err
		}
	}
	// Only a book that grows and is in use can take a border over its quota.
	counts := len(b.Addresses) > len(old.Addresses) && e.inUse(old.Name)
	var before []int
	if counts {
		before = e.spreadTotals()
	}
	e.AddressBooks[i] = b
	if b.Name != old.Name {
		e.renameReferences(old.Name, b.Name)
	}
	if counts {
		return e.spreadsWithin(before)
	}
	return nil
}

func (e *edit) deleteBook(uuid string) error {
	i := e.bookIndex(uuid)
	if i < 0 {
		return noSuchBook()
	}
	if !editable(e.AddressBooks[i].Type) {
		return bad("ErrorParametersGroupType", "The built-in address group %q cannot be deleted.", e.AddressBooks[i].Name)
	}
	if e.references()[e.AddressBooks[i].Name] > 0 {
		return bad("ErrorAddressGroupReference", "The address group is in use and cannot be deleted.")
	}
	e.AddressBooks = slices.Delete(e.AddressBooks, i, i+1)
	return nil
}

func (e *edit) judgeBookTexts(b *AddressBook) error {
	if n := utf8.RuneCountInString(b.Name); n < 2 || n > e.limits.NameLength {
		return bad("InvalidGroupName", "Specified parameter GroupName is not valid. It has 2 to %d characters.", e.limits.NameLength)
	}
	if n := utf8.RuneCountInString(b.Description); n < 2 || n > e.limits.DescriptionLength {
		return bad("InvalidDescription", "Specified parameter Description is not valid. It has 2 to %d characters.", e.limits.DescriptionLength)
	}
	if len(b.Tags) > 100 {
		return bad("InvalidTagList", "Specified parameter TagList is not valid. It has at most 100 tags.")
	}
	if len(b.AckNamespaces) > 10 || len(b.AckLabels) > 10 {
		return bad("ErrorParameters", "A book of cluster addresses names at most 10 namespaces and 10 labels.")
	}
	if !slices.Contains([]string{"", "and", "or"}, b.TagRelation) {
		return bad("InvalidTagRelation", "Specified parameter TagRelation is not valid.")
	}
	return nil
}

func (e *edit) renameReferences(from, to string) {
	e.ownPolicies()
	for i := range e.Policies {
		p := &e.Policies[i]
		if p.SourceType == "group" && p.Source == from {
			p.Source = to
		}
		if p.DestinationType == "group" && p.Destination == from {
			p.Destination = to
		}
		if p.DestPortType == "group" && p.DestPortGroup == from {
			p.DestPortGroup = to
		}
	}
}

func noSuchBook() error {
	return bad("ErrorAddressGroupNotExist", "The address group does not exist.")
}

func (s *State) bookIndex(uuid string) int {
	return slices.IndexFunc(s.AddressBooks, func(b AddressBook) bool { return b.UUID == uuid })
}

// inUse tells whether a policy refers to the book.
func (s *State) inUse(name string) bool {
	for i := range s.Policies {
		p := &s.Policies[i]
		if p.SourceType == "group" && p.Source == name || p.DestinationType == "group" && p.Destination == name ||
			p.DestPortType == "group" && p.DestPortGroup == name {
			return true
		}
	}
	return false
}

// references counts, by book name, the policies that use a book.
func (s *State) references() map[string]int {
	count := map[string]int{}
	for i := range s.Policies {
		for name := range s.Policies[i].books() {
			count[name]++
		}
	}
	return count
}

// books is the set of book names p refers to.
func (p *Policy) books() map[string]bool {
	names := map[string]bool{}
	if p.SourceType == "group" {
		names[p.Source] = true
	}
	if p.DestinationType == "group" {
		names[p.Destination] = true
	}
	if p.DestPortType == "group" {
		names[p.DestPortGroup] = true
	}
	return names
}

// listed tells whether books of this type hold an address list of their own.
func listed(kind string) bool {
	return kind == "ip" || kind == "ipv6" || kind == "domain" || kind == "port"
}

// editable is false for the vendor's built-in books (reference §2.3).
func editable(kind string) bool { return kind != "threat" && kind != "allCloud" }

func (l Limits) bookLimit(kind string) int {
	if kind == "port" {
		return l.PortsPerBook
	}
	return l.AddressesPerBook
}
