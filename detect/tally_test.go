package detect

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
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
	if first.Addr.String() != "198.51.100.7" || !slices.Equal(first.Signals, []KindCount{{SMTPAuthFailed, 1 + 3}}) || !first.FirstSeen.Equal(at) || !first.LastSeen.Equal(at.Add(3*time.Second)) {
		t.Errorf("first = %+v", first)
	}
}

func TestATallyCountsWhatAMapWould(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		many := rapid.SampledFrom([]uint32{3, 50, 5000}).Draw(t, "addresses")
		r := rapid.Uint32().Draw(t, "seed")
		type key struct {
			addr netip.Addr
			kind Kind
		}
		tally, want, signals := NewTally(1<<20), map[key]int{}, []Signal(nil)
		for range rapid.IntRange(0, 8000).Draw(t, "signals") {
			r = r*1664525 + 1013904223
			var b [4]byte
			binary.BigEndian.PutUint32(b[:], 0x0a000000+r>>8%many)
			s := Signal{Kind: Kind(1 + r>>20%uint32(builtinKinds-1)), Addr: netip.AddrFrom4(b), Time: time.Unix(int64(r), 0), Count: int(r >> 30)}
			signals = append(signals, s)
			want[key{s.Addr, s.Kind}] += s.Times()
		}
		tally.ObserveAll(signals)
		all := tally.Addresses()
		if !slices.IsSortedFunc(all, func(a, b AddressCount) int { return a.Addr.Compare(b.Addr) }) {
			t.Fatal("not in the order of the addresses")
		}
		for _, a := range all {
			if !slices.IsSortedFunc(a.Signals, func(a, b KindCount) int { return strings.Compare(a.Kind.String(), b.Kind.String()) }) {
				t.Fatalf("not by the kinds' names: %v", a.Signals)
			}
			for _, n := range a.Signals {
				if n.Count != want[key{a.Addr, n.Kind}] {
					t.Fatalf("%s %s: %d, want %d", a.Addr, n.Kind, n.Count, want[key{a.Addr, n.Kind}])
				}
				delete(want, key{a.Addr, n.Kind})
			}
		}
		if len(want) > 0 {
			t.Fatalf("not counted: %v", want)
		}
	})
}
