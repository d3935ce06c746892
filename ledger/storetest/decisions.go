package storetest

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"fwsync/ledger"
)

func badDecisionsRefused(t *testing.T, fresh func(testing.TB) Opener) {
	for _, tc := range []struct {
		name string
		edit func(*ledger.Decision)
		want string
	}{
		{"no verdict", func(d *ledger.Decision) { d.Verdict = "" }, "neither block nor allow"},
		{"no prefix", func(d *ledger.Decision) { d.Prefix = netip.Prefix{} }, "invalid prefix"},
		{"host bits behind the mask", func(d *ledger.Decision) {
			d.Prefix = netip.PrefixFrom(netip.MustParseAddr("10.0.0.1"), 8)
		}, "10.0.0.1/8"},
		{"IPv4 dressed as IPv6", func(d *ledger.Decision) {
			d.Prefix = netip.PrefixFrom(netip.MustParseAddr("::ffff:10.0.0.1"), 128)
		}, "not in canonical form"},
		{"an id of its own", func(d *ledger.Decision) { d.ID = 5 }, "id 5 already"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := fresh(t)(t, "a")
			bad := Block("192.0.2.2")
			tc.edit(&bad)
			_, err := s.Add(t.Context(), []ledger.Decision{Block("192.0.2.1"), bad})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %v, want it to name %q", err, tc.want)
			}
			if all, err := s.Decisions(t.Context(), time.Time{}); err != nil || len(all) != 0 {
				t.Errorf("the ledger has %v (error %v), want nothing", all, err)
			}
		})
	}
}

func revokeIsExact(t *testing.T, fresh func(testing.TB) Opener) {
	s := fresh(t)(t, "a")
	later, over, wide, allow := Block("192.0.2.1"), Block("192.0.2.1"), Block("192.0.2.1"), Block("192.0.2.1")
	later.Start = Noon.Add(30 * time.Minute)
	over.End = Noon.Add(10 * time.Minute)
	wide.Prefix = netip.MustParsePrefix("192.0.2.0/24")
	allow.Verdict = ledger.Allow
	added, err := s.Add(t.Context(), []ledger.Decision{Block("192.0.2.1"), later, over, wide, allow, Block("192.0.2.2"), Block("192.0.2.1")})
	if err != nil {
		t.Fatal(err)
	}
	one := netip.MustParsePrefix("192.0.2.1/32")
	r := ledger.Revocation{Prefixes: []netip.Prefix{one, one}, Verdict: ledger.Block, At: Noon.Add(10 * time.Minute), By: "bert"}
	revoked, err := s.Revoke(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	want := []ledger.Decision{added[0], added[6]}
	for i := range want {
		want[i].RevokedAt, want[i].RevokedBy = r.At, r.By
	}
	if !reflect.DeepEqual(revoked, want) {
		t.Errorf("revoked\n%+v, want\n%+v", revoked, want)
	}
	if again, err := s.Revoke(t.Context(), r); err != nil || len(again) != 0 {
		t.Errorf("a second time it revoked %v (error %v), want nothing", again, err)
	}

	for name, bad := range map[string]ledger.Revocation{
		"no time":   {Prefixes: []netip.Prefix{one}, Verdict: ledger.Block},
		"no prefix": {Prefixes: []netip.Prefix{{}}, Verdict: ledger.Block, At: Noon},
	} {
		if _, err := s.Revoke(t.Context(), bad); err == nil {
			t.Errorf("a revocation with %s was accepted", name)
		}
	}
}

func everyFieldComesBack(t *testing.T, fresh func(testing.TB) Opener) {
	open := fresh(t)
	s := open(t, "a")
	added, err := s.Add(t.Context(), []ledger.Decision{Full()})
	if err != nil {
		t.Fatal(err)
	}
	want := Full()
	want.ID = 1
	for i, v := 0, reflect.ValueOf(want); i < v.NumField(); i++ {
		if v.Field(i).IsZero() {
			t.Fatalf("the sample leaves %s zero, so this test would not see it lost", v.Type().Field(i).Name)
		}
	}
	if !reflect.DeepEqual(added, []ledger.Decision{want}) {
		t.Errorf("Add returned\n%+v, want\n%+v", added, want)
	}
	for name, store := range map[string]ledger.Store{"the same store": s, "another store": open(t, "a")} {
		got, err := store.Decisions(t.Context(), time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, []ledger.Decision{want}) {
			t.Errorf("%s reads\n%+v, want\n%+v", name, got, want)
		}
	}
}

func returnedIsRead(t *testing.T, fresh func(testing.TB) Opener) {
	berlin := time.FixedZone("CET", 3600)
	for _, tc := range []struct {
		name string
		edit func(*ledger.Decision)
	}{
		{"nothing but verdict and prefix", func(d *ledger.Decision) {
			*d = ledger.Decision{Verdict: d.Verdict, Prefix: d.Prefix}
		}},
		{"times in another zone with nanoseconds", func(d *ledger.Decision) {
			d.Start, d.End = Noon.Add(1999999).In(berlin), Noon.Add(time.Hour+1).In(berlin)
		}},
		{"a time before 1970", func(d *ledger.Decision) { d.FirstSeen = time.Unix(-1, 1) }},
		{"the millisecond of 1970 itself", func(d *ledger.Decision) { d.FirstSeen = time.Unix(0, 0) }},
		{"an instant after the zero time", func(d *ledger.Decision) { d.End = time.Time{}.Add(1) }},
		{"text that is not UTF-8, or has a NUL", func(d *ledger.Decision) {
			d.Reason = "a\xff\xfeb\x00c"
			d.Evidence = []ledger.Evidence{{Text: "\xc3("}}
		}},
		{"an empty evidence list", func(d *ledger.Decision) { d.Evidence = []ledger.Evidence{} }},
		{"the whole of IPv4", func(d *ledger.Decision) { d.Prefix = netip.MustParsePrefix("0.0.0.0/0") }},
		{"the whole of IPv6", func(d *ledger.Decision) { d.Prefix = netip.MustParsePrefix("::/0") }},
		{"an allow", func(d *ledger.Decision) { d.Verdict = ledger.Allow }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := fresh(t)(t, "a")
			d := Full()
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

func closingTwice(t *testing.T, fresh func(testing.TB) Opener) {
	s := fresh(t)(t, "a")
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Decisions(t.Context(), Noon); err == nil {
		t.Error("a closed ledger answered")
	}
	if _, err := s.Add(t.Context(), []ledger.Decision{Block("192.0.2.1")}); err == nil {
		t.Error("a closed ledger took a decision")
	}
}
