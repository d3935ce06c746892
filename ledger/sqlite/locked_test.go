package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"fwsync/ledger"
	"fwsync/ledger/storetest"
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

func TestALockedLedgerCanBeReadAndSaysSoToWriters(t *testing.T) {
	path := newPath(t)
	open(t, path)
	release := grip(t, path)
	s, err := Open(t.Context(), path, Options{BusyTimeout: 20 * time.Millisecond})
	if err != nil {
		t.Fatalf("opening needs no write lock: %v", err)
	}
	defer s.Close()
	for method, err := range storetest.Writes(t.Context(), s) {
		if !errors.Is(err, ledger.ErrLocked) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "20ms") {
			t.Errorf("%s: error %v, want ErrLocked with the path and how long it waited", method, err)
		}
	}
	for method, err := range storetest.Reads(t.Context(), s) {
		if err != nil {
			t.Errorf("%s: %v", method, err)
		}
	}
	release()
	for method, err := range storetest.Writes(t.Context(), s) {
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
	if _, err := s.Add(ctx, []ledger.Decision{storetest.Block("192.0.2.1")}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want the deadline", err)
	}
}
