package ledger_test

import (
	"testing"
	"time"

	"fwsync/ledger"
)

func TestActiveAt(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	hour := ledger.Decision{Start: noon, End: noon.Add(time.Hour)}
	endless := ledger.Decision{Start: noon}
	revoked := hour
	revoked.RevokedAt = noon.Add(time.Minute)

	for _, tc := range []struct {
		name     string
		decision ledger.Decision
		at       time.Time
		want     bool
	}{
		{"before its start it does not hold", hour, noon.Add(-time.Nanosecond), false},
		{"it holds from its start on", hour, noon, true},
		{"it holds until just before its end", hour, noon.Add(time.Hour - time.Nanosecond), true},
		{"at its end it is over", hour, noon.Add(time.Hour), false},
		{"without an end it holds for years", endless, noon.AddDate(50, 0, 0), true},
		{"without an end it still has a start", endless, noon.Add(-time.Hour), false},
		{"revoked means over, even at a time before the revocation", revoked, noon, false},
		{"the time zone does not matter", hour, noon.In(time.FixedZone("east", 8*3600)), true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := tc.decision.ActiveAt(tc.at); got != tc.want {
				t.Errorf("ActiveAt(%s) = %v, want %v", tc.at, got, tc.want)
			}
		})
	}
}
