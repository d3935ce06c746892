package main

import (
	"bytes"
	"encoding/json"
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

// A trail of much is read in pages, in the order of the times, and one of a part holds what
// was made, begun or taken back in it.
func TestAnAuditTrailIsInOrderAndHasWhatWasTakenBack(t *testing.T) {
	store, err := sqlite.Open(t.Context(), t.TempDir()+"/ledger.db", sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	const many = 2*exportPage + 3
	var decisions []ledger.Decision
	for i := range many {
		decisions = append(decisions, ledger.Decision{
			Verdict: ledger.Block, Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{203, 0, byte(i >> 8), byte(i)}), 32), Author: "anna",
			Start: now.Add(-time.Hour), MadeAt: now.Add(time.Duration(i) * time.Second),
		})
	}
	if _, err := store.Add(t.Context(), decisions); err != nil {
		t.Fatal(err)
	}
	end := now.Add(many * time.Second)
	if _, err := store.Revoke(t.Context(), ledger.Revocation{Prefixes: []netip.Prefix{decisions[5].Prefix}, Verdict: ledger.Block, At: end.Add(time.Minute), By: "bert"}); err != nil {
		t.Fatal(err)
	}
	if _, err := store.StartIncident(t.Context(), ledger.Incident{Name: "storm", StartedAt: now.Add(1500 * time.Millisecond), Until: end, Author: "anna", Reason: "test"}); err != nil {
		t.Fatal(err)
	}
	for _, at := range []time.Time{now.Add(2500 * time.Millisecond), end.Add(2 * time.Minute)} {
		if _, err := store.UsePlan(t.Context(), ledger.AppliedPlan{ID: at.String(), StartedAt: at, Author: "anna"}); err != nil {
			t.Fatal(err)
		}
	}
	read := func(since time.Time) (kinds []string, times []time.Time) {
		t.Helper()
		var trail bytes.Buffer
		if _, err := export(t.Context(), store, since, &trail); err != nil {
			t.Fatal(err)
		}
		if _, _, err := verifyChain(bytes.NewReader(trail.Bytes())); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(trail.String()) {
			var r record
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatal(err)
			}
			kinds, times = append(kinds, r.Kind), append(times, r.At)
		}
		return kinds, times
	}
	kinds, times := read(time.Time{})
	if len(kinds) != many+4 || !slices.IsSortedFunc(times, time.Time.Compare) {
		t.Errorf("%d lines, sorted: %v", len(kinds), slices.IsSortedFunc(times, time.Time.Compare))
	}
	if got := strings.Join(kinds[:6], " "); got != "decision decision incident decision plan decision" || kinds[len(kinds)-1] != "end" {
		t.Errorf("it begins with %s and ends with %s", got, kinds[len(kinds)-1])
	}
	if kinds, _ := read(end.Add(30 * time.Second)); strings.Join(kinds, " ") != "decision plan end" {
		t.Errorf("since then: %v", kinds)
	}
}

func mustPrefix(t *testing.T, text string) netip.Prefix {
	t.Helper()
	p, err := cloudfw.ParsePrefix(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
