package lower

import (
	"net/netip"
	"slices"
	"time"

	"fwsync/cloudfw"
	"fwsync/cloudfw/condense"
)

// Endless is a block that the firewall itself was to end and does not: it is in a book
// of blocked addresses whose policies bear no end.
type Endless struct {
	Prefix netip.Prefix
	Reason string
}

// house finds a book for each of the chosen prefixes of one family. Those that lapse go
// into the books of lapse buckets, as many as there is room for; one that gets none has
// its home among the others. What finds no home at all is returned too.
func (l *firewalls) house(w *Wanted, f cloudfw.Family, chosen condense.Selection, lapses map[netip.Prefix]time.Time, room room, limit int, retired map[string]bool) ([]cloudfw.AddressBook, []netip.Prefix) {
	live, most := inBuckets(l.owner, l.live, f, lapses), MostBuckets
	if len(lapses) == 0 {
		most = 0
	}
	for ; ; most-- {
		var own []cloudfw.AddressBook
		var full []netip.Prefix
		apart := map[netip.Prefix]bool{}
		for _, b := range fill(lapses, live, most) {
			books, waiting := shard(l.owner, f, bucketPurpose(f, b.end), b.prefixes, l.live, limit, booksPerBucket, retired)
			for _, p := range b.prefixes {
				apart[p] = !slices.Contains(waiting, p)
			}
			own, full = append(own, books...), append(full, waiting...)
		}
		rest := chosen.Prefixes
		if len(own) > 0 {
			rest = slices.DeleteFunc(slices.Clone(rest), func(p netip.Prefix) bool { return apart[p] })
		}
		books, homeless := shard(l.owner, f, blockedPurpose(f), rest, l.live, limit, room.books-len(own), retired)
		if most > 0 && (len(homeless) > 0 || len(own) > room.books) {
			continue // a bucket is a book that is filled badly
		}
		reason := "the books of its half hour are full"
		if most == 0 {
			full, reason = keys(lapses), "there is no room for a book of its half hour within "+room.bound
		}
		w.endless(reason, full...)
		return append(books, own...), homeless
	}
}

// lapses says of which of the chosen prefixes of one family the firewall itself shall
// let go, and when: those that stand for a block that lapses and for nothing else.
func (l *firewalls) lapses(w *Wanted, intent cloudfw.Intent, f cloudfw.Family, chosen condense.Selection, held []netip.Prefix, room room) map[netip.Prefix]time.Time {
	var all map[netip.Prefix]time.Time
	var moving []netip.Prefix
	for _, b := range intent.Blocked {
		if !b.Lapses || b.Until.IsZero() || cloudfw.FamilyOf(b.Prefix) != f {
			continue
		}
		holder, held := holderOf(chosen.Prefixes, b.Prefix)
		if !held {
			continue // there was no room for it at all, and that is told
		}
		if _, merged := slices.BinarySearchFunc(chosen.Merges, holder, func(m condense.Merge, p netip.Prefix) int { return cloudfw.ComparePrefixes(m.Prefix, p) }); merged || holder != b.Prefix {
			w.endless("it shares a prefix with others, for want of room", b.Prefix)
			continue
		}
		if all == nil {
			all = map[netip.Prefix]time.Time{}
		}
		if end := cloudfw.LapseOf(b.Until); end.After(all[b.Prefix]) {
			all[b.Prefix] = end
		}
		if l.among(f, b.Prefix) {
			moving = append(moving, b.Prefix)
		}
	}
	if len(moving) > 0 && len(cloudfw.SortPrefixes(slices.Concat(held, chosen.Prefixes)))+len(moving) > room.places {
		for _, p := range moving {
			delete(all, p)
		}
		w.endless("it is blocked without an end, and there is no room to have it twice on the way within "+room.bound, moving...)
	}
	return all
}

// holderOf is the narrowest of sorted prefixes that holds another one.
func holderOf(sorted []netip.Prefix, p netip.Prefix) (netip.Prefix, bool) {
	for bits := p.Bits(); bits >= 0; bits-- {
		wider, _ := p.Addr().Prefix(bits) // never an error: it has no more bits than p
		if _, found := slices.BinarySearchFunc(sorted, wider, cloudfw.ComparePrefixes); found {
			return wider, true
		}
	}
	return netip.Prefix{}, false
}

// among reports whether an address is in one of our books that bear no end, and in none
// of a lapse bucket.
func (l *firewalls) among(f cloudfw.Family, p netip.Prefix) bool {
	there := false
	for _, b := range l.live.Books {
		if b.Family != f || !l.owner.OwnsBook(b) {
			continue
		}
		if _, found := slices.BinarySearchFunc(b.Prefixes, p, cloudfw.ComparePrefixes); !found {
			continue
		}
		if _, lapses := Lapse(l.owner, b.Name); lapses {
			return false
		}
		if _, blocked := bookNumber(l.owner, b, blockedPurpose(f)); blocked {
			there = true
		}
	}
	return there
}

// bounded is a policy that ends with the lapse buckets whose books it names. One that had
// no end before has no beginning yet.
func (l *firewalls) bounded(r cloudfw.FirewallRule) cloudfw.FirewallRule {
	always := r.Validity.Permanent()
	for _, peer := range []cloudfw.Peer{r.Source, r.Destination} {
		end, lapses := Lapse(l.owner, peer.Value)
		if peer.Kind == cloudfw.Book && lapses && (r.Validity.Permanent() || end.Before(r.Validity.End)) {
			r.Validity.End = end
			if always {
				r.Validity.Repeat = cloudfw.Once
			}
		}
	}
	return r
}

// begun is a policy with its beginning, if a lapse bucket gave it its end: that of the
// live one, if that is in force, else now. So it is not written anew each half hour. A
// live one of somebody else is what could be adopted.
func (l *firewalls) begun(r cloudfw.FirewallRule) cloudfw.FirewallRule {
	if r.Validity.Permanent() || !r.Validity.Start.IsZero() {
		return r
	}
	start := l.live.TakenAt.UTC().Truncate(cloudfw.HalfHour)
	for _, live := range l.live.Rules {
		same, own := r, live.Description == r.Description
		same.Validity.Start, same.Description = live.Validity.Start, live.Description
		if same.Validity.Start.After(l.live.TakenAt) || !own && l.owner.Owns("rule", live.Description) || !live.Same(same) {
			continue
		}
		if start = live.Validity.Start.UTC(); own {
			break
		}
	}
	r.Validity.Start = start
	return r
}

func (w *Wanted) endless(reason string, prefixes ...netip.Prefix) {
	for _, p := range prefixes {
		w.Endless = append(w.Endless, Endless{p, reason})
	}
}

func keys(m map[netip.Prefix]time.Time) []netip.Prefix {
	all := make([]netip.Prefix, 0, len(m))
	for p := range m {
		all = append(all, p)
	}
	return cloudfw.SortPrefixes(all)
}
