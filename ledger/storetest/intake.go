package storetest

import (
	"encoding/json"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"fwsync/ledger"
)

func intakeIsWhole(t *testing.T, fresh func(testing.TB) Opener) {
	s := fresh(t)(t)
	first := ledger.Intake{
		Decisions: []ledger.Decision{Block("192.0.2.1"), Block("192.0.2.2")},
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
	prolonged.End = Noon.Add(24 * time.Hour)
	missing := Block("192.0.2.4")
	missing.ID = 999
	for name, bad := range map[string]ledger.Intake{
		"a replaced decision that does not exist": {Decisions: []ledger.Decision{Block("192.0.2.3"), prolonged, missing}},
		"a negative id":              {Decisions: []ledger.Decision{prolonged, {ID: -1, Verdict: ledger.Block, Prefix: saved[0].Prefix}}},
		"a position that is no JSON": {Decisions: []ledger.Decision{prolonged}, Positions: map[string]json.RawMessage{"mail.log": json.RawMessage(`{`)}},
		"a position that is nothing": {Decisions: []ledger.Decision{prolonged}, Positions: map[string]json.RawMessage{"mail.log": nil}},
	} {
		bad.Windows = []byte("bad")
		if _, err := s.TakeIn(t.Context(), bad); err == nil {
			t.Fatalf("%s was accepted", name)
		}
		CheckIntake(t, s, saved, first.Positions, first.Windows)
	}

	second := ledger.Intake{
		Decisions: []ledger.Decision{prolonged, Block("192.0.2.3")},
		Positions: map[string]json.RawMessage{"mail.log": json.RawMessage(`{"offset":20}`)},
	}
	more, err := s.TakeIn(t.Context(), second)
	if err != nil {
		t.Fatal(err)
	}
	CheckIntake(t, s, []ledger.Decision{saved[0], prolonged, more[1]}, map[string]json.RawMessage{
		"mail.log": json.RawMessage(`{"offset":20}`), "sls": json.RawMessage(`"a"`), // not named, kept
	}, first.Windows)

	if _, err := s.TakeIn(t.Context(), ledger.Intake{Windows: []byte{}}); err != nil {
		t.Fatal(err)
	}
	if windows, err := s.Windows(t.Context()); err != nil || len(windows) != 0 {
		t.Errorf("windows %q, error %v, want them emptied", windows, err)
	}
}

func newLedgerIsEmpty(t *testing.T, fresh func(testing.TB) Opener) {
	CheckIntake(t, fresh(t)(t), nil, map[string]json.RawMessage{}, nil)
}

func replacingKeepsRevocation(t *testing.T, fresh func(testing.TB) Opener) {
	s := fresh(t)(t)
	seen, err := s.Add(t.Context(), []ledger.Decision{Block("192.0.2.1")})
	if err != nil {
		t.Fatal(err)
	}
	revocation := ledger.Revocation{
		Prefixes: []netip.Prefix{seen[0].Prefix}, Verdict: ledger.Block,
		At: Noon.Add(time.Minute), By: "bert", Reason: "a partner",
	}
	if got, err := s.Revoke(t.Context(), revocation); err != nil || len(got) != 1 {
		t.Fatalf("revoked %v, error %v", got, err)
	}
	stale := seen[0] // the engine read it before the person revoked it
	stale.Count, stale.End = 99, Noon.Add(48*time.Hour)
	saved, err := s.TakeIn(t.Context(), ledger.Intake{Decisions: []ledger.Decision{stale}})
	if err != nil {
		t.Fatal(err)
	}
	want := stale
	want.RevokedAt, want.RevokedBy, want.RevokeReason = revocation.At, "bert", "a partner"
	if !reflect.DeepEqual(saved, []ledger.Decision{want}) {
		t.Errorf("TakeIn returned\n%+v, want\n%+v", saved, want)
	}
	if active, err := s.Decisions(t.Context(), Noon); err != nil || len(active) != 0 {
		t.Errorf("in force: %v (error %v), want nothing", active, err)
	}
}
