package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"fwsync/ledger"

	"github.com/jackc/pgx/v5"
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
		q.where(`(prefix_key BETWEEN ? AND ? OR prefix_key = ANY(?))`, first, last, ledger.Around(p.Prefix))
	}
	var decisions []ledger.Decision
	query := `SELECT ` + readColumns + ` FROM decisions ` + q.page(order, p)
	err = s.read(ctx, "reading past decisions from", query, q.args, func() { decisions = nil }, func(rows pgx.Row) error {
		row, err := scan(rows)
		if err == nil {
			var one []ledger.Decision
			one, err = ledger.Decode([]ledger.Stored{row})
			decisions = append(decisions, one...)
		}
		return err
	})
	if err != nil {
		return nil, err
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
		q.where(`starts_with(id, ?)`, ledger.CleanText(p.PlanID))
	}
	var plans []ledger.AppliedPlan
	query := `SELECT seq, id, cloud, started_at, author, steps, detail FROM plans ` + q.page("seq", p)
	err = s.read(ctx, "reading past plans from", query, q.args, func() { plans = nil }, func(rows pgx.Row) error {
		var plan ledger.AppliedPlan
		var started *int64
		var detail *string
		err := rows.Scan(&plan.Seq, &plan.ID, &plan.Cloud, &started, &plan.Author, &plan.Steps, &detail)
		plan.StartedAt = toTime(started)
		if detail != nil {
			plan.Detail = json.RawMessage(*detail)
		}
		plans = append(plans, plan)
		return err
	})
	if err != nil {
		return nil, err
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
		return nil, fmt.Errorf("%s ledger %q: %w", doing, s.place, err)
	}
	return &question{}, nil
}

// where takes a term with a ? for each argument.
func (q *question) where(term string, args ...any) {
	for _, arg := range args {
		q.args = append(q.args, arg)
		term = strings.Replace(term, `?`, fmt.Sprintf(`$%d`, len(q.args)), 1)
	}
	q.terms = append(q.terms, term)
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
		return done, fmt.Errorf("compacting ledger %q: %s is not a time in the past", s.place, keepSince.Format(time.RFC3339))
	}
	for _, part := range []struct {
		count  *int
		delete string
	}{
		{&done.Decisions, `DELETE FROM decisions WHERE id IN (SELECT id FROM decisions
			WHERE revoked_at IS NULL AND coalesce(ends, 9223372036854775807) < $1 LIMIT $2)`},
		{&done.Decisions, `DELETE FROM decisions WHERE id IN (SELECT id FROM decisions WHERE revoked_at < $1 LIMIT $2)`},
		{&done.Plans, `DELETE FROM plans WHERE seq IN (SELECT seq FROM plans WHERE started_at < $1
			AND seq NOT IN (SELECT max(seq) FROM plans GROUP BY cloud)
			AND NOT EXISTS (SELECT 1 FROM journal WHERE plan_id = plans.id AND (open OR at >= $1)) LIMIT $2)`},
		{&done.Entries, `DELETE FROM journal WHERE seq IN (SELECT seq FROM journal WHERE at < $1 AND NOT open
			AND NOT EXISTS (SELECT 1 FROM plans WHERE id = journal.plan_id) LIMIT $2)`},
	} {
		for n := int64(ledger.CompactPart); n == ledger.CompactPart; {
			err := s.change(ctx, "compacting", func(ctx context.Context, tx pgx.Tx) error {
				result, err := tx.Exec(ctx, part.delete, keepSince.UnixMilli(), ledger.CompactPart)
				n = result.RowsAffected()
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
