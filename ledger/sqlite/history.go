package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"fwsync/ledger"
)

// PastDecisions implements ledger.Store.
func (s *Store) PastDecisions(ctx context.Context, p ledger.Past) ([]ledger.Decision, error) {
	q, err := s.ask(p, "reading past decisions from")
	if err != nil {
		return nil, err
	}
	order := "id"
	if p.Revoked {
		order = "revoked_at"
		q.where(`revoked_at IS NOT NULL`)
		q.during(order, p)
	}
	if !p.Since.IsZero() && !p.Revoked {
		since := p.Since.UnixMilli()
		q.where(`(ends IS NULL OR ends > ?)`, since)
		q.where(`(revoked_at IS NULL OR revoked_at > ?)`, since)
	}
	if !p.Until.IsZero() && !p.Revoked {
		q.where(`(starts IS NULL OR starts < ?)`, p.Until.UnixMilli())
	}
	if p.Prefix.IsValid() {
		first, last := ledger.Inside(p.Prefix)
		around := ledger.Around(p.Prefix)
		args := []any{first, last}
		for _, key := range around {
			args = append(args, key)
		}
		q.where(`(prefix_key BETWEEN ? AND ? OR prefix_key IN (`+strings.TrimSuffix(strings.Repeat(`?, `, len(around)), `, `)+`))`, args...)
	}
	var decisions []ledger.Decision
	rows, err := s.readers.QueryContext(ctx, `SELECT `+readColumns+` FROM decisions `+q.page(order, p), q.args...)
	err = each(rows, err, func(rows *sql.Rows) error {
		row, err := scan(rows)
		if err == nil {
			var one []ledger.Decision
			one, err = ledger.Decode([]ledger.Stored{row})
			decisions = append(decisions, one...)
		}
		return err
	})
	if err != nil {
		return nil, s.explain(ctx, "reading past decisions from", err)
	}
	return decisions, nil
}

// PastPlans implements ledger.Store.
func (s *Store) PastPlans(ctx context.Context, p ledger.Past) ([]ledger.AppliedPlan, error) {
	q, err := s.ask(p, "reading past plans from")
	if err != nil {
		return nil, err
	}
	q.during("started_at", p)
	if p.PlanID != "" {
		q.where(`instr(id, ?) = 1`, ledger.CleanText(p.PlanID))
	}
	var plans []ledger.AppliedPlan
	rows, err := s.readers.QueryContext(ctx, `SELECT seq, id, cloud, started_at, author, steps, detail FROM plans `+q.page("seq", p), q.args...)
	err = each(rows, err, func(rows *sql.Rows) error {
		var plan ledger.AppliedPlan
		var started sql.NullInt64
		var detail sql.NullString
		err := rows.Scan(&plan.Seq, &plan.ID, &plan.Cloud, &started, &plan.Author, &plan.Steps, &detail)
		plan.StartedAt = toTime(started)
		if detail.Valid {
			plan.Detail = json.RawMessage(detail.String)
		}
		plans = append(plans, plan)
		return err
	})
	if err != nil {
		return nil, s.explain(ctx, "reading past plans from", err)
	}
	return plans, nil
}

// PastEntries implements ledger.Store.
func (s *Store) PastEntries(ctx context.Context, p ledger.Past) ([]ledger.JournalEntry, error) {
	q, err := s.ask(p, "reading the journal of")
	if err != nil {
		return nil, err
	}
	q.during("at", p)
	if p.PlanID != "" {
		q.where(`plan_id = ?`, ledger.CleanText(p.PlanID))
	}
	return s.entries(ctx, q.page("seq", p), q.args...)
}

// question is a query on its way: conditions that all must hold.
type question struct {
	terms []string
	args  []any
}

func (s *Store) ask(p ledger.Past, doing string) (*question, error) {
	if err := p.Check(); err != nil {
		return nil, fmt.Errorf("%s ledger %q: %w", doing, s.path, err)
	}
	return &question{}, nil
}

func (q *question) where(term string, args ...any) {
	q.terms, q.args = append(q.terms, term), append(q.args, args...)
}

func (q *question) during(column string, p ledger.Past) {
	if !p.Since.IsZero() {
		q.where(column+` >= ?`, p.Since.UnixMilli())
	}
	if !p.Until.IsZero() {
		q.where(column+` < ?`, p.Until.UnixMilli())
	}
}

// page ends the query: what comes after the last page's end, in the order asked for.
func (q *question) page(number string, p ledger.Past) string {
	direction := "DESC"
	switch {
	case p.Oldest:
		direction = "ASC"
		q.where(number+` > ?`, p.After)
	case p.Before > 0:
		q.where(number+` < ?`, p.Before)
	}
	where := ""
	if len(q.terms) > 0 {
		where = `WHERE ` + strings.Join(q.terms, ` AND `)
	}
	return fmt.Sprintf(`%s ORDER BY %s %s LIMIT %d`, where, number, direction, p.Page())
}

// Compact implements ledger.Store.
func (s *Store) Compact(ctx context.Context, keepSince time.Time) (ledger.Compacted, error) {
	var done ledger.Compacted
	if keepSince.IsZero() || keepSince.After(time.Now()) {
		return done, fmt.Errorf("compacting ledger %q: %s is not a time in the past", s.path, keepSince.Format(time.RFC3339))
	}
	for _, part := range []struct {
		count  *int
		delete string
	}{
		{&done.Decisions, `DELETE FROM decisions WHERE id IN (SELECT id FROM decisions
			WHERE revoked_at IS NULL AND ifnull(ends, 9223372036854775807) < ?1 LIMIT ?2)`},
		{&done.Decisions, `DELETE FROM decisions WHERE id IN (SELECT id FROM decisions WHERE revoked_at < ?1 LIMIT ?2)`},
		{&done.Plans, `DELETE FROM plans WHERE seq IN (SELECT seq FROM plans WHERE started_at < ?1
			AND seq NOT IN (SELECT max(seq) FROM plans GROUP BY cloud)
			AND NOT EXISTS (SELECT 1 FROM journal WHERE plan_id = plans.id AND (open = 1 OR at >= ?1)) LIMIT ?2)`},
		{&done.Entries, `DELETE FROM journal WHERE seq IN (SELECT seq FROM journal WHERE at < ?1 AND open = 0
			AND NOT EXISTS (SELECT 1 FROM plans WHERE id = journal.plan_id) LIMIT ?2)`},
	} {
		for n := int64(ledger.CompactPart); n == ledger.CompactPart; {
			err := s.change(ctx, "compacting", func(tx *sql.Tx) error {
				result, err := tx.ExecContext(ctx, part.delete, keepSince.UnixMilli(), ledger.CompactPart)
				if err != nil {
					return err
				}
				n, err = result.RowsAffected()
				return err
			})
			if err != nil {
				return done, err
			}
			*part.count += int(n)
		}
	}
	return done, nil
}
