package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"fwsync/ledger"
)

const entryColumns = `plan_id, step, at, op, subject, outcome, request_id`

// UsePlan implements ledger.Store. Of any number of callers, in any number of
// processes, exactly one gets true for an id.
func (s *Store) UsePlan(ctx context.Context, p ledger.AppliedPlan) (bool, error) {
	if err := p.Check(); err != nil {
		return false, fmt.Errorf("recording a plan in ledger %q: %w", s.path, err)
	}
	var fresh bool
	err := s.change(ctx, "recording a plan in", func(tx *sql.Tx) error {
		const insert = `INSERT INTO plans (id, cloud, started_at, author, steps, detail) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (id) DO NOTHING`
		result, err := tx.ExecContext(ctx, insert, ledger.CleanText(p.ID), ledger.CleanText(p.Cloud), fromTime(p.StartedAt), ledger.CleanText(p.Author), p.Steps, detail(p))
		if err != nil {
			return err
		}
		added, err := result.RowsAffected()
		fresh = added == 1
		return err
	})
	return fresh && err == nil, err
}

// Record implements ledger.Store. An entry that is not "started" closes the
// started ones of the same plan and step.
func (s *Store) Record(ctx context.Context, e ledger.JournalEntry) error {
	if err := e.Check(); err != nil {
		return fmt.Errorf("recording a call in ledger %q: %w", s.path, err)
	}
	return s.change(ctx, "recording a call in", func(tx *sql.Tx) error {
		if e.Outcome != ledger.Started {
			const answered = `UPDATE journal SET open = 0 WHERE open = 1 AND plan_id = ? AND step = ?`
			if _, err := tx.ExecContext(ctx, answered, ledger.CleanText(e.PlanID), e.Step); err != nil {
				return err
			}
		}
		const insert = `INSERT INTO journal (` + entryColumns + `, open) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`
		_, err := tx.ExecContext(ctx, insert, ledger.CleanText(e.PlanID), e.Step, e.At.UnixMilli(),
			ledger.CleanText(e.Op), ledger.CleanText(e.Subject), ledger.CleanText(e.Outcome), ledger.CleanText(e.RequestID), e.Outcome == ledger.Started)
		return err
	})
}

// Journal implements ledger.Store.
func (s *Store) Journal(ctx context.Context, planID string) ([]ledger.JournalEntry, error) {
	return s.entries(ctx, `WHERE plan_id = ? ORDER BY seq`, planID)
}

// Unfinished implements ledger.Store.
func (s *Store) Unfinished(ctx context.Context) ([]ledger.JournalEntry, error) {
	return s.entries(ctx, `WHERE open = 1 ORDER BY seq`)
}

// Settle implements ledger.Store. The entries themselves stay in the journal as
// they were written.
func (s *Store) Settle(ctx context.Context, at time.Time) error {
	return s.change(ctx, "settling calls in", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE journal SET open = 0, settled_at = ? WHERE open = 1`, fromTime(at))
		return err
	})
}

// detail is a plan's, or NULL.
func detail(p ledger.AppliedPlan) any {
	if p.Detail == nil {
		return nil
	}
	return string(p.Detail)
}

func (s *Store) entries(ctx context.Context, where string, args ...any) ([]ledger.JournalEntry, error) {
	var entries []ledger.JournalEntry
	rows, err := s.readers.QueryContext(ctx, `SELECT seq, `+entryColumns+` FROM journal `+where, args...)
	err = each(rows, err, func(rows *sql.Rows) error {
		var e ledger.JournalEntry
		var at int64
		err := rows.Scan(&e.Seq, &e.PlanID, &e.Step, &at, &e.Op, &e.Subject, &e.Outcome, &e.RequestID)
		e.At = time.UnixMilli(at).UTC()
		entries = append(entries, e)
		return err
	})
	if err != nil {
		return nil, s.explain(ctx, "reading the journal of", err)
	}
	return entries, nil
}
