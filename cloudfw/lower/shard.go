package lower

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"fwsync/cloudfw"
)

// blockedPurpose begins the purpose of every book of blocked addresses. A number
// follows, or the end of a lapse bucket.
func blockedPurpose(f cloudfw.Family) string { return "blocked" + familyDigit(f) + "-" }

// shard spreads sorted prefixes of one family over at most so many books of a purpose, of
// at most `limit` addresses. A prefix that is in one of our books stays there; new ones go to
// the first book that has room beside everything it holds now, so that appending
// always fits before removing; then to new books. Empty books are not wanted. What
// finds no home for now is returned too, sorted.
func shard(owner cloudfw.Owner, f cloudfw.Family, purpose string, prefixes []netip.Prefix, live cloudfw.Snapshot, limit, most int, retired map[string]bool) ([]cloudfw.AddressBook, []netip.Prefix) {
	settled := make([]bool, len(prefixes))
	type shelf struct {
		book   cloudfw.AddressBook
		number int
		room   int
	}
	var shelves []shelf
	taken := map[int]bool{}
	for _, b := range live.Books {
		number, ours := bookNumber(owner, b, purpose)
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
		stay := make([]netip.Prefix, 0, len(shelves[i].book.Prefixes))
		at, found := 0, false
		for _, p := range shelves[i].book.Prefixes {
			if at, found = seek(prefixes, at, p); found && !settled[at] {
				settled[at] = true
				stay = append(stay, p)
			}
		}
		shelves[i].book.Prefixes = stay
	}
	var waiting []netip.Prefix
	for i, p := range prefixes {
		if !settled[i] {
			waiting = append(waiting, p)
		}
	}
	fill := func(s *shelf) {
		n := min(max(s.room, 0), len(waiting))
		s.book.Prefixes = append(s.book.Prefixes, waiting[:n]...)
		waiting = waiting[n:]
	}
	for i := range shelves {
		fill(&shelves[i])
	}
	for number := 1; len(waiting) > 0 && limit > 0 && len(shelves) < most; number++ {
		if !taken[number] {
			fresh := shelf{book(owner, purpose+strconv.Itoa(number), f), number, limit}
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
	return books, waiting
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

// seek is a binary search that is quick when the place is not far behind from: the
// books are sorted as the prefixes are.
func seek(sorted []netip.Prefix, from int, p netip.Prefix) (int, bool) {
	if from >= len(sorted) || cloudfw.ComparePrefixes(sorted[from], p) > 0 {
		from = 0 // not sorted after all
	}
	step := 1
	for from+step < len(sorted) && cloudfw.ComparePrefixes(sorted[from+step], p) < 0 {
		from, step = from+step, 2*step
	}
	at, found := slices.BinarySearchFunc(sorted[from:min(from+step+1, len(sorted))], p, cloudfw.ComparePrefixes)
	return from + at, found
}
