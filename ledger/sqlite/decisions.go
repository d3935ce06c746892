package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"fwsync/ledger"
)

// Decisions implements ledger.Store. Oldest first means by start, then by id.
func (s *Store) Decisions(ctx context.Context, endsAfter time.Time) ([]ledger.Decision, error) {
	query, args := `SELECT `+readColumns+` FROM decisions`, []any(nil)
	if !endsAfter.IsZero() {
		// The condition repeats the index decisions_in_force word for word.
		query += ` WHERE revoked_at IS NULL AND ifnull(ends, 9223372036854775807) > ?`
		args = append(args, endsAfter.UnixMilli())
	}
	var found []ledger.Stored
	rows, err := s.readers.QueryContext(ctx, query, args...)
	err = each(rows, err, func(rows *sql.Rows) error {
		row, err := scan(rows)
		found = append(found, row)
		return err
	})
	var decisions []ledger.Decision
	if err == nil {
		decisions, err = ledger.Decode(found)
	}
	if err != nil {
		return nil, s.explain(ctx, "reading decisions from", err)
	}
	return decisions, nil
}

// Add implements ledger.Store. A decision that has an id already is refused: only
// TakeIn replaces.
func (s *Store) Add(ctx context.Context, decisions []ledger.Decision) ([]ledger.Decision, error) {
	for _, d := range decisions {
		if d.ID != 0 {
			return nil, fmt.Errorf("adding decisions to ledger %q: the one about %s has the id %d already", s.path, d.Prefix, d.ID)
		}
	}
	rows, err := s.prepare(decisions)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	err = s.change(ctx, "adding decisions to", func(tx *sql.Tx) error { return save(ctx, tx, rows) })
	if err != nil {
		return nil, err
	}
	return saved(rows), nil
}

// Revoke implements ledger.Store. Active means active at r.At, which must not be
// zero: a decision that starts later stays.
func (s *Store) Revoke(ctx context.Context, r ledger.Revocation) ([]ledger.Decision, error) {
	if r.At.IsZero() {
		return nil, fmt.Errorf("revoking decisions in ledger %q: the time is missing", s.path)
	}
	for _, p := range r.Prefixes {
		if err := ledger.CheckPrefix(p); err != nil {
			return nil, fmt.Errorf("revoking decisions in ledger %q: %w", s.path, err)
		}
	}
	var revoked []ledger.Decision
	err := s.change(ctx, "revoking decisions in", func(tx *sql.Tx) error {
		stmt, err := tx.PrepareContext(ctx, `UPDATE decisions
			SET revoked_at = ?1, revoked_by = ?2, revoke_reason = ?3
			WHERE prefix_key = ?4 AND verdict = ?5 AND revoked_at IS NULL
				AND (starts IS NULL OR starts <= ?1) AND (ends IS NULL OR ?1 < ends)
			RETURNING `+readColumns)
		if err != nil {
			return err
		}
		defer func() { _ = stmt.Close() }()
		var found []ledger.Stored
		at, by, reason := r.At.UnixMilli(), ledger.CleanText(r.By), ledger.CleanText(r.Reason)
		for _, p := range r.Prefixes {
			rows, err := stmt.QueryContext(ctx, at, by, reason, ledger.SortKey(p), string(r.Verdict))
			err = each(rows, err, func(rows *sql.Rows) error {
				row, err := scan(rows)
				found = append(found, row)
				return err
			})
			if err != nil {
				return err
			}
		}
		revoked, err = ledger.Decode(found)
		return err
	})
	if err != nil {
		return nil, err
	}
	return revoked, nil
}
