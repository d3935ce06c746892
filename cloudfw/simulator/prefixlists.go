package simulator

import (
	"net/http"
	"regexp"
	"slices"
	"sync"
	"unicode/utf8"
)

var prefixListName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z][A-Za-z0-9:_.-]{1,127}$`) })

// CreatePrefixList adds a prefix list and returns its id (reference §3.2).
func (c *Cloud) CreatePrefixList(l PrefixList) (id string, err error) {
	err = c.update(func(e *edit) error {
		id, err = e.createPrefixList(l)
		return err
	})
	return id, err
}

// ModifyPrefixList removes and then adds entries; adding a CIDR that is already
// there edits its description.
func (c *Cloud) ModifyPrefixList(id string, add []PrefixEntry, remove []string) error {
	return c.update(func(e *edit) error { return e.modifyPrefixList(id, "", "", add, remove) })
}

// DeletePrefixList removes a prefix list that no security group refers to.
func (c *Cloud) DeletePrefixList(id string) error {
	return c.update(func(e *edit) error { return e.deletePrefixList(id) })
}

func (e *edit) createPrefixList(l PrefixList) (string, error) {
	if len(e.PrefixLists) >= e.limits.PrefixLists {
		// The status is 404 in the reference too (§3.2).
		return "", refuse(http.StatusNotFound, "LimitExceed.PrefixListPerRegion", "The maximum number of prefix lists, %d, is exceeded.", e.limits.PrefixLists)
	}
	if l.Family != "IPv4" && l.Family != "IPv6" {
		return "", bad("InvalidParameter.AddressFamily", "The address family %q is invalid.", l.Family)
	}
	if l.MaxEntries < 1 || l.MaxEntries > e.limits.EntriesPerPrefixList {
		return "", bad("InvalidParameter.MaxEntries", "MaxEntries must be 1 to %d.", e.limits.EntriesPerPrefixList)
	}
	if err := judgePrefixListTexts(l.Name, l.Description); err != nil {
		return "", err
	}
	entries, err := e.applyEntries(PrefixList{Family: l.Family, MaxEntries: l.MaxEntries}, l.Entries, nil)
	if err != nil {
		return "", err
	}
	l.Entries = entries
	l.ID = e.newID("pl-sim%06d")
	l.CreationTime = e.now.Format("2006-01-02T15:04Z")
	e.PrefixLists = append(e.PrefixLists, l)
	return l.ID, nil
}

// modifyPrefixList changes entries, and name and description where not empty.
func (e *edit) modifyPrefixList(id, name, description string, add []PrefixEntry, remove []string) error {
	i := e.prefixListIndex(id)
	if i < 0 {
		return noSuchPrefixList(id)
	}
	l := e.PrefixLists[i]
	if name != "" {
		l.Name = name
	}
	if description != "" {
		l.Description = description
	}
	if err := judgePrefixListTexts(l.Name, l.Description); err != nil {
		return err
	}
	entries, err := e.applyEntries(l, add, remove)
	if err != nil {
		return err
	}
	l.Entries = entries
	e.PrefixLists[i] = l
	return nil
}

// applyEntries returns l's entries after removing and then adding. One CIDR may
// stand in both: that is how clients edit a description (reference §10).
func (e *edit) applyEntries(l PrefixList, add []PrefixEntry, remove []string) ([]PrefixEntry, error) {
	if limit := e.limits.EntriesPerPrefixList; len(add) > limit || len(remove) > limit {
		return nil, bad("LimitExceed.Entry", "A call changes at most %d entries.", limit)
	}
	entries := append([]PrefixEntry{}, l.Entries...)
	position := func(cidr string) int {
		return slices.IndexFunc(entries, func(p PrefixEntry) bool { return p.CIDR == cidr })
	}
	seen := map[string]bool{}
	for _, text := range remove {
		cidr, err := canonicalCIDR(l.Family, text, seen)
		if err != nil {
			return nil, err
		}
		at := position(cidr)
		if at >= 0 {
			entries = slices.Delete(entries, at, at+1)
		} else if e.assume.DeleteMissingFails {
			return nil, bad("InvalidParameter.CidrNotExist", "The prefix list has no entry %s.", cidr)
		}
	}
	seen = map[string]bool{}
	for _, a := range add {
		cidr, err := canonicalCIDR(l.Family, a.CIDR, seen)
		if err != nil {
			return nil, err
		}
		if n := utf8.RuneCountInString(a.Description); n == 1 || n > 32 {
			return nil, bad("InvalidParameter.EntryDescription", "The description of %s must have 2 to 32 characters.", cidr)
		}
		if at := position(cidr); at >= 0 {
			entries[at].Description = a.Description
			continue
		}
		entries = append(entries, PrefixEntry{CIDR: cidr, Description: a.Description})
	}
	if len(entries) > l.MaxEntries {
		return nil, bad("LimitExceed.MaxEntries", "The prefix list holds at most %d entries.", l.MaxEntries)
	}
	return entries, nil
}

func canonicalCIDR(family, text string, seen map[string]bool) (string, error) {
	prefix, ok := parseBlock(text)
	if !ok || prefix != prefix.Masked() || prefix.Addr().Is4() != (family == "IPv4") {
		return "", bad("InvalidParameter.CidrMalformed", "%q is not a canonical %s CIDR block.", text, family)
	}
	cidr := prefix.String()
	if seen[cidr] {
		return "", bad("InvalidParameter.CidrDuplicated", "%s is named twice.", cidr)
	}
	seen[cidr] = true
	return cidr, nil
}

func (e *edit) deletePrefixList(id string) error {
	i := e.prefixListIndex(id)
	if i < 0 {
		return noSuchPrefixList(id)
	}
	if users := e.associations(id); len(users) > 0 {
		// That it must be unreferenced, and the code, are assumed (reference §3.2).
		return refuse(http.StatusForbidden, "DependencyViolation", "The prefix list is used by %d resources.", len(users))
	}
	e.PrefixLists = slices.Delete(e.PrefixLists, i, i+1)
	return nil
}

func judgePrefixListTexts(name, description string) error {
	if !prefixListName().MatchString(name) {
		return bad("InvalidParameter.PrefixListName", "The prefix list name %q is invalid.", name)
	}
	if n := utf8.RuneCountInString(description); n == 1 || n > 256 {
		return bad("InvalidParameter.Description", "The description must have 2 to 256 characters.")
	}
	return nil
}

func noSuchPrefixList(id string) error {
	return refuse(http.StatusNotFound, "InvalidPrefixListId.NotFound", "The prefix list %q does not exist.", id)
}

func (s *State) prefixListIndex(id string) int {
	return slices.IndexFunc(s.PrefixLists, func(l PrefixList) bool { return l.ID == id })
}

// associations lists the security groups that refer to a prefix list.
func (s *State) associations(id string) []string {
	var users []string
	for _, g := range s.SecurityGroups {
		if slices.ContainsFunc(g.Rules, func(r SecurityRule) bool { return r.SourcePrefixListID == id || r.DestPrefixListID == id }) {
			users = append(users, g.ID)
		}
	}
	return users
}
