package sqlite

import (
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"fwsync/ledger"
)

func gap(target, subject string, since time.Time) ledger.Gap {
	return ledger.Gap{Target: target, Subject: subject, Since: since}
}

func TestAGapKeepsTheTimeItWasFirstSeenAndIsForgottenWhenGone(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	later, last := noon.Add(time.Hour), noon.Add(2*time.Hour)
	for _, c := range []struct {
		name       string
		keep, want []ledger.Gap
	}{
		{"none yet", nil, nil},
		{"first seen", []ledger.Gap{gap("net", "b", noon), gap("net", "a", noon)}, []ledger.Gap{gap("net", "a", noon), gap("net", "b", noon)}},
		{"still there, one gone, one new", []ledger.Gap{gap("net", "a", later), gap("sg", "a", later)}, []ledger.Gap{gap("net", "a", noon), gap("sg", "a", later)}},
		{"named twice", []ledger.Gap{gap("net", "a", last), gap("x", "y", last), gap("x", "y", later)}, []ledger.Gap{gap("net", "a", noon), gap("x", "y", later)}},
		{"all gone", nil, nil},
		{"back again, counted anew", []ledger.Gap{gap("net", "a", last)}, []ledger.Gap{gap("net", "a", last)}},
	} {
		if err := s.KeepGaps(t.Context(), "", c.keep); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		got, err := s.Gaps(t.Context(), "")
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %v, %v, want %v", c.name, got, err, c.want)
		}
	}
	again := open(t, path)
	if got, err := again.Gaps(t.Context(), ""); err != nil || len(got) != 1 {
		t.Errorf("opened again: %v, %v", got, err)
	}
}

func TestTheGapsOfCloudsAreApart(t *testing.T) {
	s := open(t, newPath(t))
	for _, cloud := range []string{"one", "two"} {
		if err := s.KeepGaps(t.Context(), cloud, []ledger.Gap{gap("net", cloud, noon)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.KeepGaps(t.Context(), "one", nil); err != nil {
		t.Fatal(err)
	}
	one, err1 := s.Gaps(t.Context(), "one")
	two, err2 := s.Gaps(t.Context(), "two")
	if err1 != nil || err2 != nil || len(one) != 0 || len(two) != 1 || two[0].Subject != "two" {
		t.Errorf("got %v %v, %v %v", one, err1, two, err2)
	}
}

func TestAGapWithoutATimeIsRefusedAndNothingIsLost(t *testing.T) {
	s := open(t, newPath(t))
	if err := s.KeepGaps(t.Context(), "", []ledger.Gap{gap("net", "a", noon)}); err != nil {
		t.Fatal(err)
	}
	err := s.KeepGaps(t.Context(), "", []ledger.Gap{{Target: "net", Subject: "b"}})
	if err == nil || !strings.Contains(err.Error(), "has no time") {
		t.Errorf("error %v", err)
	}
	if got, err := s.Gaps(t.Context(), ""); err != nil || len(got) != 1 || got[0].Subject != "a" {
		t.Errorf("left: %v, %v", got, err)
	}
}

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
	if err := s.KeepGaps(t.Context(), "", []ledger.Gap{gap("net", "a", noon)}); err != nil {
		t.Fatal(err)
	}
	if fresh, err := s.UsePlan(t.Context(), ledger.AppliedPlan{ID: "old", StartedAt: noon}); err != nil || fresh {
		t.Errorf("the plan used before counts as fresh: %v, %v", fresh, err)
	}
}

func BenchmarkKeepGaps(b *testing.B) {
	s := open(b, newPath(b))
	var gaps []ledger.Gap
	for i := range 100_000 {
		gaps = append(gaps, gap("internet-firewall", "198.51."+time.Duration(i).String(), noon))
	}
	for b.Loop() {
		for _, keep := range [][]ledger.Gap{gaps, nil} {
			if err := s.KeepGaps(b.Context(), "", keep); err != nil {
				b.Fatal(err)
			}
		}
	}
}
