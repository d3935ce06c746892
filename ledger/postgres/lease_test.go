package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"fwsync/ledger"
	"fwsync/ledger/postgres/pgtest"
	"fwsync/ledger/storetest"
)

// takeover asks for the lease until it is free, and returns how long that took.
func takeover(t *testing.T, s *Store, ttl time.Duration) (ledger.Lease, time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	begin := time.Now()
	for {
		lease, err := s.Acquire(ctx, ledger.Claim{Holder: "the successor", TTL: ttl})
		if err == nil {
			t.Cleanup(func() { lease.Close() })
			return lease, time.Since(begin)
		}
		if held := new(ledger.HeldError); !errors.As(err, &held) {
			t.Fatal(err)
		}
	}
}

func TestP10AHolderThatIsGoneIsFollowedAfterItsTTL(t *testing.T) {
	address := pgtest.Shared(t).Fresh()
	gone, err := Open(t.Context(), address, Options{})
	if err != nil {
		t.Fatal(err)
	}
	const ttl = 2 * time.Second
	lease, err := gone.Acquire(t.Context(), ledger.Claim{Holder: "pid 1 on gone", TTL: ttl})
	if err != nil {
		t.Fatal(err)
	}
	// It dies as a process does: without giving anything back.
	lease.(*Lease).stop()
	<-lease.(*Lease).ended
	gone.Close()

	s := open(t, address)
	var held *ledger.HeldError
	if _, err := s.Acquire(t.Context(), ledger.Claim{Holder: "eager"}); !errors.As(err, &held) || !strings.HasPrefix(held.Holder, "pid 1 on gone since ") || held.Until.IsZero() {
		t.Fatalf("error %v, want who holds it and until when", err)
	}
	next, took := takeover(t, s, 0)
	if took > ttl+busy {
		t.Errorf("the takeover took %s, want no more than the TTL %s", took, ttl)
	}
	if next.Token() != lease.Token()+1 {
		t.Errorf("token %d follows %d", next.Token(), lease.Token())
	}
}

func TestALeaseRenewsItself(t *testing.T) {
	s := open(t, pgtest.Shared(t).Fresh())
	const ttl = 2 * time.Second // long enough for a machine that is busy
	lease, err := s.Acquire(t.Context(), ledger.Claim{Holder: "steady", TTL: ttl})
	if err != nil {
		t.Fatal(err)
	}
	defer lease.Close()
	for deadline := time.Now().Add(2 * ttl); time.Now().Before(deadline); {
		var held *ledger.HeldError
		if _, err := s.Acquire(t.Context(), ledger.Claim{Holder: "eager"}); !errors.As(err, &held) {
			t.Fatalf("error %v, want it held", err)
		}
	}
}

// The server's clock is hours ahead of this host's, or behind: it is the server's that
// counts, and alone. (The schema's own clock stands in front of the system's.)
func TestP10ClocksThatDisagreeDoNotMatter(t *testing.T) {
	server := pgtest.Shared(t)
	for i, skew := range []string{"3 hours", "-3 hours"} {
		schema := fmt.Sprintf("skewed_%d", i)
		server.Exec(t, `CREATE SCHEMA `+schema, `CREATE FUNCTION `+schema+`.clock_timestamp() RETURNS timestamptz LANGUAGE sql
			AS $$ SELECT pg_catalog.clock_timestamp() + interval '`+skew+`' $$`)
		address := server.URL(schema + ",pg_catalog")
		s := open(t, address)
		const ttl = 2 * time.Second
		lease, err := s.Acquire(t.Context(), ledger.Claim{Holder: "first", TTL: ttl})
		if err != nil {
			t.Fatal(err)
		}
		var held *ledger.HeldError
		if _, err := s.Acquire(t.Context(), ledger.Claim{Holder: "second"}); !errors.As(err, &held) {
			t.Fatalf("%s: error %v, want it held", skew, err)
		}
		if apart := time.Until(held.Until).Abs(); apart < 2*time.Hour {
			t.Fatalf("%s: the clocks are only %s apart, so this test would show nothing", skew, apart)
		}
		if err := lease.Held(t.Context()); err != nil {
			t.Errorf("%s: %v", skew, err)
		}
		lease.(*Lease).stop()
		<-lease.(*Lease).ended
		if _, took := takeover(t, s, 0); took > ttl+busy {
			t.Errorf("%s: the takeover took %s, want the TTL %s", skew, took, ttl)
		}
		if err := lease.Held(t.Context()); !errors.Is(err, ledger.ErrFenced) {
			t.Errorf("%s: the old holder asks: %v, want ErrFenced", skew, err)
		}
	}
}

// A database restored from yesterday hands the same tokens out again.
func TestP10AHolderFromBeforeARestoreIsFenced(t *testing.T) {
	s := open(t, pgtest.Shared(t).Fresh())
	old, err := s.Acquire(t.Context(), ledger.Claim{Holder: "old"})
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	exec(t, s, `UPDATE lease SET token = token - 1, nonce = '', expires = '-infinity'`)
	next, _ := takeover(t, s, 0)
	if next.Token() != old.Token() {
		t.Fatalf("tokens %d and %d: the test would show nothing", next.Token(), old.Token())
	}
	if err := old.Held(t.Context()); !errors.Is(err, ledger.ErrFenced) {
		t.Errorf("the old holder asks: %v, want ErrFenced", err)
	}
	if err := old.Store().Record(t.Context(), storetest.Entry("p1", 1, ledger.Started)); !errors.Is(err, ledger.ErrFenced) {
		t.Errorf("the old holder records: %v, want ErrFenced", err)
	}
}

// A lease that ended while its holder's server was away is its again if nobody took it.
func TestALeaseThatNobodyTookGoesOn(t *testing.T) {
	server := pgtest.Start(t)
	s := open(t, server.Fresh())
	lease, err := s.Acquire(t.Context(), ledger.Claim{Holder: "patient", TTL: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer lease.Close()
	server.Halt()
	if err := lease.Held(t.Context()); !errors.Is(err, ledger.ErrUnreachable) {
		t.Errorf("without a server: %v, want ErrUnreachable", err)
	}
	if err := server.Resume(); err != nil {
		t.Fatal(err)
	}
	if err := lease.Held(t.Context()); err != nil {
		t.Errorf("with the server back: %v", err)
	}
}

func TestAnAnswerThatComesTooLateIsNoLease(t *testing.T) {
	s := open(t, pgtest.Shared(t).Fresh())
	lease, err := s.Acquire(t.Context(), ledger.Claim{Holder: "slow", TTL: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	defer lease.Close()
	if err := lease.Held(t.Context()); !errors.Is(err, ledger.ErrFenced) {
		t.Errorf("error %v, want ErrFenced", err)
	}
}
