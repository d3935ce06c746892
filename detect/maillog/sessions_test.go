package maillog_test

import (
	"testing"
	"time"

	"fwsync/detect"
	"fwsync/detect/maillog"
)

// Of five sessions that share a place only the four latest are known, and what is said of one
// changes none of the others. The forgotten one is taken by its summary alone.
func TestSessionsThatShareAPlaceAreToldApart(t *testing.T) {
	at := time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)
	session := func(i int) uint64 { return uint64(i)<<40 | 77 }
	var sessions maillog.Sessions
	tell := func(s detect.Signal) int {
		s.Kind, s.Time, at = detect.SMTPAuthFailed, at, at.Add(time.Second)
		counted := 0
		for _, left := range sessions.Settle([]detect.Signal{s}) {
			counted += left.Times()
		}
		return counted
	}
	for i := 1; i <= 5; i++ {
		for range i {
			if n := tell(detect.Signal{Part: detect.Counted, Session: session(i)}); n != 1 {
				t.Fatalf("a failure of session %d counts %d times", i, n)
			}
		}
	}
	for i := 5; i >= 1; i-- {
		want := 1
		if i == 1 {
			want = 2 // both failures: the first was told before it was forgotten
		}
		if n := tell(detect.Signal{Part: detect.Closing, Session: session(i), Count: i + 1}); n != want {
			t.Errorf("the summary of session %d counts %d times, not %d", i, n, want)
		}
	}
}

// The same process and client are another session after an hour, also after 2038.
func TestASessionEndsWithItsHour(t *testing.T) {
	for _, year := range []int{2026, 2040, 2099} {
		var sessions maillog.Sessions
		start := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
		at := func(after time.Duration, part detect.Part, n int) int {
			counted := 0
			for _, left := range sessions.Settle([]detect.Signal{{Kind: detect.SMTPAuthFailed, Time: start.Add(after), Part: part, Session: 1 << 50, Count: n}}) {
				counted += left.Times()
			}
			return counted
		}
		at(0, detect.Counted, 3)
		if n := at(time.Hour, detect.Summary, 5); n != 2 {
			t.Errorf("%d: after an hour %d of 5 were new, not 2", year, n)
		}
		if n := at(2*time.Hour+time.Second, detect.Closing, 5); n != 5 {
			t.Errorf("%d: more than an hour later %d of 5 were new", year, n)
		}
	}
}
