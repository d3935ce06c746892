package alibaba

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"fwsync/cloudfw"
)

// book converts an address book. Entries may carry a note after a blank (reference
// §2.4); in a book of addresses those that are no addresses are left out and
// counted, as nobody's odd book may keep the whole account from being observed.
func (b *book) book() (converted cloudfw.AddressBook, unreadable int) {
	converted = cloudfw.AddressBook{
		ID: string(b.GroupUuid), Name: string(b.GroupName), Description: string(b.Description),
		Prefixes: []netip.Prefix{}, References: int(b.ReferenceCount),
	}
	switch b.GroupType {
	case "ip", "ipv6":
		converted.Family = cloudfw.IPv4
		if b.GroupType == "ipv6" {
			converted.Family = cloudfw.IPv6
		}
		converted.Prefixes, unreadable = readPrefixes(b.AddressList)
		return converted, unreadable
	case "tag":
		// Which servers bear the tags is the vendor's business and changes by itself.
		converted.Entries = make([]string, 0, len(b.TagList)+1)
		for _, tag := range b.TagList {
			converted.Entries = append(converted.Entries, string(tag.TagKey)+"="+string(tag.TagValue))
		}
		if len(b.TagList) > 1 {
			converted.Entries = append(converted.Entries, "("+string(b.TagRelation)+")")
		}
	default:
		converted.Entries = make([]string, 0, len(b.AddressList))
		for _, entry := range b.AddressList {
			converted.Entries = append(converted.Entries, withoutNote(string(entry)))
		}
	}
	converted.Type = cloudfw.BookType(b.GroupType)
	slices.Sort(converted.Entries)
	converted.Entries = slices.Compact(converted.Entries)
	return converted, 0
}

func withoutNote(entry string) string {
	entry, _, _ = strings.Cut(strings.TrimSpace(entry), " ")
	return entry
}

// readPrefixes converts entries to sorted prefixes and counts those that are none.
func readPrefixes(entries texts) (prefixes []netip.Prefix, unreadable int) {
	prefixes = make([]netip.Prefix, 0, len(entries))
	for _, entry := range entries {
		p, err := lenientPrefix(withoutNote(string(entry)))
		if err != nil {
			unreadable++
			continue
		}
		prefixes = append(prefixes, p)
	}
	return cloudfw.SortPrefixes(prefixes), unreadable
}

// bookForm is the type of a book and its comma-separated entries, which may be too
// many for a URL and go into the request's body (reference §0.3). The prefixes are
// those of the step; books of domains and ports have their entries in the book.
func bookForm(b *cloudfw.AddressBook, prefixes []netip.Prefix) (kind, list string, err error) {
	var fits func(string) bool
	switch b.Type {
	case cloudfw.Addresses:
		if len(b.Entries) > 0 {
			return "", "", errors.New("a book of addresses has prefixes, not entries")
		}
		return addressForm(prefixes, b.Family)
	case cloudfw.DomainNames:
		fits = isDomain
	case cloudfw.PortRanges:
		fits = isPortEntry
	default:
		return "", "", fmt.Errorf("books of type %q are read only; written are books of addresses, %s and %s", b.Type, cloudfw.DomainNames, cloudfw.PortRanges)
	}
	if len(prefixes) > 0 || b.Family != "" {
		return "", "", fmt.Errorf("a book of type %q has entries, not prefixes and a family", b.Type)
	}
	if len(b.Entries) == 0 {
		return "", "", errors.New("no entries given")
	}
	for _, entry := range b.Entries {
		if !fits(entry) {
			return "", "", fmt.Errorf("%q is no entry of a book of type %q", entry, b.Type)
		}
	}
	return string(b.Type), strings.Join(b.Entries, ","), nil
}

// addressForm is bookForm for addresses. A family of "" takes the one of the first
// address; books hold one family only (reference §2.3).
func addressForm(prefixes []netip.Prefix, family cloudfw.Family) (kind, list string, err error) {
	if len(prefixes) == 0 {
		return "", "", errors.New("no addresses given")
	}
	if family == "" {
		family = cloudfw.FamilyOf(prefixes[0])
	}
	texts := make([]string, len(prefixes))
	for i, p := range prefixes {
		if !p.IsValid() || p != p.Masked() || cloudfw.FamilyOf(p) != family {
			return "", "", fmt.Errorf("%s is not a masked %s prefix", p, family)
		}
		texts[i] = p.String()
	}
	kind = "ip"
	if family == cloudfw.IPv6 {
		kind = "ipv6"
	}
	return kind, strings.Join(texts, ","), nil
}

// isPortEntry accepts "80" and "100/200", the spellings of a port book (reference §2.4).
func isPortEntry(entry string) bool {
	_, err := cloudfw.ParsePortRange(entry)
	return err == nil && !strings.ContainsFunc(entry, func(c rune) bool { return c != '/' && (c < '0' || c > '9') })
}
