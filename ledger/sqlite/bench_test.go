package sqlite

import (
	"testing"

	"fwsync/ledger"
)

func BenchmarkRecord(b *testing.B) {
	s := open(b, newPath(b))
	for b.Loop() {
		if err := s.Record(b.Context(), entry("p1", 1, "done")); err != nil {
			b.Fatal(err)
		}
	}
}

// One reconcile with a large incident behind it: 50,000 decisions taken in anew.
func BenchmarkTakeIn(b *testing.B) {
	in := ledger.Intake{Decisions: many(50_000)}
	for b.Loop() {
		s := open(b, newPath(b))
		if saved, err := s.TakeIn(b.Context(), in); err != nil || len(saved) != len(in.Decisions) {
			b.Fatalf("%d decisions, error %v", len(saved), err)
		}
	}
}

func BenchmarkDecisions(b *testing.B) {
	s := open(b, newPath(b))
	in := many(50_000)
	if _, err := s.TakeIn(b.Context(), ledger.Intake{Decisions: in}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		got, err := s.Decisions(b.Context(), noon)
		if err != nil || len(got) != len(in) {
			b.Fatalf("%d decisions, error %v", len(got), err)
		}
	}
}
