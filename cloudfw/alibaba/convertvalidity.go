package alibaba

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"fwsync/cloudfw"
)

// permanent is a policy that is always in force (reference §2.1, RepeatType).
const permanent = "Permanent"

// repeats are the vendor's words for how often a policy is in force.
var repeats = map[cloudfw.Repeat]string{cloudfw.Once: "None", cloudfw.Daily: "Daily", cloudfw.Weekly: "Weekly", cloudfw.Monthly: "Monthly"}

// validity converts the times of a policy. Those that its kind of repetition does
// not use may be left over from an earlier one and are passed over.
func (p *policy) validity() (cloudfw.Validity, error) {
	var v cloudfw.Validity
	if p.RepeatType == "" || p.RepeatType == permanent {
		return v, nil
	}
	v.Repeat = cloudfw.Repeat(strings.ToLower(string(p.RepeatType)))
	for repeat, word := range repeats {
		if word == string(p.RepeatType) {
			v.Repeat = repeat
		}
	}
	if p.StartTime > 0 {
		v.Start = time.Unix(int64(p.StartTime), 0).UTC()
	}
	if p.EndTime > 0 {
		v.End = time.Unix(int64(p.EndTime), 0).UTC()
	}
	if v.Repeat == cloudfw.Once {
		return v, nil
	}
	v.From, v.To = string(p.RepeatStartTime), string(p.RepeatEndTime)
	if v.Repeat == cloudfw.Daily {
		return v, nil
	}
	days := make([]int, len(p.RepeatDays))
	for i, day := range p.RepeatDays {
		days[i] = int(day)
	}
	var err error
	v.Days, err = cloudfw.DaySet(days...)
	return v, err
}

// formValidity says when the rule is in force. That it always is goes without
// saying for a new rule, but not for one that was edited.
func formValidity(form fields, r cloudfw.FirewallRule, _ dialect) error {
	v := r.Validity
	if v.Permanent() {
		if v != (cloudfw.Validity{}) {
			return fmt.Errorf("the rule has times but does not say how often it is in force: %s, %s, %s or %s",
				cloudfw.Once, cloudfw.Daily, cloudfw.Weekly, cloudfw.Monthly)
		}
		form["RepeatType"] = permanent
		return nil
	}
	word, ok := repeats[v.Repeat]
	if !ok {
		return fmt.Errorf("%q is not %s, %s, %s or %s", v.Repeat, cloudfw.Once, cloudfw.Daily, cloudfw.Weekly, cloudfw.Monthly)
	}
	if err := checkValidity(v); err != nil {
		return fmt.Errorf("in force %s: %w", v.Repeat, err)
	}
	form["RepeatType"] = word
	form["StartTime"], form["EndTime"] = strconv.FormatInt(v.Start.Unix(), 10), strconv.FormatInt(v.End.Unix(), 10)
	if v.Repeat != cloudfw.Once {
		form["RepeatStartTime"], form["RepeatEndTime"] = v.From, v.To
	}
	days := make([]string, 0, 31)
	for _, day := range v.Days.List() {
		days = append(days, strconv.Itoa(day))
	}
	form.setList("RepeatDays", days)
	return nil
}

// checkValidity reports times that the vendor does not take: half an hour is the unit of
// all of them and the least that a policy is in force (reference §2.1).
func checkValidity(v cloudfw.Validity) error {
	for _, t := range []time.Time{v.Start, v.End} {
		if t.Unix() <= 0 || t.Unix()%int64(cloudfw.HalfHour.Seconds()) != 0 || t.Nanosecond() != 0 {
			return fmt.Errorf("%s is not on a half hour", t.UTC().Format(time.RFC3339Nano))
		}
	}
	if v.End.Sub(v.Start) < cloudfw.HalfHour {
		return fmt.Errorf("%s is not half an hour after %s", v.End.UTC().Format(time.RFC3339), v.Start.UTC().Format(time.RFC3339))
	}
	if v.Repeat == cloudfw.Once {
		if v.From != "" || v.To != "" || v.Days != 0 {
			return fmt.Errorf("there are no hours or days (%s-%s, %s)", v.From, v.To, v.Days)
		}
		return nil
	}
	for _, clock := range []string{v.From, v.To} {
		if t, err := time.Parse("15:04", clock); err != nil || len(clock) != len("15:04") || t.Minute()%30 != 0 {
			return fmt.Errorf("%q is not a half hour such as 08:30", clock)
		}
	}
	if v.From == v.To {
		return fmt.Errorf("the hours %s-%s leave no time", v.From, v.To)
	}
	first, last := 0, -1
	switch v.Repeat {
	case cloudfw.Weekly:
		first, last = 0, 6
	case cloudfw.Monthly:
		first, last = 1, 31
	}
	days := v.Days.List()
	if last < 0 && len(days) > 0 || last >= 0 && len(days) == 0 {
		return fmt.Errorf("the days are %q", v.Days)
	}
	for _, day := range days {
		if day < first || day > last {
			return fmt.Errorf("day %d is not between %d and %d", day, first, last)
		}
	}
	return nil
}
