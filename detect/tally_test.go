package detect

import (
	"net/netip"
	"testing"
	"time"
)

func TestATallyFollowsSoManyAddressesAndCountsTheRest(t *testing.T) {
	at := time.Date(2026, 11, 23, 20, 17, 0, 0, time.UTC)
	tally := NewTally(2)
	for i, text := range []string{"198.51.100.7", "2001:db8::1", "203.0.113.9", "198.51.100.7"} {
		tally.Observe(&Signal{Kind: SMTPAuthFailed, Addr: netip.MustParseAddr(text), Time: at.Add(time.Duration(i) * time.Second), Count: i})
	}
	all := tally.Addresses()
	if len(all) != 2 || tally.Others != 2 {
		t.Fatalf("%d addresses, %d others; want 2 and 2", len(all), tally.Others)
	}
	first := all[0]
	if first.Addr.String() != "198.51.100.7" || first.Signals[SMTPAuthFailed] != 1+3 || !first.FirstSeen.Equal(at) || !first.LastSeen.Equal(at.Add(3*time.Second)) {
		t.Errorf("first = %+v", first)
	}
}
