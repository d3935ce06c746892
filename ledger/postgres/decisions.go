package postgres

import (
	"context"
	"fmt"
	"time"

	"fwsync/ledger"

	"github.com/jackc/pgx/v5"
)

// Decisions implements ledger.Store. Oldest first means by start, then by id.
func (s *Store) Decisions(ctx context.Context, endsAfter time.Time) ([]ledger.Decision, error) {
	if endsAfter.IsZero() {
		return s.all(ctx)
	}
	// The condition repeats the index decisions_in_force word for word.
	const query = `SELECT ` + readColumns + ` FROM decisions WHERE revoked_at IS NULL AND coalesce(ends, 9223372036854775807) > $1`
	var found []ledger.Stored
	err := s.read(ctx, "reading decisions from", query, []any{endsAfter.UnixMilli()}, func() { found = nil }, func(row pgx.Row) error {
		one, err := scan(row)
		found = append(found, one)
		return err
	})
	if err != nil {
		return nil, err
	}
	decisions, err := ledger.Decode(found)
	return decisions, s.explain(ctx, "reading decisions from", err)
}

// all reads every decision, or what has changed since it did so last.
func (s *Store) all(ctx context.Context) (decisions []ledger.Decision, err error) {
	still := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly} // both readings see the same
	err = s.within(ctx, "reading decisions from", func(ctx context.Context) error {
		return s.again(ctx, func() error {
			return pgx.BeginTxFunc(ctx, s.pool, still, func(tx pgx.Tx) (err error) {
				decisions, err = s.recall.Decisions(time.Now(), func() (marks []ledger.Mark, err error) {
					rows, err := tx.Query(ctx, `SELECT id, coalesce(mark, 0) FROM decisions`)
					if err != nil {
						return nil, err
					}
					return pgx.CollectRows(rows, pgx.RowToStructByPos[ledger.Mark])
				}, func(ids []int64) (*ledger.Rows, error) {
					found, query, args := new(ledger.Rows), `SELECT `+readColumns+` FROM decisions`, []any(nil)
					if ids != nil {
						query, args = query+` WHERE id = ANY($1)`, []any{ids}
					}
					rows, err := tx.Query(ctx, query, args...)
					if err != nil {
						return nil, err
					}
					return found, each(rows, func(row pgx.Row) error {
						one, err := scan(row)
						if err == nil {
							found.Add(one)
						}
						return err
					})
				})
				return err
			})
		})
	})
	return decisions, err
}

// Add implements ledger.Store. A decision that has an id already is refused: only
// TakeIn replaces.
func (s *Store) Add(ctx context.Context, decisions []ledger.Decision) ([]ledger.Decision, error) {
	for _, d := range decisions {
		if d.ID != 0 {
			return nil, fmt.Errorf("adding decisions to ledger %q: the one about %s has the id %d already", s.place, d.Prefix, d.ID)
		}
	}
	rows, err := s.prepare(decisions)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	err = s.change(ctx, "adding decisions to", func(ctx context.Context, tx pgx.Tx) error { return save(ctx, tx, rows) })
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// Revoke implements ledger.Store. Active means active at r.At, which must not be
// zero: a decision that starts later stays.
func (s *Store) Revoke(ctx context.Context, r ledger.Revocation) ([]ledger.Decision, error) {
	if r.At.IsZero() {
		return nil, fmt.Errorf("revoking decisions in ledger %q: the time is missing", s.place)
	}
	keys := make([][]byte, len(r.Prefixes))
	for i, p := range r.Prefixes {
		if err := ledger.CheckPrefix(p); err != nil {
			return nil, fmt.Errorf("revoking decisions in ledger %q: %w", s.place, err)
		}
		keys[i] = ledger.SortKey(p)
	}
	var revoked []ledger.Decision
	err := s.change(ctx, "revoking decisions in", func(ctx context.Context, tx pgx.Tx) error {
		// One intake or revocation at a time: they lock many rows, each in its own order.
		if err := oneAtATime(ctx, tx); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `UPDATE decisions
			SET revoked_at = $1, revoked_by = $2, revoke_reason = $3, mark = DEFAULT
			WHERE prefix_key = ANY($4) AND verdict = $5 AND revoked_at IS NULL
				AND (starts IS NULL OR starts <= $1) AND (ends IS NULL OR $1 < ends)
			RETURNING `+readColumns, r.At.UnixMilli(), ledger.CleanText(r.By), ledger.CleanText(r.Reason), keys, string(r.Verdict))
		if err != nil {
			return err
		}
		var found []ledger.Stored
		err = each(rows, func(rows pgx.Row) error {
			row, err := scan(rows)
			found = append(found, row)
			return err
		})
		if err != nil {
			return err
		}
		revoked, err = ledger.Decode(found)
		return err
	})
	if err != nil {
		return nil, err
	}
	return revoked, nil
}

// oneAtATime holds back others that change decisions which exist, until the end of
// the transaction.
func oneAtATime(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(lockIntake))
	return err
}
