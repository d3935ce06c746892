package decide

import (
	"cmp"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"time"

	"fwsync/cloudfw"
	"fwsync/ledger"
	"fwsync/policies"
)

type key struct {
	prefix netip.Prefix
	rule   string
}

// record is the ledger as judging needs it.
type record struct {
	latest    map[key]ledger.Decision // automatic blocks: what is in force, or else was last
	blocked   nested[ledger.Decision] // people's blocks in force
	unblocked nested[ledger.Decision] // blocks that a person took back, the last of each prefix
	within    []ledger.Decision       // likewise, for those that lie within what is asked about
}

func remember(known []ledger.Decision, now time.Time) record {
	r := record{latest: map[key]ledger.Decision{}}
	var blocked []ledger.Decision
	unblocked := map[netip.Prefix]ledger.Decision{}
	for _, d := range known {
		if d.Verdict != ledger.Block {
			continue
		}
		if byPerson(d) {
			if before, ok := unblocked[d.Prefix]; !ok || compare(before, d, now) < 0 {
				unblocked[d.Prefix] = d
			}
		}
		switch k := (key{d.Prefix, d.Rule}); {
		case Automatic(d):
			if before, ok := r.latest[k]; !ok || compare(before, d, now) < 0 {
				r.latest[k] = d
			}
		case d.ActiveAt(now) && !isFeed(d.Author):
			blocked = append(blocked, d)
		}
	}
	for _, d := range unblocked {
		r.within = append(r.within, d)
	}
	slices.SortFunc(blocked, func(a, b ledger.Decision) int { return compare(b, a, now) })
	prefix := func(d ledger.Decision) netip.Prefix { return d.Prefix }
	r.blocked, r.unblocked = nest(blocked, prefix), nest(r.within, prefix)
	return r
}

// compare tells which of two decisions counts, whatever their order in the ledger: one
// in force before one that is not, then the one that ends later, then the newer one.
func compare(a, b ledger.Decision, now time.Time) int {
	switch aIs, bIs := a.ActiveAt(now), b.ActiveAt(now); {
	case aIs != bIs && aIs:
		return 1
	case aIs != bIs:
		return -1
	}
	return cmp.Or(forever(Ended(a)).Compare(forever(Ended(b))), cmp.Compare(a.ID, b.ID))
}

// forever makes the zero end the latest one.
func forever(end time.Time) time.Time {
	if end.IsZero() {
		return time.Unix(1<<40, 0)
	}
	return end
}

// Ended is when a decision ends or has ended; zero means until revoked.
func Ended(d ledger.Decision) time.Time {
	if !d.RevokedAt.IsZero() && (d.End.IsZero() || d.RevokedAt.Before(d.End)) {
		return d.RevokedAt
	}
	return d.End
}

// byPerson reports whether a person took the decision back. An address that left a feed
// was not forgiven by anybody.
func byPerson(d ledger.Decision) bool {
	return !d.RevokedAt.IsZero() && d.RevokedBy != Author && !isFeed(d.RevokedBy)
}

// people says why what people decided stands against a block, or nothing.
func (r record) people(f Found, p policies.Penalty, now time.Time) string {
	if d, ok := r.blocked.widest(f.Prefix); ok {
		return fmt.Sprintf("%s blocks %s already (decision %d, %s): fwsync adds nothing to a person's decision", d.Author, d.Prefix, d.ID, until(d.End))
	}
	around, known := r.unblockedAround(f.Prefix)
	within, inside := r.unblockedWithin(f.Prefix)
	if inside && (!known || within.RevokedAt.After(around.RevokedAt)) && warm(within, p).After(now) {
		return cooling(within, p)
	}
	switch {
	case !known:
		return ""
	case warm(around, p).After(now):
		return cooling(around, p)
	case !f.CrossedAt.Add(f.Shift).After(around.RevokedAt):
		return fmt.Sprintf("all of its signals are from before %s, when %s unblocked %s: only new ones block again", stamp(around.RevokedAt), around.RevokedBy, around.Prefix)
	}
	return ""
}

