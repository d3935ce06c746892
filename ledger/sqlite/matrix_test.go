package sqlite

import (
	"context"
	"errors"
	"testing"

	"fwsync/ledger"
	"fwsync/ledger/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t testing.TB) storetest.Opener {
		path := newPath(t)
		return func(t testing.TB, instance string) ledger.Store {
			t.Helper()
			s := openAs(t, path, instance)
			// Nobody cuts the power here, and waiting for the disk is most of the time.
			if _, err := s.writer.ExecContext(t.Context(), `PRAGMA synchronous = OFF`); err != nil {
				t.Fatal(err)
			}
			return s
		}
	})
}

func TestOpeningEndsWithTheContext(t *testing.T) {
	path := newPath(t)
	open(t, path)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, p := range []string{path, newPath(t)} {
		if _, err := Open(ctx, p, Options{}); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want the cancellation", err)
		}
	}
}
