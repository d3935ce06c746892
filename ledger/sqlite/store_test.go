package sqlite

import (
	"path/filepath"
	"testing"
)

func newPath(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "ledger.db")
}

func open(t testing.TB, path string) *Store {
	t.Helper()
	return openAs(t, path, "")
}

func openAs(t testing.TB, path, instance string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path, Options{Instance: instance})
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
