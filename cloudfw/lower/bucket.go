package lower

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"fwsync/cloudfw"
)

// MostBuckets bounds the lapse buckets of one family: each is a book more, and a policy
// more for each that names the blocked addresses. A bucket whose book is full of what
// stays and of what is about to leave gets one more, and no third.
const (
	MostBuckets    = 4
	booksPerBucket = 2
)

// bucket is a lapse bucket: the addresses of one family whose block the firewall itself
// ends at the same half hour.
type bucket struct {
	end      time.Time
	first    time.Time // the earliest end that was asked for
	prefixes []netip.Prefix
}

// bucketTime is how a book's name tells the end of its bucket.
const bucketTime = "20060102-1504"

// bucketPurpose begins the purpose of the books of one bucket.
func bucketPurpose(f cloudfw.Family, end time.Time) string {
	return blockedPurpose(f) + "until-" + end.UTC().Format(bucketTime) + "-"
}

// Lapse is when the firewall itself ends the policies that name a book, as the name of a
// lapse bucket's book says. It is false for every other book.
func Lapse(owner cloudfw.Owner, book string) (time.Time, bool) {
	for _, f := range cloudfw.Families {
		rest, ok := strings.CutPrefix(book, owner.BookName(blockedPurpose(f)+"until-"))
		if !ok || len(rest) < len(bucketTime) {
			continue
		}
		end, err := time.Parse(bucketTime, rest[:len(bucketTime)])
		digits, ok := strings.CutPrefix(book, owner.BookName(bucketPurpose(f, end)))
		number, bad := strconv.Atoi(digits)
		return end, ok && err == nil && bad == nil && number > 0 && strconv.Itoa(number) == digits
	}
	return time.Time{}, false
}

// inBuckets says of the addresses of one family in which live bucket each is: the
// earliest that does not end before it is wanted to.
func inBuckets(owner cloudfw.Owner, live cloudfw.Snapshot, f cloudfw.Family, wanted map[netip.Prefix]time.Time) map[netip.Prefix]time.Time {
	at := map[netip.Prefix]time.Time{}
	for _, b := range live.Books {
		end, is := Lapse(owner, b.Name)
		if !is || b.Family != f || !owner.OwnsBook(b) {
			continue
		}
		for _, p := range b.Prefixes {
			want, lapses := wanted[p]
			if known, ok := at[p]; lapses && !end.Before(want) && (!ok || end.Before(known)) {
				at[p] = end
			}
		}
	}
	return at
}

// fill puts addresses into at most so many buckets, given the half hour that each is to
// end at and the live bucket that it is in. An address never gets a bucket that ends
// before that. It stays in a later one for as long as that is somebody's own, so that
// time alone moves nobody. Where the half hours are more than the buckets, neighbours go
// together into the later one: those of which nobody is kept long, the earlier first.
func fill(wanted, live map[netip.Prefix]time.Time, most int) []bucket {
	if most <= 0 {
		return nil
	}
	own := map[time.Time]bool{}
	for _, end := range wanted {
		own[end] = true
	}
	byEnd := map[time.Time]*bucket{}
	for p, want := range wanted {
		end := want
		if at, ok := live[p]; ok && own[at] {
			end = at
		}
		b := byEnd[end]
		if b == nil {
			b = &bucket{end: end, first: want}
			byEnd[end] = b
		}
		b.add(want, p)
	}
	all := make([]bucket, 0, len(byEnd))
	for _, b := range byEnd {
		all = append(all, *b)
	}
	slices.SortFunc(all, func(a, b bucket) int { return a.end.Compare(b.end) })
	for len(all) > most {
		at := 0
		for i := range len(all) - 1 {
			if all[i+1].end.Sub(all[i].first) < all[at+1].end.Sub(all[at].first) {
				at = i
			}
		}
		all[at+1].add(all[at].first, all[at].prefixes...)
		all = slices.Delete(all, at, at+1)
	}
	for i := range all {
		slices.SortFunc(all[i].prefixes, cloudfw.ComparePrefixes)
	}
	return all
}

func (b *bucket) add(first time.Time, prefixes ...netip.Prefix) {
	if first.Before(b.first) {
		b.first = first
	}
	b.prefixes = append(b.prefixes, prefixes...)
}
