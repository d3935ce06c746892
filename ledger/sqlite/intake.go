package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"fwsync/ledger"
)

// TakeIn implements ledger.Store. Beyond its contract:
//
//   - A source that in.Positions does not name keeps its position, so a source that
//     was sick in this pass continues where it was.
//   - A replaced decision that somebody revoked in the meantime stays revoked; the
//     result shows it. An id that does not exist fails the whole intake.
func (s *Store) TakeIn(ctx context.Context, in ledger.Intake) ([]ledger.Decision, error) {
	rows, err := s.prepare(in.Decisions)
	if err != nil {
		return nil, err
	}
	for source, position := range in.Positions {
		if !json.Valid(position) {
			return nil, fmt.Errorf("taking into ledger %q: the position of source %q is not JSON", s.path, source)
		}
	}
	err = s.change(ctx, "taking into", func(tx *sql.Tx) error {
		if err := save(ctx, tx, rows); err != nil {
			return err
		}
		for source, position := range in.Positions {
			const put = `INSERT INTO positions (source, position) VALUES (?, ?)
				ON CONFLICT (source) DO UPDATE SET position = excluded.position`
			if _, err := tx.ExecContext(ctx, put, source, string(position)); err != nil {
				return fmt.Errorf("saving the position of source %q: %w", source, err)
			}
		}
		if in.Windows == nil {
			return nil
		}
		const put = `INSERT INTO windows (id, state) VALUES (1, ?)
			ON CONFLICT (id) DO UPDATE SET state = excluded.state`
		_, err := tx.ExecContext(ctx, put, in.Windows)
		return err
	})
	if err != nil {
		return nil, err
	}
	return saved(rows), nil
}

// Positions implements ledger.Store. The map is never nil.
func (s *Store) Positions(ctx context.Context) (map[string]json.RawMessage, error) {
	positions := map[string]json.RawMessage{}
	rows, err := s.readers.QueryContext(ctx, `SELECT source, position FROM positions`)
	err = each(rows, err, func(rows *sql.Rows) error {
		var source string
		var position []byte
		err := rows.Scan(&source, &position)
		positions[source] = position
		return err
	})
	if err != nil {
		return nil, s.explain(ctx, "reading positions from", err)
	}
	return positions, nil
}

// Windows implements ledger.Store.
func (s *Store) Windows(ctx context.Context) ([]byte, error) {
	var state []byte
	err := s.readers.QueryRowContext(ctx, `SELECT state FROM windows`).Scan(&state)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, s.explain(ctx, "reading windows from", err)
	}
	return state, nil
}

// pending is a decision on its way into the table.
type pending struct {
	decision ledger.Decision
	facts    []any // the values of factColumns
}

// prepare does all that can be done before the file is locked.
func (s *Store) prepare(decisions []ledger.Decision) ([]pending, error) {
	rows := make([]pending, len(decisions))
	for i, d := range decisions {
		d, err := normal(d)
		if err == nil && d.ID < 0 {
			err = fmt.Errorf("decision about %s has the negative id %d", d.Prefix, d.ID)
		}
		if err == nil {
			rows[i].decision = d
			rows[i].facts, err = encode(d)
		}
		if err != nil {
			return nil, fmt.Errorf("saving in ledger %q: %w", s.path, err)
		}
	}
	return rows, nil
}

// save inserts or replaces the rows in their order and gives them their ids.
func save(ctx context.Context, tx *sql.Tx, rows []pending) error {
	insert, err := tx.PrepareContext(ctx, `INSERT INTO decisions (`+factColumns+`, `+revocationColumns+`)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	defer func() { _ = insert.Close() }()
	replace, err := tx.PrepareContext(ctx, `UPDATE decisions
		SET (`+factColumns+`) = (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15),
			revoked_at    = iif(revoked_at IS NULL, ?16, revoked_at),
			revoked_by    = iif(revoked_at IS NULL, ?17, revoked_by),
			revoke_reason = iif(revoked_at IS NULL, ?18, revoke_reason)
		WHERE id = ?19 RETURNING `+revocationColumns)
	if err != nil {
		return err
	}
	defer func() { _ = replace.Close() }()

	for i := range rows {
		d := &rows[i].decision
		values := append(rows[i].facts, encodeRevocation(*d)...)
		if d.ID == 0 {
			result, err := insert.ExecContext(ctx, values...)
			if err != nil {
				return err
			}
			if d.ID, err = result.LastInsertId(); err != nil {
				return err
			}
			continue
		}
		var revokedAt sql.NullInt64
		err := replace.QueryRowContext(ctx, append(values, d.ID)...).Scan(&revokedAt, &d.RevokedBy, &d.RevokeReason)
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("replacing decision %d: it does not exist", d.ID)
		}
		if err != nil {
			return err
		}
		d.RevokedAt = toTime(revokedAt)
	}
	return nil
}

func saved(rows []pending) []ledger.Decision {
	decisions := make([]ledger.Decision, len(rows))
	for i, row := range rows {
		decisions[i] = row.decision
	}
	return decisions
}
