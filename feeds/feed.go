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
	"errors"
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
	// Grow and Shrink are how many entries may come and go between two readings, in per
	// cent of those there were; 100 and 50. Leap may always come (20), and ten go.
	Grow, Shrink, Leap int
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
	Entries []Entry // each prefix once
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
	Tried time.Time       `json:"tried"`          // the last reading, good or not
	Good  time.Time       `json:"good"`           // the last good one
	Count int             `json:"count"`          // entries then
	Sick  string          `json:"sick,omitempty"` // why the last reading was not believed
	Mark  json.RawMessage `json:"mark,omitempty"`

	// Standing are the prefixes that are blocked because of the feed, or were until a
	// person took them back, and when each ends by itself; the zero time: as long as it is
	// listed it does not. Whoever keeps the blocks says so; nil if nobody does.
	Standing map[netip.Prefix]time.Time `json:"-"`
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
	set(&f.Leap, 20)
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

// Due is when the feed is to be read next; one that is sick sooner than another.
func (f Feed) Due(s State) time.Time {
	switch {
	case s.Tried.IsZero():
		return time.Time{}
	case s.Sick != "":
		return s.Tried.Add(min(f.Every, max(time.Minute, f.Every/12)))
	}
	return s.Tried.Add(f.Every)
}

// Refresh reads the feed and judges it. It never fails: what goes wrong makes the feed
// sick. The feed has its defaults.
func (f Feed) Refresh(ctx context.Context, now time.Time, before State) Result {
	return f.refresh(ctx, now, before, f.judgeChange)
}

// Accept is Refresh, but whatever has come and gone is believed.
func (f Feed) Accept(ctx context.Context, now time.Time, before State) Result {
	return f.refresh(ctx, now, before, func(_, _ int, _ State) string { return "" })
}

func (f Feed) refresh(ctx context.Context, now time.Time, before State, judgeChange func(came, went int, before State) string) Result {
	r := Result{State: before}
	r.State.Tried = now
	list, err := f.From.Read(ctx, before.Mark)
	if err == nil && list.Unchanged && before.Standing != nil && len(before.Standing) < before.Count {
		list, err = f.From.Read(ctx, nil) // blocks have ended meanwhile: they are to come back
	}
	if err == nil {
		r.List = list
		err = f.weigh(&r, before, now, judgeChange)
	}
	if err != nil {
		r.Sick = err.Error()
		r.State.Sick = r.Sick
	}
	return r
}

// weigh finds out what of a list counts. Its error says why nothing does.
func (f Feed) weigh(r *Result, before State, now time.Time, judgeChange func(came, went int, before State) string) error {
	if f.Fresh > 0 && !r.Made.IsZero() && now.Sub(r.Made) > f.Fresh {
		return fmt.Errorf("the list is of %s, older than %s", r.Made.UTC().Format(time.RFC3339), f.Fresh)
	}
	good := State{Tried: now, Good: now, Count: before.Count, Mark: r.Mark}
	if f.Fresh > 0 && r.Made.IsZero() {
		r.Notes = append(r.Notes, "it does not tell its age: whether it is fresh cannot be said")
	}
	if r.Unchanged {
		r.Used, r.State = before.Count, good
		return nil
	}
	r.Entries, r.Left = f.usable(r.Entries)
	r.Used = len(r.Entries)
	if r.Left > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%d entries were left out: private, reserved or wider than /%d and /%d", r.Left, f.Widest4, f.Widest6))
	}
	if r.Bad > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%d lines are no entries", r.Bad))
	}
	came, went, early := r.change(before.Standing, now.Add(clocksDiffer))
	good.Count = r.Used
	if r.Delta {
		good.Count = len(before.Standing) + came - went
	}
	if why := f.judge(good.Count, r.Bad); why != "" {
		return errors.New(why)
	}
	if why := judgeChange(came, early, before); why != "" {
		return errors.New(why)
	}
	r.State = good
	return nil
}

// clocksDiffer is by how much an end may be off that an engine told: by its clock, and by
// the time that its answer took.
const clocksDiffer = 30 * time.Second

// change counts what a list would block anew, what it would free, and what of that does
// not end by itself until then anyway.
func (l List) change(standing map[netip.Prefix]time.Time, until time.Time) (came, went, early int) {
	listed := make(map[netip.Prefix]bool, len(l.Entries))
	for _, e := range l.Entries {
		listed[e.Prefix] = true
		if _, is := standing[e.Prefix]; !is {
			came++
		}
	}
	leaves := func(p netip.Prefix) {
		end, is := standing[p]
		if !is || listed[p] {
			return
		}
		listed[p] = true // once
		if went++; end.IsZero() || end.After(until) {
			early++
		}
	}
	if l.Delta {
		for _, p := range l.Gone {
			leaves(p)
		}
		return came, went, early
	}
	for p := range standing {
		leaves(p)
	}
	return came, went, early
}

// judge looks at a list by itself.
func (f Feed) judge(count, bad int) string {
	switch {
	case bad > max(10, (count+bad)/10):
		return fmt.Sprintf("%d of %d lines are no entries: not a list, or a damaged one", bad, count+bad)
	case count < f.Min:
		return fmt.Sprintf("it has %d entries, fewer than %d", count, f.Min)
	case count > f.Max:
		return fmt.Sprintf("it has %d entries, more than %d", count, f.Max)
	}
	return ""
}

const mayGo = 10 // entries, whatever Shrink says

// judgeChange compares a list with what it was: whoever exchanges it for another of the
// same length changes as much as who empties it. Of a list that is new anything may come.
func (f Feed) judgeChange(came, went int, before State) string {
	was := max(before.Count, len(before.Standing))
	switch {
	case !before.Good.IsZero() && came > max(f.Leap, was*f.Grow/100):
		return fmt.Sprintf("it has grown: %d entries came to the %d that it had, more than %d %%", came, was, f.Grow)
	case went > max(mayGo, len(before.Standing)*f.Shrink/100):
		return fmt.Sprintf("it has shrunk: %d of %d entries went, more than %d %%", went, len(before.Standing), f.Shrink)
	}
	return ""
}
