package sqlite

import (
	"testing"
	"time"

	"fwsync/ledger"
	"fwsync/ledger/storetest"
)

func BenchmarkRecord(b *testing.B) {
	s := open(b, newPath(b))
	for b.Loop() {
		if err := s.Record(b.Context(), storetest.Entry("p1", 1, "done")); err != nil {
			b.Fatal(err)
		}
	}
}

// One reconcile with a large incident behind it: 50,000 decisions taken in anew.
func BenchmarkTakeIn(b *testing.B) {
	in := ledger.Intake{Decisions: storetest.Many(50_000)}
	for b.Loop() {
		s := open(b, newPath(b))
		if saved, err := s.TakeIn(b.Context(), in); err != nil || len(saved) != len(in.Decisions) {
			b.Fatalf("%d decisions, error %v", len(saved), err)
		}
	}
}

func BenchmarkDecisions(b *testing.B) {
	s := open(b, newPath(b))
	in := storetest.Many(50_000)
	if _, err := s.TakeIn(b.Context(), ledger.Intake{Decisions: in}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		got, err := s.Decisions(b.Context(), storetest.Noon)
		if err != nil || len(got) != len(in) {
			b.Fatalf("%d decisions, error %v", len(got), err)
		}
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
