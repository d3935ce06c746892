package sqlite

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"fwsync/ledger"
	"fwsync/ledger/storetest"
)

func TestPrefixesSortLikeAddresses(t *testing.T) {
	ordered := []string{"0.0.0.0/0", "9.0.0.0/8", "10.0.0.0/8", "10.0.0.0/24", "10.0.0.0/32", "10.0.0.1/32", "192.0.2.0/24", "::/0", "2001:db8::/32", "2001:db8::/48"}
	s := open(t, newPath(t))
	var decisions []ledger.Decision
	for i := range ordered {
		d := storetest.Block("192.0.2.1")
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
