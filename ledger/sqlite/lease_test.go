package sqlite

import (
	"errors"
	"os"
	"testing"

	"fwsync/ledger"
	"fwsync/ledger/storetest"
)

// A lock file that somebody tidied away lets a second process in. The ledger itself
// stops the first one then.
func TestP10AHolderWhoseLockFileIsGoneIsFenced(t *testing.T) {
	path := newPath(t)
	first, err := open(t, path).Acquire(t.Context(), ledger.Claim{Holder: "first"})
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if err := os.Remove(path + ".lock"); err != nil {
		t.Fatal(err)
	}
	second, err := open(t, path).Acquire(t.Context(), ledger.Claim{Holder: "second"})
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if err := first.Held(t.Context()); !errors.Is(err, ledger.ErrFenced) {
		t.Errorf("the first asks: %v, want ErrFenced", err)
	}
	if err := first.Store().Record(t.Context(), storetest.Entry("p1", 1, ledger.Started)); !errors.Is(err, ledger.ErrFenced) {
		t.Errorf("the first records: %v, want ErrFenced", err)
	}
	if err := second.Held(t.Context()); err != nil {
		t.Errorf("the second asks: %v", err)
	}
}
