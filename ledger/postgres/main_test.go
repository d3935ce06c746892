package postgres

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"fwsync/ledger"
	"fwsync/ledger/postgres/pgtest"
	"fwsync/ledger/storetest"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		if err := play(role, os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	// A server is asked over and over; -rapid.checks on the command line still wins.
	if err := flag.Set("rapid.checks", "25"); err != nil {
		panic(err)
	}
	code := m.Run()
	pgtest.Stop()
	os.Exit(code)
}

func open(t testing.TB, address string) *Store {
	t.Helper()
	return openAs(t, address, "a")
}

func openAs(t testing.TB, address, instance string) *Store {
	t.Helper()
	s, err := Open(t.Context(), address, Options{Instance: instance})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestStore(t *testing.T) {
	server := pgtest.Shared(t)
	storetest.Run(t, func(testing.TB) storetest.Opener {
		address := server.Fresh()
		return func(t testing.TB, instance string) ledger.Store {
			t.Helper()
			return openAs(t, address, instance)
		}
	})
}
