package main

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fwsync/cloudfw"
	"fwsync/ledger"
	"fwsync/ledger/sqlite"
)

// Any change of any byte of an exported trail, and any line taken out, doubled or
// swapped, is seen.
func TestAChangedAuditTrailIsSeen(t *testing.T) {
	store, err := sqlite.Open(t.Context(), t.TempDir()+"/ledger.db", sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	for i := range 4 {
		if _, err := store.Add(t.Context(), []ledger.Decision{{Verdict: ledger.Block, Prefix: mustPrefix(t, "198.51.100.7"), Start: now.Add(time.Duration(i) * time.Hour), Author: "anna", Reason: "a \"quoted\" <reason>\n"}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := store.UsePlan(t.Context(), ledger.AppliedPlan{ID: "p1", StartedAt: now, Author: "anna", Steps: 1}); err != nil {
		t.Fatal(err)
	}
	for _, outcome := range []string{ledger.Started, ledger.Finished} {
		if err := store.Record(t.Context(), ledger.JournalEntry{PlanID: "p1", Step: 1, At: now.Add(time.Second), Op: "create book", Subject: "b", Outcome: outcome, RequestID: "r-1"}); err != nil {
			t.Fatal(err)
		}
	}
	var trail, again bytes.Buffer
	n, err := export(t.Context(), store, time.Time{}, &trail)
	if err != nil || n != 7 {
		t.Fatalf("%d records, %v", n, err)
	}
	if _, err := export(t.Context(), store, time.Time{}, &again); err != nil || again.String() != trail.String() {
		t.Errorf("exported again it is another trail: %v", err)
	}
	if n, _, err := verifyChain(bytes.NewReader(trail.Bytes())); err != nil || n != 7 {
		t.Fatalf("as it was exported: %d records, %v", n, err)
	}
	lines := strings.SplitAfter(strings.TrimSuffix(trail.String(), "\n"), "\n")
	rapid.Check(t, func(t *rapid.T) {
		text := ""
		switch rapid.IntRange(0, 3).Draw(t, "how") {
		case 0: // a byte
			b := slices.Clone(trail.Bytes())
			at := rapid.IntRange(0, len(b)-2).Draw(t, "at")
			b[at] ^= byte(rapid.IntRange(1, 255).Draw(t, "by"))
			text = string(b)
		case 1: // a line is gone
			at := rapid.IntRange(0, len(lines)-1).Draw(t, "line")
			text = strings.Join(append(append([]string{}, lines[:at]...), lines[at+1:]...), "")
		case 2: // a line is there twice
			at := rapid.IntRange(0, len(lines)-1).Draw(t, "line")
			text = strings.Join(lines[:at], "") + strings.TrimSuffix(lines[at], "\n") + "\n" + strings.Join(lines[at:], "")
		case 3: // two are swapped
			at := rapid.IntRange(0, len(lines)-2).Draw(t, "line")
			swapped := append([]string{}, lines...)
			swapped[at], swapped[at+1] = strings.TrimSuffix(swapped[at+1], "\n")+"\n", swapped[at]
			text = strings.Join(swapped, "")
		}
		if _, _, err := verifyChain(strings.NewReader(text)); err == nil {
			t.Fatalf("not seen:\n%s", text)
		}
	})
}

func mustPrefix(t *testing.T, text string) netip.Prefix {
	t.Helper()
	p, err := cloudfw.ParsePrefix(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
