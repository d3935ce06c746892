package cloudfw

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Repeat says how often a rule with a validity time is in force.
type Repeat string

// The kinds of validity (reference §2.1, RepeatType). The zero value is always.
const (
	Always  Repeat = ""
	Once    Repeat = "once"    // between Start and End
	Daily   Repeat = "daily"   // each day From–To, between Start and End
	Weekly  Repeat = "weekly"  // on Days 0 (Sunday) to 6
	Monthly Repeat = "monthly" // on Days 1 to 31
)

// Validity is when a rule is in force. Start and End lie on a half hour, in UTC,
// at least 30 minutes apart (reference §2.1). The zero value is always.
type Validity struct {
	Repeat Repeat    `json:"repeat,omitempty"`
	Start  time.Time `json:"start,omitzero"`
	End    time.Time `json:"end,omitzero"`
	Days   Days      `json:"days,omitzero"`
	From   string    `json:"from,omitempty"` // "HH:MM", in the vendor's time of the account
	To     string    `json:"to,omitempty"`
}

// Permanent reports whether the rule is always in force.
func (v Validity) Permanent() bool { return v.Repeat == Always }

// HalfHour is the grid on which validities begin and end.
const HalfHour = 30 * time.Minute

// Lapsing is the validity of a rule that is in force from now on and that the firewall
// itself drops at the first half hour that is not before until, whoever is left to ask
// for it. until is after from.
func Lapsing(from, until time.Time) Validity {
	return Validity{Repeat: Once, Start: from.UTC().Truncate(HalfHour), End: LapseOf(until)}
}

// LapseOf is the first half hour that is not before the time, in UTC.
func LapseOf(until time.Time) time.Time {
	end := until.UTC().Truncate(HalfHour)
	if end.Before(until) {
		end = end.Add(HalfHour)
	}
	return end
}

// Lapsed reports whether the rule was in force for a time that is over.
func (v Validity) Lapsed(at time.Time) bool {
	return v.Repeat != Always && !v.End.IsZero() && !at.Before(v.End)
}

// Running reports whether the rule is in force at the time, whatever else happens.
// Of one that repeats nobody can tell, as its hours are the account's.
func (v Validity) Running(at time.Time) bool {
	return v.Permanent() || v.Repeat == Once && !at.Before(v.Start) && at.Before(v.End)
}

// Days is a set of days of the week or the month, 0 to 31. The zero value is empty.
type Days uint32

// DaySet makes a set. A day outside 0 to 31 is an error.
func DaySet(days ...int) (Days, error) {
	var set Days
	for _, d := range days {
		if d < 0 || d > 31 {
			return 0, fmt.Errorf("day %d is not between 0 and 31", d)
		}
		set |= 1 << d
	}
	return set, nil
}

// List returns the days in ascending order.
func (d Days) List() []int {
	var days []int
	for i := range 32 {
		if d&(1<<i) != 0 {
			days = append(days, i)
		}
	}
	return days
}

// String is "1,3,5".
func (d Days) String() string {
	texts := make([]string, 0, 7)
	for _, day := range d.List() {
		texts = append(texts, strconv.Itoa(day))
	}
	return strings.Join(texts, ",")
}

// MarshalText and UnmarshalText make sets readable in plan files.
func (d Days) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (d *Days) UnmarshalText(text []byte) error {
	*d = 0
	if len(text) == 0 {
		return nil
	}
	var days []int
	for part := range strings.SplitSeq(string(text), ",") {
		day, err := strconv.Atoi(part)
		if err != nil {
			return fmt.Errorf("%q is not a list of days", text)
		}
		days = append(days, day)
	}
	set, err := DaySet(days...)
	*d = set
	return err
}
