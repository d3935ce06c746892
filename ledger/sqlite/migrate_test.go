package sqlite

import (
	"database/sql"
	"encoding/json"
	"maps"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"fwsync/ledger"
	"fwsync/ledger/storetest"
)

func raw(t *testing.T, path string) *sql.DB {
	t.Helper()
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := connect(path, "rw", DefaultBusyTimeout, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// tables lists what is in the schema, with its version.
func tables(t *testing.T, db *sql.DB) string {
	t.Helper()
	var names string
	const query = `SELECT ifnull(group_concat(name, ' '), '') FROM (SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name)`
	if err := db.QueryRowContext(t.Context(), query).Scan(&names); err != nil {
		t.Fatal(err)
	}
	return names
}

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }

func TestMigrationsAreAppliedInOrderFromWhereTheFileIs(t *testing.T) {
	db := raw(t, newPath(t))
	files := fstest.MapFS{
		"migrations/0001_one.sql": file(`CREATE TABLE one (a); INSERT INTO one VALUES ('first');`),
	}
	if err := migrate(t.Context(), db, files); err != nil {
		t.Fatal(err)
	}
	files["migrations/0002_two.sql"] = file(`CREATE TABLE two AS SELECT a || '+' AS a FROM one;`)
	files["migrations/0003_three.sql"] = file(`DROP TABLE one; CREATE TABLE three AS SELECT a || '!' AS a FROM two;`)
	for range 2 { // the second time there is nothing to do
		if err := migrate(t.Context(), db, files); err != nil {
			t.Fatal(err)
		}
	}
	if got := tables(t, db); got != "schema_version three two" {
		t.Errorf("tables %q", got)
	}
	var value, history string
	if err := db.QueryRow(`SELECT a FROM three`).Scan(&value); err != nil || value != "first+!" {
		t.Errorf("value %q, error %v", value, err)
	}
	if err := db.QueryRow(`SELECT group_concat(version || name, ' ') FROM schema_version WHERE applied_at > 1e12`).Scan(&history); err != nil ||
		history != "1migrations/0001_one.sql 2migrations/0002_two.sql 3migrations/0003_three.sql" {
		t.Errorf("history %q, error %v", history, err)
	}
}

func TestAFailingMigrationLeavesTheVersionThatWasThere(t *testing.T) {
	db := raw(t, newPath(t))
	files := fstest.MapFS{"migrations/0001_one.sql": file(`CREATE TABLE one (a);`)}
	if err := migrate(t.Context(), db, files); err != nil {
		t.Fatal(err)
	}
	broken := maps.Clone(files)
	broken["migrations/0002_two.sql"] = file(`CREATE TABLE two (a);`)
	broken["migrations/0003_bad.sql"] = file(`DROP TABLE one; CREATE TABLE nonsense`)
	err := migrate(t.Context(), db, broken)
	if err == nil || !strings.Contains(err.Error(), "0003_bad.sql") {
		t.Errorf("error %v, want it to name the file", err)
	}
	if got := tables(t, db); got != "one schema_version" {
		t.Errorf("tables %q, want those of version 1", got)
	}
	if err := migrate(t.Context(), db, files); err != nil {
		t.Errorf("version 1 no longer opens: %v", err)
	}
}

func TestMigrationsMustBeNumberedWithoutAGap(t *testing.T) {
	for _, names := range [][]string{{"0002_a"}, {"0001_a", "0003_b"}, {"0001_a", "0001_b"}, {"first_a"}} {
		files := fstest.MapFS{}
		for _, name := range names {
			files["migrations/"+name+".sql"] = file(`SELECT 1`)
		}
		if err := migrate(t.Context(), raw(t, newPath(t)), files); err == nil {
			t.Errorf("%v were accepted", names)
		}
	}
}

func TestADatabaseOfVersion0BecomesALedger(t *testing.T) {
	path := newPath(t)
	db := raw(t, path)
	if _, err := db.Exec(`CREATE TABLE x (a); DROP TABLE x`); err != nil { // a healthy file with nothing in it
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	if _, err := s.Add(t.Context(), []ledger.Decision{storetest.Full()}); err != nil {
		t.Fatal(err)
	}
}

func TestALedgerOfANewerVersionIsRefusedAndLeftAsItIs(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	if _, err := s.writer.Exec(`INSERT INTO schema_version VALUES (99, 'later', 0)`); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	before := folder(t, path)
	_, err := Open(t.Context(), path, Options{})
	for _, want := range []string{path, "newer fwsync", "schema 99", "upgrade"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
	if after := folder(t, path); !maps.Equal(after, before) {
		t.Error("the file was changed")
	}
}

// A ledger that an earlier version made gets its new tables when it is opened, and
// keeps what it has; where its logs were read to belongs to the instance without a name.
func TestALedgerOfVersion1IsBroughtUpToDate(t *testing.T) {
	path := newPath(t)
	first, err := migrations.ReadFile("migrations/0001_ledger.sql")
	if err != nil {
		t.Fatal(err)
	}
	db := raw(t, path)
	if err := migrate(t.Context(), db, fstest.MapFS{"migrations/0001_ledger.sql": file(string(first))}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`INSERT INTO plans VALUES ('old', 0, 'me', 3);
		INSERT INTO positions VALUES ('mail.log', '{"offset":7}'); INSERT INTO windows VALUES (1, CAST('state' AS BLOB))`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	if err := s.KeepGaps(t.Context(), "", []ledger.Gap{storetest.Gap("net", "a", storetest.Noon)}); err != nil {
		t.Fatal(err)
	}
	storetest.CheckIntake(t, s, nil, map[string]json.RawMessage{"mail.log": json.RawMessage(`{"offset":7}`)}, []byte("state"))
	if fresh, err := s.UsePlan(t.Context(), ledger.AppliedPlan{ID: "old", StartedAt: storetest.Noon}); err != nil || fresh {
		t.Errorf("the plan used before counts as fresh: %v, %v", fresh, err)
	}
}
