package sqlite

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"fwsync/ledger"
)

func TestAnIntakeIsSavedAsAWholeOrNotAtAll(t *testing.T) {
	s := open(t, newPath(t))
	first := ledger.Intake{
		Decisions: []ledger.Decision{block("192.0.2.1"), block("192.0.2.2")},
		Positions: map[string]json.RawMessage{"mail.log": json.RawMessage(`{ "offset": 10 }`), "sls": json.RawMessage(`"a"`)},
		Windows:   []byte{0, 1, 2},
	}
	saved, err := s.TakeIn(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	if saved[0].ID == 0 || saved[1].ID <= saved[0].ID {
		t.Fatalf("ids %d and %d, want them rising", saved[0].ID, saved[1].ID)
	}
	prolonged := saved[1]
	prolonged.End = noon.Add(24 * time.Hour)
	missing := block("192.0.2.4")
	missing.ID = 999
	for name, bad := range map[string]ledger.Intake{
		"a replaced decision that does not exist": {Decisions: []ledger.Decision{block("192.0.2.3"), prolonged, missing}},
		"a negative id":              {Decisions: []ledger.Decision{prolonged, {ID: -1, Verdict: ledger.Block, Prefix: saved[0].Prefix}}},
		"a position that is no JSON": {Decisions: []ledger.Decision{prolonged}, Positions: map[string]json.RawMessage{"mail.log": json.RawMessage(`{`)}},
		"a position that is nothing": {Decisions: []ledger.Decision{prolonged}, Positions: map[string]json.RawMessage{"mail.log": nil}},
	} {
		bad.Windows = []byte("bad")
		if _, err := s.TakeIn(t.Context(), bad); err == nil {
			t.Fatalf("%s was accepted", name)
		}
		checkIntake(t, s, saved, first.Positions, first.Windows)
	}

	second := ledger.Intake{
		Decisions: []ledger.Decision{prolonged, block("192.0.2.3")},
		Positions: map[string]json.RawMessage{"mail.log": json.RawMessage(`{"offset":20}`)},
	}
	more, err := s.TakeIn(t.Context(), second)
	if err != nil {
		t.Fatal(err)
	}
	checkIntake(t, s, []ledger.Decision{saved[0], prolonged, more[1]}, map[string]json.RawMessage{
		"mail.log": json.RawMessage(`{"offset":20}`), "sls": json.RawMessage(`"a"`), // not named, kept
	}, first.Windows)

	if _, err := s.TakeIn(t.Context(), ledger.Intake{Windows: []byte{}}); err != nil {
		t.Fatal(err)
	}
	if windows, err := s.Windows(t.Context()); err != nil || len(windows) != 0 {
		t.Errorf("windows %q, error %v, want them emptied", windows, err)
	}
}

func checkIntake(t *testing.T, s *Store, decisions []ledger.Decision, positions map[string]json.RawMessage, windows []byte) {
	t.Helper()
	if got, err := s.Decisions(t.Context(), time.Time{}); err != nil || !reflect.DeepEqual(got, decisions) {
		t.Errorf("decisions (error %v)\n%+v, want\n%+v", err, got, decisions)
	}
	if got, err := s.Positions(t.Context()); err != nil || !reflect.DeepEqual(got, positions) {
		t.Errorf("positions %s (error %v), want %s", got, err, positions)
	}
	if got, err := s.Windows(t.Context()); err != nil || !bytes.Equal(got, windows) {
		t.Errorf("windows %q (error %v), want %q", got, err, windows)
	}
}

func TestANewLedgerIsEmpty(t *testing.T) {
	checkIntake(t, open(t, newPath(t)), nil, map[string]json.RawMessage{}, nil)
}

func TestReplacingDoesNotUndoARevocation(t *testing.T) {
	s := open(t, newPath(t))
	seen, err := s.Add(t.Context(), []ledger.Decision{block("192.0.2.1")})
	if err != nil {
		t.Fatal(err)
	}
	revocation := ledger.Revocation{
		Prefixes: []netip.Prefix{seen[0].Prefix}, Verdict: ledger.Block,
		At: noon.Add(time.Minute), By: "bert", Reason: "a partner",
	}
	if got, err := s.Revoke(t.Context(), revocation); err != nil || len(got) != 1 {
		t.Fatalf("revoked %v, error %v", got, err)
	}
	stale := seen[0] // the engine read it before the person revoked it
	stale.Count, stale.End = 99, noon.Add(48*time.Hour)
	saved, err := s.TakeIn(t.Context(), ledger.Intake{Decisions: []ledger.Decision{stale}})
	if err != nil {
		t.Fatal(err)
	}
	want := stale
	want.RevokedAt, want.RevokedBy, want.RevokeReason = revocation.At, "bert", "a partner"
	if !reflect.DeepEqual(saved, []ledger.Decision{want}) {
		t.Errorf("TakeIn returned\n%+v, want\n%+v", saved, want)
	}
	if active, err := s.Decisions(t.Context(), noon); err != nil || len(active) != 0 {
		t.Errorf("in force: %v (error %v), want nothing", active, err)
	}
}
