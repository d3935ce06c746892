package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"fwsync/ledger"
)

func intakeIsWhole(t *testing.T, fresh func(testing.TB) Opener) {
	s := fresh(t)(t, "a")
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
	CheckIntake(t, fresh(t)(t, "a"), nil, map[string]json.RawMessage{}, nil)
}

func replacingKeepsRevocation(t *testing.T, fresh func(testing.TB) Opener) {
	s := fresh(t)(t, "a")
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

func instancesApart(t *testing.T, fresh func(testing.TB) Opener) {
	open := fresh(t)
	one, two := open(t, "host-1"), open(t, "host-2")
	position := func(text string) map[string]json.RawMessage {
		return map[string]json.RawMessage{"mail.log": json.RawMessage(text)}
	}
	first, err1 := one.TakeIn(t.Context(), ledger.Intake{Decisions: []ledger.Decision{Block("192.0.2.1")}, Positions: position("1"), Windows: []byte("one")})
	second, err2 := two.TakeIn(t.Context(), ledger.Intake{Decisions: []ledger.Decision{Block("192.0.2.2")}, Positions: position("2"), Windows: []byte("two")})
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	both := []ledger.Decision{first[0], second[0]}
	CheckIntake(t, one, both, position("1"), []byte("one"))
	CheckIntake(t, two, both, position("2"), []byte("two"))
	CheckIntake(t, open(t, "host-2"), both, position("2"), []byte("two"))
	CheckIntake(t, open(t, "host-3"), both, map[string]json.RawMessage{}, nil)
}

func longerEndWins(t *testing.T, fresh func(testing.TB) Opener) {
	hour := func(n int) time.Time { return Noon.Add(time.Duration(n) * time.Hour) }
	for _, tc := range []struct {
		name             string
		one, other, want time.Time
	}{
		{"the first is longer", hour(5), hour(3), hour(5)},
		{"the second is longer", hour(3), hour(5), hour(5)},
		{"both are shorter than what is there", hour(-1), hour(0), hour(1)},
		{"the first has no end", time.Time{}, hour(3), time.Time{}},
		{"the second has no end", hour(3), time.Time{}, time.Time{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			open := fresh(t)
			one, two := open(t, "host-1"), open(t, "host-2")
			added, err := one.Add(t.Context(), []ledger.Decision{Block("192.0.2.1")})
			if err != nil {
				t.Fatal(err)
			}
			// Both have read the same decision and prolong it in their own way.
			first, second := added[0], added[0]
			first.End, first.Count, first.Score, first.LastSeen = tc.one, 7, 30, hour(2)
			second.End, second.Count, second.Score, second.LastSeen = tc.other, 5, 40, hour(1)
			_, err1 := one.TakeIn(t.Context(), ledger.Intake{Decisions: []ledger.Decision{first}})
			got, err2 := two.TakeIn(t.Context(), ledger.Intake{Decisions: []ledger.Decision{second}})
			if err := errors.Join(err1, err2); err != nil {
				t.Fatal(err)
			}
			want := first
			want.End, want.Score = tc.want, 40
			if !reflect.DeepEqual(got, []ledger.Decision{want}) {
				t.Errorf("got\n%+v, want\n%+v", got, want)
			}
			CheckIntake(t, one, []ledger.Decision{want}, map[string]json.RawMessage{}, nil)
		})
	}
}

// prolongedTogether: many writers, each with its own order of the same decisions and
// its own ends. The longest end of each stays, and nobody waits for somebody in a ring.
func prolongedTogether(t *testing.T, fresh func(testing.TB) Opener) {
	open := fresh(t)
	const writers, rounds = 4, 10
	added, err := open(t, "a").Add(t.Context(), Many(20))
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	for writer := range writers {
		s := open(t, fmt.Sprintf("host-%d", writer))
		running.Go(func() {
			for round := range rounds {
				mine := slices.Clone(added)
				if writer%2 == 1 {
					slices.Reverse(mine)
				}
				for i := range mine {
					mine[i].End = Noon.Add(time.Duration((round*writers+writer+int(mine[i].ID))%(writers*rounds)+2) * time.Hour)
				}
				if _, err := s.TakeIn(t.Context(), ledger.Intake{Decisions: mine}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	running.Wait()
	got, err := open(t, "a").Decisions(t.Context(), time.Time{})
	if err != nil || len(got) != len(added) {
		t.Fatalf("%d decisions, error %v", len(got), err)
	}
	for _, d := range got {
		if want := Noon.Add((writers*rounds + 1) * time.Hour); !d.End.Equal(want) {
			t.Errorf("decision %d ends at %s, want the longest end %s", d.ID, d.End, want)
		}
	}
}
