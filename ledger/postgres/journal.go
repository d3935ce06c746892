package postgres

import (
	"context"
	"fmt"
	"time"

	"fwsync/ledger"

	"github.com/jackc/pgx/v5"
)

const entryColumns = `plan_id, step, at, op, subject, outcome, request_id`

// UsePlan implements ledger.Store. Of any number of callers, on any number of hosts,
// exactly one gets true for an id.
func (s *Store) UsePlan(ctx context.Context, p ledger.AppliedPlan) (bool, error) {
	if err := p.Check(); err != nil {
		return false, fmt.Errorf("recording a plan in ledger %q: %w", s.place, err)
	}
	var first bool
	err := s.change(ctx, "recording a plan in", func(ctx context.Context, tx pgx.Tx) error {
		done, err := tx.Exec(ctx, `INSERT INTO plans (id, cloud, started_at, author, steps, detail) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (id) DO NOTHING`, ledger.CleanText(p.ID), ledger.CleanText(p.Cloud), fromTime(p.StartedAt), ledger.CleanText(p.Author), p.Steps, detail(p))
		first = done.RowsAffected() == 1
		return err
	})
	return first && err == nil, err
}

// Record implements ledger.Store. An entry that is not "started" closes the
// started ones of the same plan and step.
func (s *Store) Record(ctx context.Context, e ledger.JournalEntry) error {
	if err := e.Check(); err != nil {
		return fmt.Errorf("recording a call in ledger %q: %w", s.place, err)
	}
	plan := ledger.CleanText(e.PlanID)
	return s.change(ctx, "recording a call in", func(ctx context.Context, tx pgx.Tx) error {
		batch := &pgx.Batch{}
		if e.Outcome != ledger.Started {
			batch.Queue(`UPDATE journal SET open = false WHERE open AND plan_id = $1 AND step = $2`, plan, e.Step)
		}
		batch.Queue(`INSERT INTO journal (`+entryColumns+`, open) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, plan, e.Step, e.At.UnixMilli(),
			ledger.CleanText(e.Op), ledger.CleanText(e.Subject), ledger.CleanText(e.Outcome), ledger.CleanText(e.RequestID), e.Outcome == ledger.Started)
		return tx.SendBatch(ctx, batch).Close()
	})
}

// Journal implements ledger.Store.
func (s *Store) Journal(ctx context.Context, planID string) ([]ledger.JournalEntry, error) {
	return s.entries(ctx, `WHERE plan_id = $1 ORDER BY seq`, planID)
}

// Unfinished implements ledger.Store.
func (s *Store) Unfinished(ctx context.Context) ([]ledger.JournalEntry, error) {
	return s.entries(ctx, `WHERE open ORDER BY seq`)
}

// Settle implements ledger.Store. The entries themselves stay in the journal as
// they were written.
func (s *Store) Settle(ctx context.Context, at time.Time) error {
	return s.change(ctx, "settling calls in", func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE journal SET open = false, settled_at = $1 WHERE open`, fromTime(at))
		return err
	})
}

// detail is a plan's, or NULL.
func detail(p ledger.AppliedPlan) *string {
	if p.Detail == nil {
		return nil
	}
	text := string(p.Detail)
	return &text
}

func (s *Store) entries(ctx context.Context, where string, args ...any) ([]ledger.JournalEntry, error) {
	var entries []ledger.JournalEntry
	err := s.read(ctx, "reading the journal of", `SELECT seq, `+entryColumns+` FROM journal `+where, args, func() { entries = nil }, func(rows pgx.Row) error {
		var e ledger.JournalEntry
		var at int64
		err := rows.Scan(&e.Seq, &e.PlanID, &e.Step, &at, &e.Op, &e.Subject, &e.Outcome, &e.RequestID)
		e.At = time.UnixMilli(at).UTC()
		entries = append(entries, e)
		return err
	})
	if err != nil {
		return nil, err
	}
	return entries, nil
}