func warm(d ledger.Decision, p policies.Penalty) time.Time {
	return d.RevokedAt.Add(p.CoolsDown())
}

func cooling(d ledger.Decision, p policies.Penalty) string {
	text := fmt.Sprintf("cooling down until %s: %s unblocked %s at %s", stamp(warm(d, p)), d.RevokedBy, d.Prefix, stamp(d.RevokedAt))
	if d.RevokeReason != "" {
		text += " (" + d.RevokeReason + ")"
	}
	return text
}

// unblockedAround is the last unblock of what covers the prefix.
func (r record) unblockedAround(p netip.Prefix) (last ledger.Decision, ok bool) {
	for d := range r.unblocked.over(p) {
		if !ok || d.RevokedAt.After(last.RevokedAt) {
			last, ok = d, true
		}
	}
	return last, ok
}

// unblockedWithin is the last unblock of a part of a network.
func (r record) unblockedWithin(p netip.Prefix) (last ledger.Decision, ok bool) {
	if p.IsSingleIP() {
		return last, false
	}
	for _, d := range r.within {
		if cloudfw.Covers(p, d.Prefix) && (!ok || d.RevokedAt.After(last.RevokedAt) || d.RevokedAt.Equal(last.RevokedAt) && d.ID > last.ID) {
			last, ok = d, true
		}
	}
	return last, ok
}

func until(end time.Time) string {
	if end.IsZero() {
		return "until taken back"
	}
	return "until " + stamp(end)
}

// next is the how-manieth block a new one is, when the last one was that. A block that
// a person took back was none. For each whole Forgets since its end the escalation
// falls back by one of its steps.
func next(last ledger.Decision, p policies.Penalty, at time.Time) int {
	level := last.Attempt
	if byPerson(last) {
		level--
	}
	if gone := int(at.Sub(Ended(last)) / p.Forgets()); gone > 0 {
		level = min(level, max(1, len(p.Escalate))) - gone
	}
	return max(0, level) + 1
}

// forgotten is when next falls back to the first block.
func forgotten(last ledger.Decision, p policies.Penalty) time.Time {
	level := min(last.Attempt, max(1, len(p.Escalate)))
	if byPerson(last) {
		level = min(last.Attempt-1, max(1, len(p.Escalate)))
	}
	return Ended(last).Add(time.Duration(max(0, level)) * p.Forgets())
}

// nested finds what covers a prefix.
type nested[T any] struct {
	by     map[netip.Prefix]T
	widths []int // that occur; IPv6's from 200 on
}

// nest makes one of items; of several with the same prefix the first one stays.
func nest[T any](items []T, prefix func(T) netip.Prefix) nested[T] {
	n := nested[T]{by: make(map[netip.Prefix]T, len(items))}
	seen := map[int]bool{}
	for _, item := range items {
		p := prefix(item).Masked()
		if _, again := n.by[p]; again {
			continue
		}
		n.by[p] = item
		if w := width(p); !seen[w] {
			seen[w] = true
			n.widths = append(n.widths, w)
		}
	}
	slices.Sort(n.widths)
	return n
}

// over yields what covers p, the widest first.
func (n nested[T]) over(p netip.Prefix) iter.Seq[T] {
	return func(yield func(T) bool) {
		for _, w := range n.widths {
			bits := w % 200
			if (w < 200) != p.Addr().Is4() || bits > p.Bits() {
				continue
			}
			if wide, err := p.Addr().Prefix(bits); err == nil {
				if item, is := n.by[wide]; is && !yield(item) {
					return
				}
			}
		}
	}
}

func (n nested[T]) widest(p netip.Prefix) (found T, ok bool) {
	for item := range n.over(p) {
		return item, true
	}
	return found, false
}

func width(p netip.Prefix) int {
	if p.Addr().Is4() {
		return p.Bits()
	}
	return 200 + p.Bits()
}
