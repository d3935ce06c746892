package gates

import (
	"testing"
	"time"
)

func TestAPlanWhoseTimeIsOverIsRefused(t *testing.T) {
	in := computed(t, Input{Intent: intentOf(prefixes("198.51.100.7")...)})
	in.At = in.Plan.ExpiresAt
	if got := Check(in); len(got) > 0 {
		t.Errorf("at its end: %v", got)
	}
	in.At = in.At.Add(time.Millisecond)
	expect(t, Check(in), "expiry", "it expired at 2026-11-23T21:00:00Z")
}
