package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed migrations/*.sql
var migrations embed.FS

const migrationFiles = "migrations/*.sql"

// The keys of the advisory locks, which belong to the whole database: one for each
// thing that only one process does at a time. The first half says that they are ours.
const (
	lockMigrate = 0x66777379<<32 | 1
	lockIntake  = 0x66777379<<32 | 2
)

// migrate brings the schema up to the last of the files migrations/NNNN_name.sql,
// numbered from 0001 without a gap. All missing ones are applied in a single
// transaction, by one process at a time. A version above the last file is refused.
// Nothing is written when there is nothing to do.
func migrate(ctx context.Context, pool *pgxpool.Pool, files fs.FS) error {
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
	version, err := schemaVersion(ctx, pool, len(names))
	if err != nil || version == len(names) {
		return err
	}
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(lockMigrate)); err != nil {
			return err
		}
		// Another process may have migrated while this one waited for the lock.
		if version, err = schemaVersion(ctx, tx, len(names)); err != nil || version == len(names) {
			return err
		}
		if err := makeSchema(ctx, tx); err != nil {
			return err
		}
		const table = `CREATE TABLE IF NOT EXISTS schema_version (
			version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL)`
		if _, err := tx.Exec(ctx, table); err != nil {
			return err
		}
		for i, name := range names[version:] {
			text, err := fs.ReadFile(files, name)
			if err != nil {
				return fmt.Errorf("reading migration: %w", err)
			}
			if _, err := tx.Exec(ctx, string(text)); err != nil {
				return fmt.Errorf("applying migration %q: %w", name, err)
			}
			const record = `INSERT INTO schema_version (version, name, applied_at) VALUES ($1, $2, now())`
			if _, err := tx.Exec(ctx, record, version+i+1, name); err != nil {
				return fmt.Errorf("recording migration %q: %w", name, err)
			}
		}
		return nil
	})
}

// makeSchema makes the first schema of the search path, if there is none of its names.
func makeSchema(ctx context.Context, tx pgx.Tx) error {
	var there bool
	var wanted string
	const first = `SELECT current_schema() IS NOT NULL, trim('"' FROM trim(split_part(current_setting('search_path'), ',', 1)))`
	if err := tx.QueryRow(ctx, first).Scan(&there, &wanted); err != nil || there {
		return err
	}
	_, err := tx.Exec(ctx, `CREATE SCHEMA `+pgx.Identifier{wanted}.Sanitize())
	return err
}

type queryer interface {
	QueryRow(ctx context.Context, query string, args ...any) pgx.Row
}

// schemaVersion is 0 for a schema that is missing or has no table.
func schemaVersion(ctx context.Context, db queryer, known int) (int, error) {
	var ours, all, version int
	const tables = `SELECT count(*) FILTER (WHERE tablename = 'schema_version'), count(*)
		FROM pg_tables WHERE schemaname = current_schema()`
	if err := db.QueryRow(ctx, tables).Scan(&ours, &all); err != nil {
		return 0, err
	}
	switch {
	case all == 0:
		return 0, nil
	case ours == 0:
		return 0, &failure{
			text: "its schema has tables of another program and no ledger", cause: errors.New("foreign schema"),
			hint: "leave search_path out of the URL, or name a schema there that may be made",
		}
	}
	const last = `SELECT coalesce(max(version), 0) FROM schema_version`
	if err := db.QueryRow(ctx, last).Scan(&version); err != nil {
		return 0, err
	}
	if version > known {
		return 0, &failure{
			text: fmt.Sprintf("it was written by a newer fwsync (schema %d, this one knows up to %d)", version, known), cause: errors.New("newer schema"),
			hint: "upgrade fwsync on this host; the ledger was left as it is",
		}
	}
	return version, nil
}
