package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"fwsync/ledger"
	"fwsync/ledger/postgres/pgtest"
	"fwsync/ledger/storetest"
)

func calls(ctx context.Context, s ledger.Store) map[string]error {
	all := storetest.Writes(ctx, s)
	for name, err := range storetest.Reads(ctx, s) {
		all[name] = err
	}
	return all
}

func TestAServerThatIsGoneForATimeIsFoundAgain(t *testing.T) {
	server := pgtest.Start(t)
	s := open(t, server.Fresh())
	saved, err := s.TakeIn(t.Context(), ledger.Intake{Decisions: storetest.Many(3), Windows: []byte("w")})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // the pool has connections
		storetest.Reads(t.Context(), s)
	}
	server.Halt()
	for method, err := range calls(t.Context(), s) {
		if !errors.Is(err, ledger.ErrUnreachable) || !strings.Contains(err.Error(), s.place) || !strings.Contains(texts(err), "hint: ") {
			t.Errorf("%s: error %s, want ErrUnreachable with the place and a hint", method, texts(err))
		}
	}
	if err := server.Resume(); err != nil {
		t.Fatal(err)
	}
	for method, err := range calls(t.Context(), s) {
		if err != nil {
			t.Errorf("%s after the server is back: %v", method, err)
		}
	}
	// The connections are dead once more, and the first call after it must not notice.
	for _, call := range []func() error{
		func() error { _, err := s.Windows(t.Context()); return err },
		func() error { return s.Record(t.Context(), storetest.Entry("p1", 1, "done")) },
	} {
		server.Halt()
		if err := server.Resume(); err != nil {
			t.Fatal(err)
		}
		if err := call(); err != nil {
			t.Errorf("the first call after a restart: %v", err)
		}
	}
	all, err := s.Decisions(t.Context(), time.Time{})
	if err != nil || len(all) != len(saved)+1 { // and the one of calls
		t.Errorf("%d decisions (error %v), want %d", len(all), err, len(saved)+1)
	}
}

// deaf is a server that takes connections and says nothing.
func deaf(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { conn.Close() })
		}
	}()
	return l.Addr().String()
}

func TestAServerThatSaysNothingHoldsNobodyUp(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	address := "postgres://a@" + deaf(t) + "/a"
	if _, err := Open(ctx, address, Options{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want the deadline", err)
	}
	_, err := Open(t.Context(), address, Options{CallTimeout: 50 * time.Millisecond})
	if !errors.Is(err, ledger.ErrUnreachable) || !strings.Contains(err.Error(), "no answer within 50ms") {
		t.Errorf("error %v, want ErrUnreachable with the time", err)
	}
}

// gripped holds a lock on every row and table of the ledger, as a stuck program could.
func gripped(t *testing.T, s *Store) {
	t.Helper()
	tx, err := s.pool.Begin(t.Context())
	if err == nil {
		_, err = tx.Exec(t.Context(), `LOCK decisions, positions, windows, plans, journal, gaps, incidents IN ACCESS EXCLUSIVE MODE`)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tx.Rollback(context.Background()) })
}

func TestWaitingForALockEndsWithTheContextOrTheLimit(t *testing.T) {
	address := pgtest.Shared(t).Fresh()
	s := open(t, address)
	hasty, err := Open(t.Context(), address+"&lock_timeout=20", Options{Instance: "b"})
	if err != nil {
		t.Fatal(err)
	}
	defer hasty.Close()
	gripped(t, s)
	for method, err := range calls(t.Context(), hasty) {
		if !errors.Is(err, ledger.ErrLocked) {
			t.Errorf("%s: error %v, want ErrLocked", method, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	for method, err := range calls(ctx, s) {
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: error %v, want the deadline", method, err)
		}
	}
}

func TestAMissingTableIsDamage(t *testing.T) {
	s := open(t, pgtest.Shared(t).Fresh())
	exec(t, s, `DROP TABLE positions`)
	if _, err := s.Positions(t.Context()); !errors.Is(err, ledger.ErrCorrupt) || !strings.Contains(err.Error(), "positions") {
		t.Errorf("error %v, want ErrCorrupt that names the table", err)
	}
}

func TestARowThatMeansNothingIsDamage(t *testing.T) {
	for name, statement := range map[string]string{
		"a prefix that is none":     `UPDATE decisions SET prefix = 'office'`,
		"evidence of another shape": `UPDATE decisions SET evidence = '{"a":1}'`,
		"evidence that is not JSON": `UPDATE decisions SET evidence = 'x'`,
	} {
		s := open(t, pgtest.Shared(t).Fresh())
		if _, err := s.Add(t.Context(), []ledger.Decision{storetest.Full()}); err != nil {
			t.Fatal(err)
		}
		exec(t, s, statement)
		if _, err := s.Decisions(t.Context(), time.Time{}); !errors.Is(err, ledger.ErrCorrupt) || !strings.Contains(err.Error(), "decision 1") {
			t.Errorf("%s: error %v, want ErrCorrupt naming decision 1", name, err)
		}
	}
}

func TestOverTCPWithAPassword(t *testing.T) {
	server := pgtest.Shared(t)
	address := server.TCP(pgtest.Admin, server.Password, "postgres")
	address.RawQuery = url.Values{"search_path": {"over_tcp"}}.Encode()
	s := open(t, address.String())
	if _, err := s.TakeIn(t.Context(), ledger.Intake{Positions: map[string]json.RawMessage{"a": json.RawMessage(`1`)}}); err != nil {
		t.Fatal(err)
	}
}

func TestDecisionsInForceAreFoundByTheIndex(t *testing.T) {
	s := open(t, pgtest.Shared(t).Fresh())
	past := storetest.Many(bulk)
	if _, err := s.Add(t.Context(), past); err != nil {
		t.Fatal(err)
	}
	late := storetest.Noon.Add(time.Hour + (bulk-5)*time.Millisecond)
	rows, err := s.pool.Query(t.Context(), `EXPLAIN SELECT `+readColumns+` FROM decisions
		WHERE revoked_at IS NULL AND coalesce(ends, 9223372036854775807) > $1`, late.UnixMilli())
	if err != nil {
		t.Fatal(err)
	}
	plan := ""
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		plan += line + "\n"
	}
	if !strings.Contains(plan, "decisions_in_force") {
		t.Errorf("plan\n%swant the index decisions_in_force", plan)
	}
}
