package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"fwsync/ledger"
	"fwsync/ledger/postgres/pgtest"
	"fwsync/ledger/storetest"
)

// texts are all that a person or a log could get to see of an error.
func texts(err error) string {
	text := fmt.Sprintf("%v", err)
	var hint interface{ Hint() string }
	if errors.As(err, &hint) {
		text += "\nhint: " + hint.Hint()
	}
	return text
}

func TestP14ThePasswordIsInNoErrorAndInNoName(t *testing.T) {
	s := pgtest.Shared(t)
	const secret = "Tr0ub4dor&3 %/:@?#"
	wrong := s.TCP(pgtest.Admin, secret, "postgres").String()
	query := "postgres://admin@127.0.0.1:1/db?password=" + url.QueryEscape(secret)
	for name, address := range map[string]string{
		"refused":                 wrong,
		"nobody listens":          "postgres://admin:" + url.QueryEscape(secret) + "@127.0.0.1:1/db",
		"as a parameter":          query,
		"a port that is none":     "postgres://admin:" + url.QueryEscape(secret) + "@127.0.0.1:x/db",
		"not escaped":             "postgres://admin:" + secret + "@127.0.0.1/db",
		"an sslmode that is none": wrong + "?sslmode=" + url.QueryEscape(secret),
		"a control character":     "postgres://admin:" + secret + "\x7f@127.0.0.1/db",
		"not PostgreSQL at all":   "mysql://admin:" + secret + "@127.0.0.1/db",
	} {
		_, err := Open(t.Context(), address, Options{})
		if err == nil {
			t.Errorf("%s: opened", name)
		}
		for _, text := range []string{texts(err), Place(address)} {
			for _, hidden := range []string{secret, url.QueryEscape(secret), "Tr0ub4dor", url.PathEscape(secret)} {
				if strings.Contains(text, hidden) {
					t.Errorf("%s: the password is in %q", name, text)
				}
			}
		}
	}
	if got, want := Place("postgres://me:pw@db.example/fw?sslmode=require&password=x"), "postgres://me@db.example:5432/fw"; got != want {
		t.Errorf("place %q, want %q", got, want)
	}
}

func TestWhatIsWrongWithADatabaseIsSaidWithAHint(t *testing.T) {
	s := pgtest.Shared(t)
	s.Exec(t, `CREATE ROLE guest LOGIN PASSWORD 'g'`, `CREATE DATABASE guest_db`, `CREATE SCHEMA songs`, `CREATE TABLE songs.titles (t text)`)
	foreign := s.URL("songs")
	newer := s.Fresh()
	open(t, newer)
	exec(t, newer, `INSERT INTO schema_version VALUES (99, 'later', now())`)
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := gone.Addr().String()
	gone.Close()
	for _, tc := range []struct {
		name, address string
		want          []string
		named         error
	}{
		{"nobody listens", "postgres://a@" + nobody + "/a", []string{"postgres://a@" + nobody + "/a", "refused", "hint: check that PostgreSQL runs"}, ledger.ErrUnreachable},
		{"no such host", "postgres://a@nowhere.invalid/a", []string{"nowhere.invalid", "hint: check that PostgreSQL runs"}, ledger.ErrUnreachable},
		{"wrong password", s.TCP("guest", "wrong", "postgres").String(), []string{"login was refused", "guest", "hint: check user and password"}, nil},
		{"no such user", s.TCP("nobody", "x", "postgres").String(), []string{"login was refused", "hint: check user and password"}, nil},
		{"no such database", s.TCP("guest", "g", "nowhere").String(), []string{"database is missing", `"nowhere"`, "hint: make the database first"}, nil},
		{"no right to make the schema", s.TCP("guest", "g", "guest_db").String(), []string{"no permission", "guest_db", "GRANT CREATE"}, nil},
		{"a server that only reads", s.Fresh() + "&default_transaction_read_only=on", []string{"read-only", "hint: this server only reads"}, nil},
		{"tables of another program", foreign, []string{"another program", "hint: leave search_path out"}, nil},
		{"a newer fwsync", newer, []string{"newer fwsync", "schema 99", "hint: upgrade"}, nil},
		{"not a URL of PostgreSQL", "mysql://a/b", []string{"does not begin with postgres://", "hint: write postgres://"}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Open(t.Context(), tc.address, Options{})
			for _, want := range tc.want {
				if err == nil || !strings.Contains(texts(err), want) {
					t.Errorf("error %s\nwant %q in it", texts(err), want)
				}
			}
			if tc.named != nil && !errors.Is(err, tc.named) {
				t.Errorf("error %v, want %v", err, tc.named)
			}
			if errors.Is(err, ledger.ErrCorrupt) || errors.Is(err, ledger.ErrLocked) || strings.Contains(texts(err), "\n\t") {
				t.Errorf("error %v claims more than it knows, or has lines", err)
			}
		})
	}
}

