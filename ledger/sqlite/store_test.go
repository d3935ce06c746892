package sqlite

import (
	"fmt"
	"math"
	"net/netip"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"fwsync/ledger"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newPath(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "ledger.db")
}

func open(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// block is a one-hour block of a host, made at noon.
func block(address string) ledger.Decision {
	a := netip.MustParseAddr(address)
	return ledger.Decision{
		Verdict: ledger.Block,
		Prefix:  netip.PrefixFrom(a, a.BitLen()),
		Start:   noon,
		End:     noon.Add(time.Hour),
		Reason:  "test",
		Author:  "anna",
	}
}

// full has a value in every field that a caller sets.
func full() ledger.Decision {
	return ledger.Decision{
		Verdict:   ledger.Block,
		Prefix:    netip.MustParsePrefix("2001:db8:1::/48"),
		Start:     noon.Add(1 * time.Millisecond),
		End:       noon.Add(time.Hour + 2*time.Millisecond),
		Reason:    "12 × \"auth\" failed; <&> 'quoted' \x00 null\nline",
		Author:    "fwsync",
		Rule:      "sasl-bruteforce",
		Attempt:   3,
		Score:     -7,
		Count:     math.MaxInt32,
		FirstSeen: noon.Add(-time.Hour - 3*time.Millisecond),
		LastSeen:  noon.Add(-4 * time.Millisecond),
		Counters: &ledger.Counters{
			Threshold: 5, LegitimateThreshold: 20, WithinSeconds: 600, Peak: 9, Members: 3, Account: "é\u2028\"x\"",
			CrossedAt: noon.Add(-7 * time.Millisecond), Signals: 12, Weight: 10, Success: "smtp.auth_ok", Known: true,
		},
		Evidence: []ledger.Evidence{
			{Source: "mail.log", File: "/var/log/mail.log.1", Offset: 1 << 50, Line: 1 << 40, Hash: "0123456789abcdef", Text: "warning: unknown[192.0.2.1]: <é&\u2028> \"x\""},
			{Source: "journal", Line: 2, Hash: "fedcba9876543210", Text: ""},
		},
		RevokedAt:    noon.Add(5 * time.Millisecond),
		RevokedBy:    "bert",
		RevokeReason: "a partner",
	}
}

// many makes n one-hour blocks of different hosts, each with one line of evidence.
func many(n int) []ledger.Decision {
	decisions := make([]ledger.Decision, n)
	for i := range decisions {
		a := netip.AddrFrom4([4]byte{100, byte(i >> 16), byte(i >> 8), byte(i)})
		decisions[i] = ledger.Decision{
			Verdict: ledger.Block, Prefix: netip.PrefixFrom(a, 32),
			Start: noon.Add(time.Duration(i) * time.Millisecond), End: noon.Add(time.Hour + time.Duration(i)*time.Millisecond),
			Reason: "5 failed logins within 10m0s", Author: "fwsync", Rule: "sasl-bruteforce",
			Attempt: 1, Score: 50, Count: 5, FirstSeen: noon.Add(-time.Minute), LastSeen: noon,
			Evidence: []ledger.Evidence{{
				Source: "mail.log", Line: int64(i), Hash: fmt.Sprintf("%016x", i),
				Text: "postfix/smtpd[123]: warning: unknown[100.0.0.1]: SASL LOGIN authentication failed: UGFzc3dvcmQ6",
			}},
		}
	}
	return decisions
}

func TestEveryFieldComesBack(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	added, err := s.Add(t.Context(), []ledger.Decision{full()})
	if err != nil {
		t.Fatal(err)
	}
	want := full()
	want.ID = 1
	for i, v := 0, reflect.ValueOf(want); i < v.NumField(); i++ {
		if v.Field(i).IsZero() {
			t.Fatalf("the sample leaves %s zero, so this test would not see it lost", v.Type().Field(i).Name)
		}
	}
	if !reflect.DeepEqual(added, []ledger.Decision{want}) {
		t.Errorf("Add returned\n%+v, want\n%+v", added, want)
	}
	for name, store := range map[string]*Store{"the same store": s, "another store": open(t, path)} {
		got, err := store.Decisions(t.Context(), time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, []ledger.Decision{want}) {
			t.Errorf("%s reads\n%+v, want\n%+v", name, got, want)
		}
	}
}

func TestReturnedDecisionsAreThoseReadLater(t *testing.T) {
	berlin := time.FixedZone("CET", 3600)
	for _, tc := range []struct {
		name string
		edit func(*ledger.Decision)
	}{
		{"nothing but verdict and prefix", func(d *ledger.Decision) {
			*d = ledger.Decision{Verdict: d.Verdict, Prefix: d.Prefix}
		}},
		{"times in another zone with nanoseconds", func(d *ledger.Decision) {
			d.Start, d.End = noon.Add(1999999).In(berlin), noon.Add(time.Hour+1).In(berlin)
		}},
		{"a time before 1970", func(d *ledger.Decision) { d.FirstSeen = time.Unix(-1, 1) }},
		{"the millisecond of 1970 itself", func(d *ledger.Decision) { d.FirstSeen = time.Unix(0, 0) }},
		{"an instant after the zero time", func(d *ledger.Decision) { d.End = time.Time{}.Add(1) }},
		{"text that is not UTF-8", func(d *ledger.Decision) {
			d.Reason = "a\xff\xfeb"
			d.Evidence = []ledger.Evidence{{Text: "\xc3("}}
		}},
		{"an empty evidence list", func(d *ledger.Decision) { d.Evidence = []ledger.Evidence{} }},
		{"the whole of IPv4", func(d *ledger.Decision) { d.Prefix = netip.MustParsePrefix("0.0.0.0/0") }},
		{"the whole of IPv6", func(d *ledger.Decision) { d.Prefix = netip.MustParsePrefix("::/0") }},
		{"an allow", func(d *ledger.Decision) { d.Verdict = ledger.Allow }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := open(t, newPath(t))
			d := full()
			tc.edit(&d)
			added, err := s.Add(t.Context(), []ledger.Decision{d})
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.Decisions(t.Context(), time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, added) {
				t.Errorf("read\n%+v, Add returned\n%+v", got, added)
			}
			if !got[0].Start.Equal(d.Start.Truncate(time.Millisecond)) {
				t.Errorf("start %s came back as %s", d.Start, got[0].Start)
			}
		})
	}
}

func TestClosingTwiceIsFineAndUseAfterCloseIsAnError(t *testing.T) {
	s := open(t, newPath(t))
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Decisions(t.Context(), noon); err == nil {
		t.Error("a closed ledger answered")
	}
	if _, err := s.Add(t.Context(), []ledger.Decision{block("192.0.2.1")}); err == nil {
		t.Error("a closed ledger took a decision")
	}
}
