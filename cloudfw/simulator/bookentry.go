package simulator

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"
)

// bookEntry is one element of an address book.
type bookEntry struct {
	address string // as it reads back
	note    string // at most 64 characters, reference §2.3
	key     string // equal for two spellings of one address
}

// String returns the form kept in State.
func (b bookEntry) String() string {
	if b.note == "" {
		return b.address
	}
	return b.address + " " + b.note
}

// splitEntry separates an address from its note.
func splitEntry(text string) (address, note string) {
	address, note, _ = strings.Cut(strings.TrimSpace(text), " ")
	return address, strings.TrimSpace(note)
}

func parseEntry(kind, text string, assume Assumptions) (bookEntry, error) {
	address, note := splitEntry(text)
	if utf8.RuneCountInString(note) > 64 {
		return bookEntry{}, badEntry(kind, "the note of %q is longer than 64 characters", address)
	}
	entry := bookEntry{address: address, note: note, key: strings.ToLower(address)}
	switch kind {
	case "ip", "ipv6":
		prefix, ok := parseBlock(address)
		if !ok || prefix.Addr().Is4() != (kind == "ip") {
			return bookEntry{}, badEntry(kind, "%q is not an address or CIDR of this family", address)
		}
		if prefix != prefix.Masked() && !assume.NormaliseAddresses {
			return bookEntry{}, badEntry(kind, "%q has host bits set", address)
		}
		entry.key = prefix.Masked().String()
		if assume.NormaliseAddresses {
			entry.address = entry.key
		}
	case "domain":
		if !isDomain(address) {
			return bookEntry{}, badEntry(kind, "%q is not a domain", address)
		}
	case "port":
		if !isPortRange(address) {
			return bookEntry{}, badEntry(kind, "%q is not a port or low/high", address)
		}
		entry.key = portPair(address)
	default:
		return bookEntry{}, badEntry(kind, "this type takes no address list")
	}
	return entry, nil
}

// parseBlock parses an address or CIDR without zone; IPv4-mapped forms are refused.
func parseBlock(text string) (netip.Prefix, bool) {
	if !strings.Contains(text, "/") {
		addr, err := netip.ParseAddr(text)
		if err != nil || addr.Zone() != "" || addr.Is4In6() {
			return netip.Prefix{}, false
		}
		return netip.PrefixFrom(addr, addr.BitLen()), true
	}
	prefix, err := netip.ParsePrefix(text)
	return prefix, err == nil && !prefix.Addr().Is4In6()
}

// portPair writes a port as low/high.
func portPair(text string) string {
	if strings.Contains(text, "/") {
		return text
	}
	return text + "/" + text
}

// entryKeys is the set of addresses a book holds among those that may be like the
// given ones.
func entryKeys(b *AddressBook, given []bookEntry, assume Assumptions) (map[string]bool, error) {
	keys, like := make(map[string]bool, len(given)), likenessOf(b.Type, given, assume)
	for _, text := range b.Addresses {
		if !like.fits(text) {
			continue
		}
		entry, err := parseEntry(b.Type, text, assume)
		if err != nil {
			return nil, err
		}
		keys[entry.key] = true
	}
	return keys, nil
}

// badEntry is the refusal of an address list, with the code of the book's type.
func badEntry(kind, format string, args ...any) error {
	code := "ErrorParametersGroupAddress"
	switch kind {
	case "port":
		code = "ErrorParametersGroupPort"
	case "domain":
		code = "ErrorParamDomain"
	}
	return bad(code, "The address list is invalid: %s.", fmt.Sprintf(format, args...))
}
