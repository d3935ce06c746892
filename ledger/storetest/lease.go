package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"fwsync/ledger"
)

func acquire(t *testing.T, s ledger.Store, holder string) ledger.Lease {
	t.Helper()
	l, err := s.Acquire(t.Context(), ledger.Claim{Holder: holder})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func oneHolderAtATime(t *testing.T, fresh func(testing.TB) Opener) {
	open := fresh(t)
	one, two := open(t, "a"), open(t, "b")
	var last int64
	for round := range 3 {
		held := acquire(t, one, "pid 7 on mail-1")
		if held.Token() <= last {
			t.Errorf("round %d: token %d is not above %d", round, held.Token(), last)
		}
		last = held.Token()
		for _, s := range []ledger.Store{one, two} {
			lease, err := s.Acquire(t.Context(), ledger.Claim{Holder: "pid 8 on mail-2"})
			var other *ledger.HeldError
			if lease != nil || !errors.As(err, &other) {
				t.Fatalf("lease %v, error %v, want a HeldError", lease, err)
			}
			if !strings.HasPrefix(other.Holder, "pid ") || !strings.Contains(other.Holder, " since ") || !strings.Contains(err.Error(), other.Holder) {
				t.Errorf("holder %q in %q, want who and since when", other.Holder, err)
			}
		}
		if err := held.Held(t.Context()); err != nil {
			t.Error(err)
		}
		for range 2 {
			if err := held.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if err := held.Held(t.Context()); !errors.Is(err, ledger.ErrFenced) {
			t.Errorf("after it was given back: %v, want ErrFenced", err)
		}
	}
}

func lostLeaseWritesNothing(t *testing.T, fresh func(testing.TB) Opener) {
	open := fresh(t)
	plain := open(t, "a")
	old := acquire(t, plain, "old")
	for method, err := range Writes(t.Context(), old.Store()) {
		if err != nil {
			t.Errorf("%s of the holder: %v", method, err)
		}
	}
	before, err := plain.Decisions(t.Context(), time.Time{})
	if err != nil || len(before) != 1 {
		t.Fatalf("decisions %v, error %v", before, err)
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	next := acquire(t, open(t, "b"), "next")
	for method, err := range Writes(t.Context(), old.Store()) {
		if !errors.Is(err, ledger.ErrFenced) || !strings.Contains(err.Error(), "next") {
			t.Errorf("%s of the old holder: %v, want ErrFenced that names the next", method, err)
		}
	}
	if err := old.Held(t.Context()); !errors.Is(err, ledger.ErrFenced) {
		t.Errorf("the old holder asks: %v, want ErrFenced", err)
	}
	for method, err := range Reads(t.Context(), old.Store()) {
		if err != nil {
			t.Errorf("%s of the old holder: %v", method, err)
		}
	}
	CheckIntake(t, plain, before, map[string]json.RawMessage{"a": json.RawMessage(`1`)}, nil)
	if entries, err := plain.Journal(t.Context(), "p1"); err != nil || len(entries) != 1 {
		t.Errorf("journal %v, error %v, want the one entry of before", entries, err)
	}
	if _, err := plain.Add(t.Context(), []ledger.Decision{Block("192.0.2.8")}); err != nil {
		t.Errorf("who needs no lease: %v", err)
	}
	for method, err := range Writes(t.Context(), next.Store()) {
		if err != nil {
			t.Errorf("%s of the next holder: %v", method, err)
		}
	}
}

func manyWantTheLease(t *testing.T, fresh func(testing.TB) Opener) {
	open := fresh(t)
	stores := []ledger.Store{open(t, "a"), open(t, "b"), open(t, "c")}
	won := make(chan ledger.Lease, 30)
	var running sync.WaitGroup
	for i := range cap(won) {
		running.Go(func() {
			lease, err := stores[i%len(stores)].Acquire(t.Context(), ledger.Claim{Holder: "one of many"})
			var other *ledger.HeldError
			switch {
			case err == nil:
				won <- lease
			case !errors.As(err, &other):
				t.Error(err)
			}
		})
	}
	running.Wait()
	if len(won) != 1 {
		t.Errorf("%d hold the lease", len(won))
	}
	for len(won) > 0 {
		if err := (<-won).Close(); err != nil {
			t.Error(err)
		}
	}
}

func leaseEndsWithContext(t *testing.T, fresh func(testing.TB) Opener) {
	s := fresh(t)(t, "a")
	l := acquire(t, s, "me")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Held(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Held: %v, want the cancellation", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Acquire(ctx, ledger.Claim{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Acquire: %v, want the cancellation", err)
	}
	acquire(t, s, "me again")
}