func TestASchemaThatSomebodyElseMadeIsEnough(t *testing.T) {
	s := pgtest.Shared(t)
	s.Exec(t, `CREATE ROLE modest LOGIN PASSWORD 'm'`, `CREATE SCHEMA fwsync AUTHORIZATION modest`)
	store := open(t, s.TCP("modest", "m", "postgres").String())
	if _, err := store.Add(t.Context(), []ledger.Decision{storetest.Full()}); err != nil {
		t.Fatal(err)
	}
}

func TestOpeningANewLedgerAtTheSameTimeGivesOneLedger(t *testing.T) {
	address := pgtest.Shared(t).Fresh()
	var running sync.WaitGroup
	for range 8 {
		running.Go(func() {
			s, err := Open(t.Context(), address, Options{})
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			if _, err := s.Add(t.Context(), []ledger.Decision{storetest.Block("192.0.2.1")}); err != nil {
				t.Error(err)
			}
		})
	}
	running.Wait()
	all, err := open(t, address).Decisions(t.Context(), time.Time{})
	if err != nil || len(all) != 8 {
		t.Errorf("%d decisions (error %v), want 8", len(all), err)
	}
}

func TestMigrationsAreAppliedInOrderAllOrNone(t *testing.T) {
	s := open(t, pgtest.Shared(t).Fresh())
	known := fstest.MapFS{}
	first, err := migrations.ReadFile("migrations/0001_ledger.sql")
	if err != nil {
		t.Fatal(err)
	}
	known["migrations/0001_ledger.sql"] = &fstest.MapFile{Data: first}
	last, err := schemaVersion(t.Context(), s.pool, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for i := 2; i <= last; i++ {
		known[fmt.Sprintf("migrations/%04d_x.sql", i)] = &fstest.MapFile{Data: []byte(`SELECT 1`)}
	}
	broken := maps.Clone(known)
	broken[fmt.Sprintf("migrations/%04d_x.sql", last+1)] = &fstest.MapFile{Data: []byte(`CREATE TABLE two (a int)`)}
	broken[fmt.Sprintf("migrations/%04d_x.sql", last+2)] = &fstest.MapFile{Data: []byte(`CREATE TABLE three (a int); CREATE TABLE nonsense`)}
	if err := migrate(t.Context(), s.pool, broken); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%04d_x.sql", last+2)) {
		t.Errorf("error %v, want it to name the file", err)
	}
	if version, err := schemaVersion(t.Context(), s.pool, 1000); err != nil || version != last {
		t.Errorf("version %d (error %v), want %d as before", version, err, last)
	}
	delete(broken, fmt.Sprintf("migrations/%04d_x.sql", last+2))
	for range 2 { // the second time there is nothing to do
		if err := migrate(t.Context(), s.pool, broken); err != nil {
			t.Fatal(err)
		}
	}
	exec(t, s, `INSERT INTO two VALUES (1)`)
	delete(broken, "migrations/0001_ledger.sql")
	if err := migrate(t.Context(), s.pool, broken); err == nil || !strings.Contains(err.Error(), "numbered 0001") {
		t.Errorf("error %v, want the gap in the numbers", err)
	}
}

func TestTheInstanceIsTheHostUnlessNamed(t *testing.T) {
	s, err := Open(t.Context(), pgtest.Shared(t).Fresh(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if host, err := os.Hostname(); err != nil || s.instance != host {
		t.Errorf("instance %q, want the host %q (error %v)", s.instance, host, err)
	}
}

// exec runs a statement in the schema of a store or a URL, past the store's methods.
func exec(t testing.TB, where any, statement string) {
	t.Helper()
	s, ok := where.(*Store)
	if !ok {
		s = open(t, where.(string))
	}
	if _, err := s.pool.Exec(context.WithoutCancel(t.Context()), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}
