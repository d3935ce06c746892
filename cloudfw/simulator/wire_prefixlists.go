package simulator

import (
	"math"
	"slices"
)

type wirePrefixList struct {
	PrefixListId     string
	PrefixListName   string
	AddressFamily    string
	MaxEntries       int
	Description      string
	CreationTime     string
	AssociationCount int
}

type wireEntry struct{ Cidr, Description string }

func createPrefixList(c *call) (any, error) {
	p := c.params
	l := PrefixList{
		Region: c.region(), Name: p.required("PrefixListName"), Family: p.required("AddressFamily"), Description: p.text("Description"),
		Entries: readEntries(p, "Entry"),
	}
	p.required("MaxEntries")
	l.MaxEntries = int(p.number("MaxEntries", 0, math.MinInt32, math.MaxInt32))
	p.ignore("ClientToken")
	if err := p.done(); err != nil {
		return nil, err
	}
	id, err := c.cloud.CreatePrefixList(l)
	return struct{ PrefixListId string }{id}, err
}

func readEntries(p *params, name string) []PrefixEntry {
	var entries []PrefixEntry
	p.each(name, func(item *params) {
		entries = append(entries, PrefixEntry{CIDR: item.required("Cidr"), Description: item.text("Description")})
	})
	return entries
}

func modifyPrefixList(c *call) (any, error) {
	p := c.params
	id, name, description := p.required("PrefixListId"), p.text("PrefixListName"), p.text("Description")
	add := readEntries(p, "AddEntry")
	var remove []string
	p.each("RemoveEntry", func(item *params) { remove = append(remove, item.required("Cidr")) })
	p.ignore("ClientToken")
	return c.change(func(e *edit) error { return e.modifyPrefixList(id, name, description, add, remove) })
}

func deletePrefixList(c *call) (any, error) {
	id := c.params.required("PrefixListId")
	return c.change(func(e *edit) error { return e.deletePrefixList(id) })
}

func describePrefixLists(c *call) (any, error) {
	p := c.params
	ids, name, family := p.list("PrefixListId"), p.text("PrefixListName"), p.text("AddressFamily")
	token, results := p.text("NextToken"), p.number("MaxResults", 10, 1, 100)
	state, err := c.read()
	if err != nil {
		return nil, err
	}
	found := []wirePrefixList{}
	for _, l := range state.PrefixLists {
		if (ids == nil || slices.Contains(ids, l.ID)) && matches(name, l.Name) && matches(family, l.Family) {
			found = append(found, wirePrefixList{l.ID, l.Name, l.Family, l.MaxEntries, l.Description, l.CreationTime, len(state.associations(l.ID))})
		}
	}
	page, next, err := tokenPage(found, token, results, c.fault)
	return struct {
		NextToken   string
		PrefixLists struct{ PrefixList []wirePrefixList }
	}{next, struct{ PrefixList []wirePrefixList }{page}}, err
}

func describePrefixListAttributes(c *call) (any, error) {
	id := c.params.required("PrefixListId")
	state, err := c.read()
	if err != nil {
		return nil, err
	}
	i := state.prefixListIndex(id)
	if i < 0 {
		return nil, noSuchPrefixList(id)
	}
	l := state.PrefixLists[i]
	entries := []wireEntry{}
	for _, e := range l.Entries {
		entries = append(entries, wireEntry{e.CIDR, e.Description})
	}
	return struct {
		PrefixListId, PrefixListName, AddressFamily, Description, CreationTime string
		MaxEntries                                                             int
		Entries                                                                struct{ Entry []wireEntry }
	}{l.ID, l.Name, l.Family, l.Description, l.CreationTime, l.MaxEntries, struct{ Entry []wireEntry }{entries}}, nil
}

func describePrefixListAssociations(c *call) (any, error) {
	p := c.params
	id := p.required("PrefixListId")
	token, results := p.text("NextToken"), p.number("MaxResults", 10, 1, 100)
	state, err := c.read()
	if err != nil {
		return nil, err
	}
	if state.prefixListIndex(id) < 0 {
		return nil, noSuchPrefixList(id)
	}
	type association struct{ ResourceId, ResourceType string }
	found := []association{}
	for _, group := range state.associations(id) {
		found = append(found, association{group, "securitygroup"})
	}
	page, next, err := tokenPage(found, token, results, c.fault)
	return struct {
		NextToken              string
		PrefixListAssociations struct{ PrefixListAssociation []association }
	}{next, struct{ PrefixListAssociation []association }{page}}, err
}
