package sqlite

import (
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"fwsync/ledger"
)

func TestBadDecisionsAreRefusedAndNothingIsStored(t *testing.T) {
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
			s := open(t, newPath(t))
			bad := block("192.0.2.2")
			tc.edit(&bad)
			_, err := s.Add(t.Context(), []ledger.Decision{block("192.0.2.1"), bad})
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), s.path) {
				t.Errorf("error %v, want it to name %q and the file", err, tc.want)
			}
			if all, err := s.Decisions(t.Context(), time.Time{}); err != nil || len(all) != 0 {
				t.Errorf("the ledger has %v (error %v), want nothing", all, err)
			}
		})
	}
}

func TestRevokeTakesExactlyWhatItNames(t *testing.T) {
	s := open(t, newPath(t))
	later, over, wide, allow := block("192.0.2.1"), block("192.0.2.1"), block("192.0.2.1"), block("192.0.2.1")
	later.Start = noon.Add(30 * time.Minute)
	over.End = noon.Add(10 * time.Minute)
	wide.Prefix = netip.MustParsePrefix("192.0.2.0/24")
	allow.Verdict = ledger.Allow
	added, err := s.Add(t.Context(), []ledger.Decision{block("192.0.2.1"), later, over, wide, allow, block("192.0.2.2"), block("192.0.2.1")})
	if err != nil {
		t.Fatal(err)
	}
	one := netip.MustParsePrefix("192.0.2.1/32")
	r := ledger.Revocation{Prefixes: []netip.Prefix{one, one}, Verdict: ledger.Block, At: noon.Add(10 * time.Minute), By: "bert"}
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
		"no prefix": {Prefixes: []netip.Prefix{{}}, Verdict: ledger.Block, At: noon},
	} {
		if _, err := s.Revoke(t.Context(), bad); err == nil {
			t.Errorf("a revocation with %s was accepted", name)
		}
	}
}

func TestPrefixesSortLikeAddresses(t *testing.T) {
	ordered := []string{"0.0.0.0/0", "9.0.0.0/8", "10.0.0.0/8", "10.0.0.0/24", "10.0.0.0/32", "10.0.0.1/32", "192.0.2.0/24", "::/0", "2001:db8::/32", "2001:db8::/48"}
	s := open(t, newPath(t))
	var decisions []ledger.Decision
	for i := range ordered {
		d := block("192.0.2.1")
		d.Prefix = netip.MustParsePrefix(ordered[len(ordered)-1-i])
		decisions = append(decisions, d)
	}
	if _, err := s.Add(t.Context(), decisions); err != nil {
		t.Fatal(err)
	}
	rows, err := s.readers.QueryContext(t.Context(), `SELECT prefix FROM decisions ORDER BY prefix_key`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var got []string
	for rows.Next() {
		var prefix string
		if err := rows.Scan(&prefix); err != nil {
			t.Fatal(err)
		}
		got = append(got, prefix)
	}
	if fmt.Sprint(got) != fmt.Sprint(ordered) {
		t.Errorf("order %v, want %v", got, ordered)
	}
}

func TestDecisionsInForceAreFoundByTheIndex(t *testing.T) {
	s := open(t, newPath(t))
	var id, parent, unused int
	var plan string
	err := s.readers.QueryRowContext(t.Context(), `EXPLAIN QUERY PLAN SELECT `+readColumns+` FROM decisions
		WHERE revoked_at IS NULL AND ifnull(ends, 9223372036854775807) > ?`, 0).Scan(&id, &parent, &unused, &plan)
	if err != nil || !strings.Contains(plan, "decisions_in_force") {
		t.Errorf("plan %q (error %v), want the index decisions_in_force", plan, err)
	}
}
