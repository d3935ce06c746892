package sqlite

import (
	"testing"
	"testing/fstest"
	"time"

	"fwsync/ledger"
	"fwsync/ledger/storetest"
)

// A ledger that an earlier version made gets its table of gaps when it is opened, and
// keeps what it has.
func TestALedgerOfVersion1IsBroughtUpToDate(t *testing.T) {
	path := newPath(t)
	first, err := migrations.ReadFile("migrations/0001_ledger.sql")
	if err != nil {
		t.Fatal(err)
	}
	db := raw(t, path)
	if err := migrate(t.Context(), db, fstest.MapFS{"migrations/0001_ledger.sql": file(string(first))}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`INSERT INTO plans VALUES ('old', 0, 'me', 3)`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	if err := s.KeepGaps(t.Context(), "", []ledger.Gap{storetest.Gap("net", "a", storetest.Noon)}); err != nil {
		t.Fatal(err)
	}
	if fresh, err := s.UsePlan(t.Context(), ledger.AppliedPlan{ID: "old", StartedAt: storetest.Noon}); err != nil || fresh {
		t.Errorf("the plan used before counts as fresh: %v, %v", fresh, err)
	}
}

func BenchmarkKeepGaps(b *testing.B) {
	s := open(b, newPath(b))
	var gaps []ledger.Gap
	for i := range 100_000 {
		gaps = append(gaps, storetest.Gap("internet-firewall", "198.51."+time.Duration(i).String(), storetest.Noon))
	}
	for b.Loop() {
		for _, keep := range [][]ledger.Gap{gaps, nil} {
			if err := s.KeepGaps(b.Context(), "", keep); err != nil {
				b.Fatal(err)
			}
		}
	}
}
