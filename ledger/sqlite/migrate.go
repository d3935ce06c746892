package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
)

//go:embed migrations/*.sql
var migrations embed.FS

const migrationFiles = "migrations/*.sql"

// errForeign is a healthy SQLite file that some other program made.
var errForeign = errors.New("it is a database of another program, not a ledger")

// migrate brings the schema up to the last of the files migrations/NNNN_name.sql,
// numbered from 0001 without a gap. All missing ones are applied in a single
// transaction, so a failure leaves the version that was there. A version above
// the last file is refused. Nothing is written when there is nothing to do.
func migrate(ctx context.Context, db *sql.DB, files fs.FS) error {
	names, err := fs.Glob(files, migrationFiles)
	if err != nil {
		return fmt.Errorf("listing migrations: %w", err)
	}
	for i, name := range names {
		var number int
		if _, err := fmt.Sscanf(name, "migrations/%04d_", &number); err != nil || number != i+1 {
			return fmt.Errorf("migration %q must be numbered %04d", name, i+1)
		}
	}
	version, err := schemaVersion(ctx, db, len(names))
	if err != nil || version == len(names) {
		return err
	}

	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("migrating: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // after the commit it does nothing
	// Another process may have migrated while this one waited for the lock.
	if version, err = schemaVersion(ctx, tx, len(names)); err != nil {
		return err
	}
	const table = `CREATE TABLE IF NOT EXISTS schema_version (
		version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT`
	if _, err := tx.ExecContext(ctx, table); err != nil {
		return fmt.Errorf("migrating: %w", err)
	}
	for i, name := range names[version:] {
		text, err := fs.ReadFile(files, name)
		if err != nil {
			return fmt.Errorf("reading migration: %w", err)
		}
		if _, err := tx.ExecContext(ctx, string(text)); err != nil {
			return fmt.Errorf("applying migration %q: %w", name, err)
		}
		const record = `INSERT INTO schema_version (version, name, applied_at)
			VALUES (?, ?, CAST(unixepoch('subsec') * 1000 AS INTEGER))`
		if _, err := tx.ExecContext(ctx, record, version+i+1, name); err != nil {
			return fmt.Errorf("recording migration %q: %w", name, err)
		}
	}
	return tx.Commit()
}

type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// schemaVersion is 0 for a database without any table.
func schemaVersion(ctx context.Context, db queryer, known int) (int, error) {
	var ours, all, version int
	const tables = `SELECT count(*) FILTER (WHERE name = 'schema_version'), count(*) FROM sqlite_schema`
	if err := db.QueryRowContext(ctx, tables).Scan(&ours, &all); err != nil {
		return 0, err
	}
	switch {
	case all == 0:
		return 0, nil
	case ours == 0:
		return 0, errForeign
	}
	const last = `SELECT ifnull(max(version), 0) FROM schema_version`
	if err := db.QueryRowContext(ctx, last).Scan(&version); err != nil {
		return 0, err
	}
	if version > known {
		return 0, fmt.Errorf("it was written by a newer fwsync (schema %d, this one knows up to %d): upgrade fwsync",
			version, known)
	}
	return version, nil
}
