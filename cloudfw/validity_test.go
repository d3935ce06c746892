package cloudfw

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestLapsingIsOnTheHalfHour(t *testing.T) {
	at := func(clock string) time.Time {
		t.Helper()
		parsed, err := time.Parse("15:04:05", clock)
		if err != nil {
			t.Fatal(err)
		}
		return time.Date(2026, 11, 26, parsed.Hour(), parsed.Minute(), parsed.Second(), 0, time.FixedZone("", 8*3600))
	}
	for _, c := range []struct{ from, until, start, end string }{
		{"10:05:00", "10:20:00", "10:00:00", "10:30:00"},
		{"10:29:59", "12:00:00", "10:00:00", "12:00:00"},
		{"10:30:00", "12:00:01", "10:30:00", "12:30:00"},
		{"10:00:00", "10:00:01", "10:00:00", "10:30:00"},
	} {
		v := Lapsing(at(c.from), at(c.until))
		if v.Repeat != Once || !v.Start.Equal(at(c.start)) || !v.End.Equal(at(c.end)) || v.Start.Location() != time.UTC || v.End.Location() != time.UTC {
			t.Errorf("from %s until %s: %v to %v, want %s to %s", c.from, c.until, v.Start, v.End, c.start, c.end)
		}
	}
}

// Whatever is asked for, the rule is in force from the start until the end at least, and
// less than half an hour longer; the vendor takes its times.
func TestLapsingHoldsUntilTheEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := time.Unix(rapid.Int64Range(1, 4e9).Draw(t, "from"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanoseconds"))
		until := from.Add(time.Duration(rapid.Int64Range(1, int64(90*24*time.Hour)).Draw(t, "length")))
		v := Lapsing(from, until)
		if !v.Running(from) || !v.Running(until.Add(-1)) || v.Lapsed(until.Add(-1)) {
			t.Fatalf("%v is not in force from %v until %v", v, from, until)
		}
		if over := v.End.Sub(until); over < 0 || over >= HalfHour {
			t.Fatalf("%v ends %v after %v", v, over, until)
		}
		if v.Running(v.End) || !v.Lapsed(v.End) {
			t.Fatalf("%v goes on after its end", v)
		}
		if v.Start.Unix()%1800 != 0 || v.End.Unix()%1800 != 0 || v.End.Sub(v.Start) < HalfHour {
			t.Fatalf("the vendor would not take %v", v)
		}
	})
}

func TestWhenAValidityHolds(t *testing.T) {
	noon := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	once := Validity{Repeat: Once, Start: noon, End: noon.Add(time.Hour)}
	daily := Validity{Repeat: Daily, Start: noon, End: noon.Add(24 * time.Hour), From: "08:00", To: "18:00"}
	for _, c := range []struct {
		name            string
		v               Validity
		at              time.Time
		running, lapsed bool
	}{
		{"always", Validity{}, noon, true, false},
		{"before its start", once, noon.Add(-1), false, false},
		{"at its start", once, noon, true, false},
		{"at its end", once, noon.Add(time.Hour), false, true},
		{"daily: nobody knows the account's hours", daily, noon.Add(time.Hour), false, false},
		{"daily, over", daily, noon.Add(24 * time.Hour), false, true},
	} {
		if running, lapsed := c.v.Running(c.at), c.v.Lapsed(c.at); running != c.running || lapsed != c.lapsed {
			t.Errorf("%s: running %v, lapsed %v", c.name, running, lapsed)
		}
	}
}
