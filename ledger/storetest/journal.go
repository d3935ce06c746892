package storetest

import (
	"reflect"
	"testing"
	"time"

	"fwsync/ledger"
)

func planIsUsedOnce(t *testing.T, fresh func(testing.TB) Opener) {
	open := fresh(t)
	s := open(t, "a")
	plan := ledger.AppliedPlan{ID: "p1", StartedAt: Noon, Author: "anna", Steps: 12}
	if first, err := s.UsePlan(t.Context(), plan); err != nil || !first {
		t.Fatalf("first use: %v, error %v", first, err)
	}
	other := plan
	other.Author = "bert"
	if first, err := open(t, "a").UsePlan(t.Context(), other); err != nil || first {
		t.Errorf("second use: %v, error %v, want a refusal", first, err)
	}
	if first, err := s.UsePlan(t.Context(), ledger.AppliedPlan{}); err == nil || first {
		t.Error("a plan without an id was accepted")
	}
}

func crashIsSettled(t *testing.T, fresh func(testing.TB) Opener) {
	open := fresh(t)
	s := open(t, "a")
	var journal []ledger.JournalEntry
	record := func(e ledger.JournalEntry) {
		t.Helper()
		if err := s.Record(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		if e.PlanID == "p1" {
			journal = append(journal, e)
		}
	}
	unfinished := func(want ...ledger.JournalEntry) {
		t.Helper()
		got, err := s.Unfinished(t.Context())
		unnumbered(got)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("unfinished (error %v)\n%+v, want\n%+v", err, got, want)
		}
	}

	unfinished()
	record(Entry("p1", 1, "started"))
	unfinished(Entry("p1", 1, "started"))
	record(Entry("p1", 1, "done"))
	unfinished()
	record(Entry("p1", 2, "started"))
	record(Entry("p1", 2, "throttled: try again"))
	unfinished() // an error is an answer
	record(Entry("p1", 2, "started"))
	record(Entry("p2", 2, "started")) // the same step of another plan
	record(Entry("p1", 3, "done"))    // another step of the same plan
	unfinished(Entry("p1", 2, "started"), Entry("p2", 2, "started"))

	s = open(t, "a") // the next run
	unfinished(Entry("p1", 2, "started"), Entry("p2", 2, "started"))
	if err := s.Settle(t.Context(), Noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	unfinished()
	if got, err := s.Journal(t.Context(), "p1"); err != nil || !rising(got) || !reflect.DeepEqual(got, journal) {
		t.Errorf("journal (error %v)\n%+v, want what was recorded\n%+v", err, got, journal)
	}
	record(Entry("p1", 2, "started")) // settling does not cover later calls
	unfinished(Entry("p1", 2, "started"))
}

func unknownPlanIsEmpty(t *testing.T, fresh func(testing.TB) Opener) {
	if got, err := fresh(t)(t, "a").Journal(t.Context(), "nobody"); err != nil || len(got) != 0 {
		t.Errorf("journal %v, error %v", got, err)
	}
}

func incompleteEntriesRefused(t *testing.T, fresh func(testing.TB) Opener) {
	s := fresh(t)(t, "a")
	for name, edit := range map[string]func(*ledger.JournalEntry){
		"no plan":    func(e *ledger.JournalEntry) { e.PlanID = "" },
		"step 0":     func(e *ledger.JournalEntry) { e.Step = 0 },
		"no time":    func(e *ledger.JournalEntry) { e.At = time.Time{} },
		"no outcome": func(e *ledger.JournalEntry) { e.Outcome = "" },
	} {
		e := Entry("p1", 1, "started")
		edit(&e)
		if err := s.Record(t.Context(), e); err == nil {
			t.Errorf("an entry with %s was accepted", name)
		}
	}
	if got, err := s.Unfinished(t.Context()); err != nil || len(got) != 0 {
		t.Errorf("unfinished %v (error %v), want nothing", got, err)
	}
}

// rising reports whether the entries have numbers that rise, and takes those away.
func rising(entries []ledger.JournalEntry) bool {
	var last int64
	for _, e := range entries {
		if e.Seq <= last {
			return false
		}
		last = e.Seq
	}
	unnumbered(entries)
	return true
}

func unnumbered(entries []ledger.JournalEntry) {
	for i := range entries {
		entries[i].Seq = 0
	}
}
