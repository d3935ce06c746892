package sqlite

import (
	"reflect"
	"testing"
	"time"

	"fwsync/ledger"
)

func entry(plan string, step int, outcome string) ledger.JournalEntry {
	return ledger.JournalEntry{
		PlanID: plan, Step: step, At: noon.Add(time.Duration(step) * time.Millisecond),
		Op: "AddControlPolicy", Subject: "rule drop-attackers", Outcome: outcome,
	}
}

func TestP8APlanIsUsedOnce(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	plan := ledger.AppliedPlan{ID: "p1", StartedAt: noon, Author: "anna", Steps: 12}
	if fresh, err := s.UsePlan(t.Context(), plan); err != nil || !fresh {
		t.Fatalf("first use: %v, error %v", fresh, err)
	}
	other := plan
	other.Author = "bert"
	if fresh, err := open(t, path).UsePlan(t.Context(), other); err != nil || fresh {
		t.Errorf("second use: %v, error %v, want a refusal", fresh, err)
	}
	var got ledger.AppliedPlan
	var ms int64
	err := s.readers.QueryRowContext(t.Context(), `SELECT id, started_at, author, steps FROM plans`).
		Scan(&got.ID, &ms, &got.Author, &got.Steps)
	got.StartedAt = time.UnixMilli(ms).UTC()
	if err != nil || got != plan {
		t.Errorf("recorded %+v (error %v), want %+v", got, err, plan)
	}
	if fresh, err := s.UsePlan(t.Context(), ledger.AppliedPlan{}); err == nil || fresh {
		t.Error("a plan without an id was accepted")
	}
}

func TestP6WhatACrashLeftOpenIsFoundAndSettled(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
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
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("unfinished (error %v)\n%+v, want\n%+v", err, got, want)
		}
	}

	unfinished()
	record(entry("p1", 1, "started"))
	unfinished(entry("p1", 1, "started"))
	record(entry("p1", 1, "done"))
	unfinished()
	record(entry("p1", 2, "started"))
	record(entry("p1", 2, "throttled: try again"))
	unfinished() // an error is an answer
	record(entry("p1", 2, "started"))
	record(entry("p2", 2, "started")) // the same step of another plan
	record(entry("p1", 3, "done"))    // another step of the same plan
	unfinished(entry("p1", 2, "started"), entry("p2", 2, "started"))

	s = open(t, path) // the next run
	unfinished(entry("p1", 2, "started"), entry("p2", 2, "started"))
	if err := s.Settle(t.Context(), noon.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	unfinished()
	if got, err := s.Journal(t.Context(), "p1"); err != nil || !reflect.DeepEqual(got, journal) {
		t.Errorf("journal (error %v)\n%+v, want what was recorded\n%+v", err, got, journal)
	}
	record(entry("p1", 2, "started")) // settling does not cover later calls
	unfinished(entry("p1", 2, "started"))
}

func TestJournalOfAnUnknownPlanIsEmpty(t *testing.T) {
	if got, err := open(t, newPath(t)).Journal(t.Context(), "nobody"); err != nil || len(got) != 0 {
		t.Errorf("journal %v, error %v", got, err)
	}
}

func TestIncompleteJournalEntriesAreRefused(t *testing.T) {
	s := open(t, newPath(t))
	for name, edit := range map[string]func(*ledger.JournalEntry){
		"no plan":    func(e *ledger.JournalEntry) { e.PlanID = "" },
		"step 0":     func(e *ledger.JournalEntry) { e.Step = 0 },
		"no time":    func(e *ledger.JournalEntry) { e.At = time.Time{} },
		"no outcome": func(e *ledger.JournalEntry) { e.Outcome = "" },
	} {
		e := entry("p1", 1, "started")
		edit(&e)
		if err := s.Record(t.Context(), e); err == nil {
			t.Errorf("an entry with %s was accepted", name)
		}
	}
	if got, err := s.Unfinished(t.Context()); err != nil || len(got) != 0 {
		t.Errorf("unfinished %v (error %v), want nothing", got, err)
	}
}
