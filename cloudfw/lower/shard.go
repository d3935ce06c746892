package lower

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"fwsync/cloudfw"
)

// shard spreads the blocked prefixes of one family over books of at most `limit`
// addresses. An address that is in one of our books stays there; new ones go to
// the first book that has room beside everything it holds now, so that appending
// always fits before removing; then to new books. Empty books are not wanted.
func shard(intent cloudfw.Intent, f cloudfw.Family, live cloudfw.Snapshot, limit int, retired map[string]bool) []cloudfw.AddressBook {
	homeless := map[netip.Prefix]bool{}
	for _, b := range intent.Blocked {
		if cloudfw.FamilyOf(b.Prefix) == f {
			homeless[b.Prefix] = true
		}
	}
	purpose := "blocked" + familyDigit(f) + "-"
	type shelf struct {
		book   cloudfw.AddressBook
		number int
		room   int
	}
	var shelves []shelf
	taken := map[int]bool{}
	for _, b := range live.Books {
		number, ours := bookNumber(intent.Owner, b, purpose)
		if !ours || b.Family != f {
			continue
		}
		taken[number] = true
		if retired[b.Name] {
			continue
		}
		shelves = append(shelves, shelf{b, number, limit - len(b.Prefixes)})
	}
	slices.SortFunc(shelves, func(a, b shelf) int { return cmp.Compare(a.number, b.number) })

	for i := range shelves {
		var stay []netip.Prefix
		for _, p := range shelves[i].book.Prefixes {
			if homeless[p] {
				delete(homeless, p)
				stay = append(stay, p)
			}
		}
		shelves[i].book.Prefixes = stay
	}
	waiting := slices.SortedFunc(maps.Keys(homeless), cloudfw.ComparePrefixes)
	fill := func(s *shelf) {
		n := min(max(s.room, 0), len(waiting))
		s.book.Prefixes = append(s.book.Prefixes, waiting[:n]...)
		waiting = waiting[n:]
	}
	for i := range shelves {
		fill(&shelves[i])
	}
	for number := 1; len(waiting) > 0 && limit > 0; number++ {
		if !taken[number] {
			fresh := shelf{book(intent.Owner, purpose+strconv.Itoa(number), f), number, limit}
			fill(&fresh)
			shelves = append(shelves, fresh)
		}
	}
	slices.SortFunc(shelves, func(a, b shelf) int { return cmp.Compare(a.number, b.number) })

	var books []cloudfw.AddressBook
	for _, s := range shelves {
		if len(s.book.Prefixes) > 0 {
			s.book.ID, s.book.References = "", 0
			slices.SortFunc(s.book.Prefixes, cloudfw.ComparePrefixes)
			books = append(books, s.book)
		}
	}
	return books
}

// bookNumber returns the number of one of our blocked books.
func bookNumber(owner cloudfw.Owner, b cloudfw.AddressBook, purpose string) (int, bool) {
	if !owner.OwnsBook(b) {
		return 0, false
	}
	digits, ok := strings.CutPrefix(b.Name, owner.BookName(purpose))
	if !ok {
		return 0, false
	}
	number, err := strconv.Atoi(digits)
	return number, err == nil && number > 0 && strconv.Itoa(number) == digits
}
