package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"fwsync/ledger"
)

// grip holds the write lock of the ledger at path as another program would.
func grip(t *testing.T, path string) (release func()) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(`BEGIN EXCLUSIVE`); err != nil {
		t.Fatal(err)
	}
	release = func() { db.Close() }
	t.Cleanup(release)
	return release
}

// writes calls every method that writes.
func writes(ctx context.Context, s *Store) map[string]error {
	results := map[string]error{}
	_, results["Add"] = s.Add(ctx, []ledger.Decision{block("192.0.2.1")})
	_, results["Revoke"] = s.Revoke(ctx, ledger.Revocation{
		Prefixes: []netip.Prefix{block("192.0.2.9").Prefix}, Verdict: ledger.Block, At: noon,
	})
	_, results["TakeIn"] = s.TakeIn(ctx, ledger.Intake{Positions: map[string]json.RawMessage{"a": json.RawMessage(`1`)}})
	_, results["UsePlan"] = s.UsePlan(ctx, ledger.AppliedPlan{ID: "p1"})
	results["Record"] = s.Record(ctx, entry("p1", 1, "done"))
	results["Settle"] = s.Settle(ctx, noon)
	return results
}

// reads calls every method that only reads.
func reads(ctx context.Context, s *Store) map[string]error {
	results := map[string]error{}
	_, results["Decisions"] = s.Decisions(ctx, time.Time{})
	_, results["Positions"] = s.Positions(ctx)
	_, results["Windows"] = s.Windows(ctx)
	_, results["Journal"] = s.Journal(ctx, "p1")
	_, results["Unfinished"] = s.Unfinished(ctx)
	return results
}

func TestALockedLedgerCanBeReadAndSaysSoToWriters(t *testing.T) {
	path := newPath(t)
	open(t, path)
	release := grip(t, path)
	s, err := Open(t.Context(), path, Options{BusyTimeout: 20 * time.Millisecond})
	if err != nil {
		t.Fatalf("opening needs no write lock: %v", err)
	}
	defer s.Close()
	for method, err := range writes(t.Context(), s) {
		if !errors.Is(err, ledger.ErrLocked) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "20ms") {
			t.Errorf("%s: error %v, want ErrLocked with the path and how long it waited", method, err)
		}
	}
	for method, err := range reads(t.Context(), s) {
		if err != nil {
			t.Errorf("%s: %v", method, err)
		}
	}
	release()
	for method, err := range writes(t.Context(), s) {
		if err != nil {
			t.Errorf("%s after the lock is gone: %v", method, err)
		}
	}
}

func TestALedgerHeldForOneProcessAloneCannotBeOpened(t *testing.T) {
	path := newPath(t)
	open(t, path).Close()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(`PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; UPDATE schema_version SET name = name; COMMIT`); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), path, Options{BusyTimeout: 20 * time.Millisecond})
	if !errors.Is(err, ledger.ErrLocked) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v, want ErrLocked with the path", err)
	}
}

func TestWaitingForALockEndsWithTheContext(t *testing.T) {
	path := newPath(t)
	s, err := Open(t.Context(), path, Options{BusyTimeout: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	grip(t, path)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := s.Add(ctx, []ledger.Decision{block("192.0.2.1")}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want the deadline", err)
	}
}

func TestACancelledContextChangesNothing(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, calls := range []func(context.Context, *Store) map[string]error{writes, reads} {
		for method, err := range calls(ctx, s) {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: error %v, want the cancellation", method, err)
			}
		}
	}
	if _, err := Open(ctx, path, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Open: error %v, want the cancellation", err)
	}
	if _, err := Open(ctx, newPath(t), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Open of a new ledger: error %v, want the cancellation", err)
	}
	checkIntake(t, s, nil, map[string]json.RawMessage{}, nil)
}

func TestAnIntakeCancelledHalfWayChangesNothing(t *testing.T) {
	s := open(t, newPath(t))
	in := ledger.Intake{Decisions: many(20_000), Windows: []byte("new")}
	for i := range 10 {
		ctx, cancel := context.WithCancel(t.Context())
		stop := time.AfterFunc(time.Duration(i)*20*time.Millisecond, cancel)
		_, err := s.TakeIn(ctx, in)
		stop.Stop()
		cancel()
		all, readErr := s.Decisions(t.Context(), time.Time{})
		if readErr != nil {
			t.Fatal(readErr)
		}
		if err == nil { // it was faster than the cancellation
			if len(all) != len(in.Decisions) {
				t.Errorf("%d decisions, want all", len(all))
			}
			return
		}
		if !errors.Is(err, context.Canceled) || len(all) != 0 {
			t.Fatalf("error %v, %d decisions stored, want the cancellation and nothing", err, len(all))
		}
	}
}
