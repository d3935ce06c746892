// Package feeds reads lists of addresses that others say are bad: files and web pages in
// plain text, CSV or JSON, a CrowdSec engine, fail2ban's database. It says what a list
// holds and whether it can be believed; what is blocked because of it is decided elsewhere.
//
// A list is text that a stranger may come to control. Each entry is checked by itself,
// and the list as a whole is compared with what it was: one that is suddenly empty, old
// or ten times as long is sick, and nothing follows from it (promise P7).
package feeds

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"time"
)

// Feed is one list and what it may be like. Zero values are the defaults named.
type Feed struct {
	Name  string
	From  Origin
	Every time.Duration // it is read this often; 1 h
	Block time.Duration // how long an entry is blocked that says nothing itself; 24 h

	Fresh    time.Duration // a list that is older is sick; 0: it tells no age
	Min, Max int           // entries; 1 and 100,000
	// Grow and Shrink are by how many per cent the list may change between two
	// readings; 100 and 50. A change of twenty entries is always allowed.
	Grow, Shrink int
	// Widest prefixes that are taken; 24 and 48.
	Widest4, Widest6 int
}

// Origin is where a list comes from.
type Origin interface {
	// Read reads the list. known is what the last good reading returned as its mark,
	// nil at first. The error says why the list cannot be had.
	Read(ctx context.Context, known json.RawMessage) (List, error)
	// Place is where it is, for people, without secrets.
	Place() string
}

// List is what was read.
type List struct {
	Entries []Entry
	// Unchanged says that the list is as the mark says, and Entries are not known.
	Unchanged bool
	// Delta says that Entries are only what is new, and Gone what was taken out.
	Delta bool
	Gone  []netip.Prefix
	// Bad counts what was no entry, Foreign what may not be blocked.
	Bad  int
	Made time.Time       // when the list was made; zero if it does not tell
	Mark json.RawMessage // for the next reading
}

// Entry is one address or prefix.
type Entry struct {
	Prefix netip.Prefix
	Until  time.Time // zero: as long as it is in the list
	Reason string
}

// State is what is kept of a feed between two readings.
type State struct {
	Tried time.Time       `json:"tried"` // the last reading, good or not
	Good  time.Time       `json:"good"`  // the last good one
	Count int             `json:"count"` // entries then
	Mark  json.RawMessage `json:"mark,omitempty"`
}

// Result is what a reading comes to.
type Result struct {
	List
	State State
	Notes []string // for people
	// Sick says why the list is not believed; empty if it is.
	Sick string
	Used int // entries that count
	Left int // entries that were left out, each for itself
}

// Defaulted has the defaults in the place of zeros.
func (f Feed) Defaulted() Feed {
	set := func(to *int, value int) {
		if *to == 0 {
			*to = value
		}
	}
	set(&f.Min, 1)
	set(&f.Max, 100_000)
	set(&f.Grow, 100)
	set(&f.Shrink, 50)
	set(&f.Widest4, 24)
	set(&f.Widest6, 48)
	if f.Every == 0 {
		f.Every = time.Hour
	}
	if f.Block == 0 {
		f.Block = 24 * time.Hour
	}
	return f
}

// Due is when the feed is to be read next.
func (f Feed) Due(s State) time.Time {
	if s.Tried.IsZero() {
		return time.Time{}
	}
	return s.Tried.Add(f.Every)
}

// Refresh reads the feed and judges it. It never fails: what goes wrong makes the feed
// sick. The feed has its defaults.
func (f Feed) Refresh(ctx context.Context, now time.Time, before State) Result {
	r := Result{State: before}
	r.State.Tried = now
	list, err := f.From.Read(ctx, before.Mark)
	if err != nil {
		r.Sick = err.Error()
		return r
	}
	r.List = list
	if f.Fresh > 0 && !list.Made.IsZero() && now.Sub(list.Made) > f.Fresh {
		r.Sick = fmt.Sprintf("the list is of %s, older than %s", list.Made.UTC().Format(time.RFC3339), f.Fresh)
		return r
	}
	if list.Unchanged {
		r.Used = before.Count
		r.State.Good = now
		return r
	}
	r.Entries, r.Left = f.usable(list.Entries)
	r.Used = len(r.Entries)
	if list.Delta {
		r.State.Good, r.State.Mark = now, list.Mark
		r.State.Count = max(0, before.Count+r.Used-len(list.Gone))
		return r
	}
	if r.Left > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%d entries were left out: private, reserved or wider than /%d and /%d", r.Left, f.Widest4, f.Widest6))
	}
	if list.Bad > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%d lines are no entries", list.Bad))
	}
	if r.Sick = f.judge(r.Used, list.Bad, before); r.Sick == "" {
		r.State = State{Tried: now, Good: now, Count: r.Used, Mark: list.Mark}
	}
	return r
}

const slack = 20 // entries by which a list may always change

// judge compares a list with what it may be.
func (f Feed) judge(count, bad int, before State) string {
	switch {
	case bad > max(10, (count+bad)/10):
		return fmt.Sprintf("%d of %d lines are no entries: not a list, or a damaged one", bad, count+bad)
	case count < f.Min:
		return fmt.Sprintf("it has %d entries, fewer than %d", count, f.Min)
	case count > f.Max:
		return fmt.Sprintf("it has %d entries, more than %d", count, f.Max)
	case before.Good.IsZero():
		return ""
	case count-before.Count > max(slack, before.Count*f.Grow/100):
		return fmt.Sprintf("it has grown from %d entries to %d, by more than %d %%", before.Count, count, f.Grow)
	case before.Count-count > max(slack, before.Count*f.Shrink/100):
		return fmt.Sprintf("it has shrunk from %d entries to %d, by more than %d %%", before.Count, count, f.Shrink)
	}
	return ""
}
