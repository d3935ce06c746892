package cloudfw

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
	"regexp"
	"sync"
)

// Owner names one fwsync installation within an account. Everything it manages
// carries the owner in its marker; two owners never touch each other's objects.
type Owner string

var ownerPattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`) })

// ParseOwner accepts 1 to 32 characters of a-z, 0-9 and inner dashes.
func ParseOwner(text string) (Owner, error) {
	if !ownerPattern().MatchString(text) {
		return "", fmt.Errorf("owner %q must be 1 to 32 of a-z, 0-9 and inner dashes", text)
	}
	return Owner(text), nil
}

// Marker is the ownership mark that fwsync writes as the whole description of an
// object. An object is owned when its description is, to the last byte, what
// Marker.String writes for the same owner (promise P1): never a prefix, never a
// substring, so a hand-edited description makes the object foreign.
type Marker struct {
	Owner Owner
	Kind  string // "rule", "book" or "list"
	Name  string // unique within the kind; of letters, digits, '.', '_' and '-'
	// Sum tells the content that a book or a list had when fwsync last wrote to it, 8
	// hex digits: another content is somebody else's edit. Empty says nothing; the name
	// of a rule has a digest of its content instead.
	Sum string
}

// String is the description text, at most 141 bytes for names of up to 80 bytes,
// below the shortest limit of the vendor (256, reference §2.3).
func (m Marker) String() string {
	text := fmt.Sprintf("fwsync owner=%s %s=%s", m.Owner, m.Kind, m.Name)
	if m.Sum != "" {
		text += " sum=" + m.Sum
	}
	return text
}

var markerPattern = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\Afwsync owner=([a-z0-9-]+) ([a-z]+)=([A-Za-z0-9._-]+)(?: sum=([0-9a-f]{8}))?\z`)
})

// ParseMarker reads a description. It is false for everything that is not
// byte for byte the text of a marker.
func ParseMarker(description string) (Marker, bool) {
	m := markerPattern().FindStringSubmatch(description)
	if m == nil {
		return Marker{}, false
	}
	return Marker{Owner: Owner(m[1]), Kind: m[2], Name: m[3], Sum: m[4]}, true
}

// Summed is the description with the sum of a sorted content in its marker. What is no
// marker stays as it is.
func Summed(description string, content []netip.Prefix) string {
	m, ok := ParseMarker(description)
	if !ok {
		return description
	}
	m.Sum = sumOf(content)
	return m.String()
}

// Edited reports whether a marker's sum is of another content than the sorted one: it
// was changed behind fwsync's back. Without a sum nobody can tell, and the answer is
// false.
func Edited(description string, content []netip.Prefix) bool {
	m, ok := ParseMarker(description)
	return ok && m.Sum != "" && m.Sum != sumOf(content)
}

func sumOf(content []netip.Prefix) string {
	sum := sha256.New()
	hashed(sum, content)
	return hex.EncodeToString(sum.Sum(nil)[:4])
}

// Owns reports whether the description is a marker of this owner, of that kind.
func (o Owner) Owns(kind, description string) bool {
	m, ok := ParseMarker(description)
	return ok && m.Owner == o && m.Kind == kind
}

// BookName is the name of the owner's address book for the given purpose, such as
// "blocked4-1" or "blocked4-until-20261126-2130-1". Policies of the internet firewall refer to books by name
// (reference §2.1), so the name carries the owner too.
func (o Owner) BookName(purpose string) string { return "fwsync-" + string(o) + "-" + purpose }

// OwnsBook reports whether a live book is ours: its marker is, and its name is the
// one that the marker stands for.
func (o Owner) OwnsBook(b AddressBook) bool {
	m, ok := ParseMarker(b.Description)
	return ok && m.Owner == o && m.Kind == "book" && o.BookName(m.Name) == b.Name
}

// OwnsList is OwnsBook for prefix lists.
func (o Owner) OwnsList(l PrefixList) bool {
	m, ok := ParseMarker(l.Description)
	return ok && m.Owner == o && m.Kind == "list" && o.BookName(m.Name) == l.Name
}
