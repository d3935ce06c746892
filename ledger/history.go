package ledger

import (
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// DefaultPage is how many items of the past come at once when no limit is named.
const DefaultPage = 100

// CompactPart is how many rows a store deletes in one transaction, so that others get
// their turn between two.
const CompactPart = 5_000

// Past says which part of the history is asked for; the zero value asks for the newest
// page of all. What comes is newest first, in the order in which it was stored, unless
// it is asked for otherwise.
type Past struct {
	Since  time.Time    // of decisions: in force at or after it; else: happened then; zero is no bound
	Until  time.Time    // likewise before it
	Prefix netip.Prefix // decisions about it, something inside it or something around it; zero: any
	PlanID string       // plans whose id begins like this, entries of just this one; empty: any
	Before int64        // the next page: what has a lower id or seq; 0 begins with the newest
	Limit  int          // 0 means DefaultPage

	Oldest bool  // oldest first
	After  int64 // the next page of that: what has a higher id or seq
	// Revoked asks for decisions that were taken back, the last one first. Since and
	// Until are about that time; there are no pages.
	Revoked bool
}

// Check refuses what cannot be asked for.
func (p Past) Check() error {
	switch {
	case p.Revoked && (p.Oldest || p.Before != 0):
		return errors.New("what was taken back comes in no pages")
	case p.Oldest && p.Before != 0 || !p.Oldest && p.After != 0:
		return errors.New("a page that follows in the other order")
	case p.Limit < 0:
		return fmt.Errorf("a page of %d", p.Limit)
	case !p.Since.IsZero() && !p.Until.IsZero() && !p.Since.Before(p.Until):
		return fmt.Errorf("the time from %s until %s is none", p.Since.Format(time.RFC3339), p.Until.Format(time.RFC3339))
	case p.Prefix != netip.Prefix{}:
		return CheckPrefix(p.Prefix)
	}
	return nil
}

// Page is the limit that holds.
func (p Past) Page() int {
	if p.Limit == 0 {
		return DefaultPage
	}
	return p.Limit
}

// Compacted counts what Compact deleted.
type Compacted struct {
	Decisions int `json:"decisions"`
	Plans     int `json:"plans"`
	Entries   int `json:"entries"` // of the journal
}

// Inside is the range of the sort keys of a prefix and all inside it, both ends
// included.
func Inside(p netip.Prefix) (first, last []byte) {
	first, last = SortKey(p), SortKey(p)
	for bit := p.Bits(); bit < p.Addr().BitLen(); bit++ {
		last[1+bit/8] |= 0x80 >> (bit % 8)
	}
	last[len(last)-1] = 0xff
	return first, last
}

// Around is the sort keys of all prefixes that hold another, without itself.
func Around(p netip.Prefix) [][]byte {
	wider := make([][]byte, 0, p.Bits())
	for bits := range p.Bits() {
		wider = append(wider, SortKey(netip.PrefixFrom(p.Addr(), bits).Masked()))
	}
	return wider
}
