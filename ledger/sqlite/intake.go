package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"fwsync/ledger"
)

// TakeIn implements ledger.Store.
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
		if in.Join {
			if err := join(ctx, tx, rows); err != nil {
				return err
			}
		}
		if err := save(ctx, tx, rows); err != nil {
			return err
		}
		for source, position := range in.Positions {
			const put = `INSERT INTO positions (instance, source, position) VALUES (?, ?, ?)
				ON CONFLICT (instance, source) DO UPDATE SET position = excluded.position`
			if _, err := tx.ExecContext(ctx, put, s.instance, source, string(position)); err != nil {
				return fmt.Errorf("saving the position of source %q: %w", source, err)
			}
		}
		if in.Windows == nil {
			return nil
		}
		const put = `INSERT INTO windows (instance, state) VALUES (?, ?)
			ON CONFLICT (instance) DO UPDATE SET state = excluded.state`
		_, err := tx.ExecContext(ctx, put, s.instance, in.Windows)
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
	rows, err := s.readers.QueryContext(ctx, `SELECT source, position FROM positions WHERE instance = ?`, s.instance)
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
	err := s.readers.QueryRowContext(ctx, `SELECT state FROM windows WHERE instance = ?`, s.instance).Scan(&state)
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
		d, err := d.Normal()
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
	insert, err := tx.PrepareContext(ctx, `INSERT INTO decisions (`+factColumns+`, `+revocationColumns+`, mark)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, random())`)
	if err != nil {
		return err
	}
	defer func() { _ = insert.Close() }()
	replace, err := tx.PrepareContext(ctx, replaceDecision)
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
		var starts, ends, firstSeen, lastSeen, madeAt, revokedAt sql.NullInt64
		err := replace.QueryRowContext(ctx, append(values, d.ID)...).Scan(&starts, &ends, &d.Attempt, &d.Score, &d.Count,
			&firstSeen, &lastSeen, &madeAt, &d.Lapses, &revokedAt, &d.RevokedBy, &d.RevokeReason)
		if errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("replacing decision %d: it does not exist", d.ID)
		}
		if err != nil {
			return err
		}
		d.Start, d.End, d.FirstSeen, d.LastSeen = toTime(starts), toTime(ends), toTime(firstSeen), toTime(lastSeen)
		d.MadeAt, d.RevokedAt = toTime(madeAt), toTime(revokedAt)
	}
	return nil
}

// replaceDecision merges with what is there, so that it does not matter how long ago
// the caller read it. NULL is no end for ends, and not known for the times seen. When it
// was made stays as it is; that it is not to lapse does too.
const replaceDecision = `UPDATE decisions SET
	mark = random(), verdict = ?1, prefix = ?2, prefix_key = ?3, reason = ?6, author = ?7, rule = ?8, evidence = ?14,
	starts = min(starts, ?4), ends = max(ends, ?5),
	attempt = max(attempt, ?9), score = max(score, ?10), hits = max(hits, ?11),
	first_seen = coalesce(min(first_seen, ?12), first_seen, ?12),
	last_seen = coalesce(max(last_seen, ?13), last_seen, ?13),
	lapses = min(lapses, ?16),
	revoked_at    = iif(revoked_at IS NULL, ?17, revoked_at),
	revoked_by    = iif(revoked_at IS NULL, ?18, revoked_by),
	revoke_reason = iif(revoked_at IS NULL, ?19, revoke_reason)
WHERE id = ?20
RETURNING starts, ends, attempt, score, hits, first_seen, last_seen, made_at, lapses, ` + revocationColumns

func saved(rows []pending) []ledger.Decision {
	decisions := make([]ledger.Decision, len(rows))
	for i, row := range rows {
		decisions[i] = row.decision
	}
	return decisions
}
