package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"fwsync/ledger"
)

// Decisions implements ledger.Store. Oldest first means by start, then by id.
func (s *Store) Decisions(ctx context.Context, endsAfter time.Time) (decisions []ledger.Decision, err error) {
	if endsAfter.IsZero() {
		decisions, err = s.all(ctx)
	} else {
		// The condition repeats the index decisions_in_force word for word.
		const inForce = ` WHERE revoked_at IS NULL AND ifnull(ends, 9223372036854775807) > ?`
		var found []ledger.Stored
		rows, failed := s.readers.QueryContext(ctx, `SELECT `+readColumns+` FROM decisions`+inForce, endsAfter.UnixMilli())
		if err = eachStored(rows, failed, func(row ledger.Stored) { found = append(found, row) }); err == nil {
			decisions, err = ledger.Decode(found)
		}
	}
	if err != nil {
		return nil, s.explain(ctx, "reading decisions from", err)
	}
	return decisions, nil
}

// all reads every decision, or what has changed since it did so last.
func (s *Store) all(ctx context.Context) ([]ledger.Decision, error) {
	tx, err := s.readers.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }()
	marks := func() (marks []ledger.Mark, err error) {
		rows, err := tx.QueryContext(ctx, `SELECT id, ifnull(mark, 0) FROM decisions`)
		err = each(rows, err, func(rows *sql.Rows) error {
			var m ledger.Mark
			defer func() { marks = append(marks, m) }()
			return rows.Scan(&m.ID, &m.Of)
		})
		return marks, err
	}
	return s.recall.Decisions(time.Now(), marks, func(ids []int64) (*ledger.Rows, error) {
		found, query, args := new(ledger.Rows), `SELECT `+readColumns+` FROM decisions`, []any(nil)
		if ids == nil {
			n := 0
			if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM decisions`).Scan(&n); err != nil {
				return nil, err
			}
			found.Grow(n)
		} else {
			list, err := json.Marshal(ids)
			if err != nil {
				return nil, err
			}
			query, args = query+` WHERE id IN (SELECT value FROM json_each(?))`, []any{string(list)}
		}
		rows, err := tx.QueryContext(ctx, query, args...)
		return found, eachStored(rows, err, found.Add)
	})
}

// eachStored hands over every row of readColumns.
func eachStored(rows *sql.Rows, err error, to func(ledger.Stored)) error {
	return each(rows, err, func(rows *sql.Rows) error {
		row, err := scan(rows)
		if err == nil {
			to(row)
		}
		return err
	})
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
			SET revoked_at = ?1, revoked_by = ?2, revoke_reason = ?3, mark = random()
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
