package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"fwsync/ledger"

	"github.com/jackc/pgx/v5"
)

// bulk is the number of new rows from which the planner should hear of them at once.
const bulk = 10_000

// TakeIn implements ledger.Store.
func (s *Store) TakeIn(ctx context.Context, in ledger.Intake) ([]ledger.Decision, error) {
	rows, err := s.prepare(in.Decisions)
	if err != nil {
		return nil, err
	}
	for source, position := range in.Positions {
		if !json.Valid(position) {
			return nil, fmt.Errorf("taking into ledger %q: the position of source %q is not JSON", s.place, source)
		}
	}
	err = s.change(ctx, "taking into", func(ctx context.Context, tx pgx.Tx) error {
		if in.Join {
			if err := join(ctx, tx, rows); err != nil {
				return err
			}
		}
		if err := save(ctx, tx, rows); err != nil {
			return err
		}
		puts := &pgx.Batch{}
		for source, position := range in.Positions {
			puts.Queue(`INSERT INTO positions (instance, source, position) VALUES ($1, $2, $3)
				ON CONFLICT (instance, source) DO UPDATE SET position = excluded.position`,
				s.instance, ledger.CleanText(source), string(position))
		}
		if in.Windows != nil {
			puts.Queue(`INSERT INTO windows (instance, state) VALUES ($1, $2)
				ON CONFLICT (instance) DO UPDATE SET state = excluded.state`, s.instance, in.Windows)
		}
		return tx.SendBatch(ctx, puts).Close()
	})
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// Positions implements ledger.Store.
func (s *Store) Positions(ctx context.Context) (map[string]json.RawMessage, error) {
	positions := map[string]json.RawMessage{}
	err := s.read(ctx, "reading positions from", `SELECT source, position FROM positions WHERE instance = $1`, []any{s.instance},
		func() { clear(positions) }, func(rows pgx.Row) error {
			var source, position string
			err := rows.Scan(&source, &position)
			positions[source] = json.RawMessage(position)
			return err
		})
	if err != nil {
		return nil, err
	}
	return positions, nil
}

// Windows implements ledger.Store.
func (s *Store) Windows(ctx context.Context) ([]byte, error) {
	var state []byte
	err := s.read(ctx, "reading windows from", `SELECT state FROM windows WHERE instance = $1`, []any{s.instance},
		func() { state = nil }, func(rows pgx.Row) error { return rows.Scan(&state) })
	if err != nil {
		return nil, err
	}
	return state, nil
}

// prepare does all that can be done before a transaction begins.
func (s *Store) prepare(decisions []ledger.Decision) ([]ledger.Decision, error) {
	rows := make([]ledger.Decision, len(decisions))
	for i, d := range decisions {
		d, err := d.Normal()
		if err != nil {
			return nil, fmt.Errorf("saving in ledger %q: %w", s.place, err)
		}
		rows[i] = d
	}
	return rows, nil
}

// save copies the new rows in, with rising ids, and merges the others in their order.
func save(ctx context.Context, tx pgx.Tx, rows []ledger.Decision) error {
	var added, merged []*ledger.Decision
	for i := range rows {
		if rows[i].ID == 0 {
			added = append(added, &rows[i])
		} else {
			merged = append(merged, &rows[i])
		}
	}
	if len(merged) > 0 {
		if err := oneAtATime(ctx, tx); err != nil {
			return err
		}
		if err := merge(ctx, tx, merged); err != nil {
			return err
		}
	}
	if len(added) == 0 {
		return nil
	}
	ids, err := tx.Query(ctx, `SELECT nextval('decision_ids') FROM generate_series(1, $1)`, len(added))
	if err != nil {
		return err
	}
	i := 0
	if err := each(ids, func(row pgx.Row) error { i++; return row.Scan(&added[i-1].ID) }); err != nil {
		return err
	}
	copied := pgx.CopyFromSlice(len(added), func(i int) ([]any, error) { return encode(*added[i]) })
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"decisions"}, columns, copied); err != nil {
		return err
	}
	if len(added) < bulk {
		return nil
	}
	_, err = tx.Exec(ctx, `ANALYZE decisions`)
	return err
}

// mergeDecision merges with what is there, so that it does not matter how long ago the
// caller read it. greatest and least leave NULL out: right for the times seen. When it
// was made stays as it is; that it is not to lapse does too.
const mergeDecision = `UPDATE decisions SET
	mark = DEFAULT, verdict = $2, prefix = $3, prefix_key = $4, reason = $7, author = $8, rule = $9, evidence = $15,
	starts = CASE WHEN starts IS NULL OR $5::bigint IS NULL THEN NULL ELSE least(starts, $5) END,
	ends   = CASE WHEN ends   IS NULL OR $6::bigint IS NULL THEN NULL ELSE greatest(ends, $6) END,
	attempt = greatest(attempt, $10), score = greatest(score, $11), hits = greatest(hits, $12),
	first_seen = least(first_seen, $13), last_seen = greatest(last_seen, $14), lapses = lapses AND $19,
	revoked_at    = CASE WHEN revoked_at IS NULL THEN $16 ELSE revoked_at END,
	revoked_by    = CASE WHEN revoked_at IS NULL THEN $17 ELSE revoked_by END,
	revoke_reason = CASE WHEN revoked_at IS NULL THEN $18 ELSE revoke_reason END
WHERE id = $1 RETURNING ` + readColumns

func merge(ctx context.Context, tx pgx.Tx, rows []*ledger.Decision) error {
	batch := &pgx.Batch{}
	for _, d := range rows {
		values, err := encode(*d)
		if err != nil {
			return err
		}
		batch.Queue(mergeDecision, values[:len(values)-1]...).QueryRow(func(row pgx.Row) error {
			now, err := scan(row)
			if errors.Is(err, pgx.ErrNoRows) {
				return fmt.Errorf("replacing decision %d: it does not exist", d.ID)
			}
			now.Decision.Evidence, now.Decision.Counters = d.Evidence, d.Counters
			*d = now.Decision
			return err
		})
	}
	return tx.SendBatch(ctx, batch).Close()
}
