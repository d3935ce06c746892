package detect

import (
	"net/netip"
	"slices"
	"time"
)

// Tally counts signals by address and kind, for reports. It follows at most the
// given number of addresses, those that came first; the rest only adds to Others.
type Tally struct {
	most   int
	counts map[[16]byte]*counted
	Others int64 // signals of addresses that are not followed
}

type counted struct {
	kinds       [kindCount]uint32
	first, last int64 // µs since 1970
}

// AddressCount is what one address did.
type AddressCount struct {
	Addr                netip.Addr
	Signals             map[Kind]int
	FirstSeen, LastSeen time.Time
}

// NewTally follows at most so many addresses; each costs about 200 bytes.
func NewTally(most int) *Tally {
	return &Tally{most: most, counts: map[[16]byte]*counted{}}
}

// Observe counts one signal.
func (t *Tally) Observe(s *Signal) {
	key, at := s.Addr.As16(), s.Time.UnixMicro()
	c, ok := t.counts[key]
	if !ok {
		if len(t.counts) >= t.most {
			t.Others += int64(s.Times())
			return
		}
		c = &counted{first: at, last: at}
		t.counts[key] = c
	}
	c.kinds[s.Kind] += uint32(s.Times())
	c.first, c.last = min(c.first, at), max(c.last, at)
}

// Addresses returns the counts, in the order of the addresses.
func (t *Tally) Addresses() []AddressCount {
	all := make([]AddressCount, 0, len(t.counts))
	for key, c := range t.counts {
		a := AddressCount{Addr: netip.AddrFrom16(key).Unmap(), Signals: map[Kind]int{}, FirstSeen: time.UnixMicro(c.first).UTC(), LastSeen: time.UnixMicro(c.last).UTC()}
		for k, n := range c.kinds {
			if n > 0 {
				a.Signals[Kind(k)] = int(n)
			}
		}
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b AddressCount) int { return a.Addr.Compare(b.Addr) })
	return all
}
