package cloudfw

import (
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParsePrefixIsTheOnlyWayIn(t *testing.T) {
	for _, c := range []struct{ text, want, refused string }{
		{text: "198.51.100.7", want: "198.51.100.7/32"},
		{text: " 203.0.113.0/24 ", want: "203.0.113.0/24"},
		{text: "2001:DB8::1", want: "2001:db8::1/128"},
		{text: "::ffff:198.51.100.7", want: "198.51.100.7/32"},
		{text: "::ffff:198.51.100.0/120", want: "198.51.100.0/24"},
		{text: "0.0.0.0/0", want: "0.0.0.0/0"},
		{text: "999.1.1.1", refused: "not an IP address"},
		{text: "010.0.0.1", refused: "not an IP address"},
		{text: "fe80::1%eth0", refused: "zone"},
		{text: "198.51.100.7/24", refused: "did you mean 198.51.100.0/24?"},
		{text: "::ffff:0.0.0.0/90", refused: "mixes"},
		{text: "198.51.100.0/33", refused: "not a CIDR"},
		{text: "", refused: "empty"},
	} {
		p, err := ParsePrefix(c.text)
		switch {
		case c.refused == "" && (err != nil || p.String() != c.want):
			t.Errorf("ParsePrefix(%q) = %v, %v; want %s", c.text, p, err, c.want)
		case c.refused != "" && (err == nil || !strings.Contains(err.Error(), c.refused)):
			t.Errorf("ParsePrefix(%q) = %v, %v; want an error with %q", c.text, p, err, c.refused)
		}
	}
}

// Subtract agrees with asking every address of a small space.
func TestSubtractKeepsExactlyTheOthers(t *testing.T) {
	small := rapid.Custom(func(t *rapid.T) netip.Prefix {
		bits := rapid.IntRange(24, 32).Draw(t, "bits")
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 51, 100, rapid.Byte().Draw(t, "last")}), bits).Masked()
	})
	rapid.Check(t, func(t *rapid.T) {
		p := small.Draw(t, "p")
		holes := rapid.SliceOfN(small, 0, 5).Draw(t, "holes")
		rest := Subtract(p, holes)
		for last := range 256 {
			a := netip.AddrFrom4([4]byte{198, 51, 100, byte(last)})
			in := 0
			for _, r := range rest {
				if r.Contains(a) {
					in++
				}
			}
			want := 0
			if p.Contains(a) {
				want = 1
			}
			for _, h := range holes {
				if h.Contains(a) {
					want = 0
				}
			}
			if in != want {
				t.Fatalf("%s minus %v = %v: %s is in it %d times, want %d", p, holes, rest, a, in, want)
			}
		}
	})
}

func TestPortRangesReadBackWhatTheyWrite(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first := rapid.Uint16Range(1, 65535).Draw(t, "first")
		r := PortRange{first, rapid.Uint16Range(first, 65535).Draw(t, "last")}
		got, err := ParsePortRange(r.String())
		if err != nil || got.String() != r.String() {
			t.Fatalf("ParsePortRange(%q) = %v, %v", r.String(), got, err)
		}
	})
	for _, bad := range []string{"x", "70000", "30-20", "-5", "1-2-3"} {
		if r, err := ParsePortRange(bad); err == nil {
			t.Errorf("ParsePortRange(%q) = %v, want an error", bad, r)
		}
	}
}

// Promise P1: an object is ours when its description is, to the last byte, what we
// write; a prefix, a substring, another owner and a copy with a tail are not.
func TestP1OwnershipIsWholeMarkerEquality(t *testing.T) {
	owner := Owner("edge")
	mark := Marker{Owner: owner, Kind: "rule", Name: "drop.4.0a1b2c3d"}.String()
	if !owner.Owns("rule", mark) {
		t.Fatalf("%q is not recognised", mark)
	}
	for _, foreign := range []string{
		"", mark + " ", " " + mark, mark + " (do not touch)", mark + "\n", strings.ToUpper(mark),
		strings.Replace(mark, "edge", "edge2", 1), strings.Replace(mark, "edge", "edg", 1),
		strings.Replace(mark, "rule=", "book=", 1), "fwsync owner=edge rule=", "fwsync  owner=edge rule=x", "owner=edge rule=x",
	} {
		if owner.Owns("rule", foreign) {
			t.Errorf("%q counts as ours", foreign)
		}
	}
	book := AddressBook{Name: owner.BookName("blocked4-1"), Description: Marker{Owner: owner, Kind: "book", Name: "blocked4-1"}.String()}
	if !owner.OwnsBook(book) {
		t.Error("our own book is not recognised")
	}
	content := []netip.Prefix{netip.MustParsePrefix("198.51.100.7/32")}
	book.Description = Summed(book.Description, content)
	if !owner.OwnsBook(book) || Edited(book.Description, content) || !Edited(book.Description, nil) || Edited(mark, nil) {
		t.Errorf("%q does not tell its content from another", book.Description)
	}
	for _, broken := range []string{book.Description + "0", strings.ToUpper(book.Description), strings.Replace(book.Description, " sum=", "  sum=", 1), book.Description + " "} {
		if owner.OwnsBook(AddressBook{Name: book.Name, Description: broken}) || Summed(broken, nil) != broken {
			t.Errorf("%q counts as ours", broken)
		}
	}
	book.Name = owner.BookName("blocked4-2")
	if owner.OwnsBook(book) {
		t.Error("a book with another book's marker counts as ours")
	}
}

func TestReservedSpaceIsKnownAndDocumentationIsOrdinary(t *testing.T) {
	for _, text := range []string{"127.0.0.1", "10.1.0.0/16", "100.64.0.1", "169.254.1.1", "224.0.0.1", "255.255.255.255", "0.0.0.0/0", "8.0.0.0/6", "::1", "fe80::1", "fd00::/8", "ff02::1", "::/0"} {
		p, err := ParsePrefix(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := Reserved(p); !ok {
			t.Errorf("%s is not protected", text)
		}
	}
	for _, text := range []string{"192.0.2.1", "198.51.100.0/24", "203.0.113.9", "2001:db8::/32", "8.8.8.8"} {
		p, _ := ParsePrefix(text)
		if why, ok := Reserved(p); ok {
			t.Errorf("%s is protected as %s", text, why)
		}
	}
}
