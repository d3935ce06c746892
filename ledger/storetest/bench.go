package storetest

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"fwsync/ledger"
)

// Benchmark measures what a large incident and years of history cost a kind of store.
func Benchmark(b *testing.B, fresh func(t testing.TB) Opener) {
	b.Run("Record", func(b *testing.B) {
		s := fresh(b)(b, "a")
		for b.Loop() {
			if err := s.Record(b.Context(), Entry("p1", 1, "done")); err != nil {
				b.Fatal(err)
			}
		}
	})
	// One reconcile with a large incident behind it: 50,000 decisions taken in anew.
	b.Run("TakeIn of 50,000", func(b *testing.B) {
		in := ledger.Intake{Decisions: Many(50_000)}
		for b.Loop() {
			s := fresh(b)(b, "a")
			if saved, err := s.TakeIn(b.Context(), in); err != nil || len(saved) != len(in.Decisions) {
				b.Fatalf("%d decisions, error %v", len(saved), err)
			}
		}
	})
	// The same attack as another host has seen it, of half of the sources first.
	b.Run("TakeIn joining 50,000", func(b *testing.B) {
		in := ledger.Intake{Decisions: Many(50_000), Join: true}
		for b.Loop() {
			open := fresh(b)
			if _, err := open(b, "a").TakeIn(b.Context(), ledger.Intake{Decisions: in.Decisions[:25_000], Join: true}); err != nil {
				b.Fatal(err)
			}
			begin := time.Now()
			if saved, err := open(b, "b").TakeIn(b.Context(), in); err != nil || len(saved) != len(in.Decisions) || saved[0].ID != 1 {
				b.Fatalf("%d decisions, error %v", len(saved), err)
			}
			b.ReportMetric(time.Since(begin).Seconds(), "s/second")
		}
	})
	b.Run("TakeIn prolonging 50,000", func(b *testing.B) {
		s := fresh(b)(b, "a")
		saved, err := s.TakeIn(b.Context(), ledger.Intake{Decisions: Many(50_000)})
		if err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			for i := range saved {
				saved[i].End = saved[i].End.Add(time.Hour)
			}
			if _, err := s.TakeIn(b.Context(), ledger.Intake{Decisions: saved}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Decisions of 50,000", func(b *testing.B) {
		s := fresh(b)(b, "a")
		in := Many(50_000)
		if _, err := s.TakeIn(b.Context(), ledger.Intake{Decisions: in}); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			got, err := s.Decisions(b.Context(), Noon)
			if err != nil || len(got) != len(in) {
				b.Fatalf("%d decisions, error %v", len(got), err)
			}
		}
	})
	b.Run("all Decisions again, 100 of 50,000 changed", func(b *testing.B) {
		s := fresh(b)(b, "a")
		saved, err := s.TakeIn(b.Context(), ledger.Intake{Decisions: Many(50_000)})
		if err != nil {
			b.Fatal(err)
		}
		for range 2 {
			if _, err := s.Decisions(b.Context(), time.Time{}); err != nil {
				b.Fatal(err)
			}
		}
		for b.Loop() {
			b.StopTimer()
			for i := range saved[:100] {
				saved[i].End = saved[i].End.Add(time.Hour)
			}
			if _, err := s.TakeIn(b.Context(), ledger.Intake{Decisions: saved[:100]}); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			if got, err := s.Decisions(b.Context(), time.Time{}); err != nil || len(got) != len(saved) {
				b.Fatalf("%d decisions, error %v", len(got), err)
			}
		}
	})
	b.Run("among 1,000,000", func(b *testing.B) { amongMillion(b, fresh(b)(b, "a")) })
	b.Run("KeepGaps of 100,000", func(b *testing.B) {
		s := fresh(b)(b, "a")
		var gaps []ledger.Gap
		for i := range 100_000 {
			gaps = append(gaps, Gap("internet-firewall", fmt.Sprintf("198.51.%d", i), Noon))
		}
		for b.Loop() {
			for _, keep := range [][]ledger.Gap{gaps, nil} {
				if err := s.KeepGaps(b.Context(), "", keep); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

// amongMillion: all but 10,000 of the decisions are history.
func amongMillion(b *testing.B, s ledger.Store) {
	const all, part, active = 1_000_000, 50_000, 10_000
	later := Noon.Add(365 * 24 * time.Hour)
	begin := time.Now()
	for taken := 0; taken < all; taken += part {
		decisions := Many(taken + part)[taken:]
		for i := range decisions {
			if taken+i >= all-active {
				decisions[i].End = later
			}
		}
		if _, err := s.TakeIn(b.Context(), ledger.Intake{Decisions: decisions}); err != nil {
			b.Fatal(err)
		}
	}
	b.Logf("%d decisions were taken in within %s", all, time.Since(begin).Round(time.Millisecond))
	b.Run("Decisions, 10,000 in force", func(b *testing.B) {
		for b.Loop() {
			if got, err := s.Decisions(b.Context(), later.Add(-time.Hour)); err != nil || len(got) != active {
				b.Fatalf("%d decisions, error %v", len(got), err)
			}
		}
	})
	b.Run("Add one", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Add(b.Context(), []ledger.Decision{Block("192.0.2.1")}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Revoke one", func(b *testing.B) {
		for b.Loop() {
			r := ledger.Revocation{Prefixes: []netip.Prefix{Block("192.0.2.2").Prefix}, Verdict: ledger.Block, At: Noon}
			if _, err := s.Revoke(b.Context(), r); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Decisions, all", func(b *testing.B) {
		for b.Loop() {
			if got, err := s.Decisions(b.Context(), time.Time{}); err != nil || len(got) < all {
				b.Fatalf("%d decisions, error %v", len(got), err)
			}
		}
	})
}
