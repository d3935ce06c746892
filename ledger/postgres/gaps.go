package postgres

import (
	"context"
	"fmt"
	"time"

	"fwsync/ledger"

	"github.com/jackc/pgx/v5"
)

// Gaps implements ledger.Store. They come by target, then by subject.
func (s *Store) Gaps(ctx context.Context, cloud string) ([]ledger.Gap, error) {
	var gaps []ledger.Gap
	// The order of bytes, whatever the database's own is.
	const query = `SELECT target, subject, since FROM gaps WHERE cloud = $1 ORDER BY target COLLATE "C", subject COLLATE "C"`
	err := s.read(ctx, "reading the gaps of", query, []any{ledger.CleanText(cloud)}, func() { gaps = nil }, func(rows pgx.Row) error {
		var g ledger.Gap
		var since int64
		err := rows.Scan(&g.Target, &g.Subject, &since)
		g.Since = time.UnixMilli(since).UTC()
		gaps = append(gaps, g)
		return err
	})
	if err != nil {
		return nil, err
	}
	return gaps, nil
}

// KeepGaps implements ledger.Store.
func (s *Store) KeepGaps(ctx context.Context, cloud string, gaps []ledger.Gap) error {
	now, err := ledger.ByPlace(gaps)
	if err != nil {
		return fmt.Errorf("keeping gaps in ledger %q: %w", s.place, err)
	}
	cloud = ledger.CleanText(cloud)
	targets, subjects, since := make([]string, 0, len(now)), make([]string, 0, len(now)), make([]int64, 0, len(now))
	for p, g := range now {
		targets, subjects, since = append(targets, p.Target), append(subjects, p.Subject), append(since, g.Since.UnixMilli())
	}
	return s.change(ctx, "keeping gaps in", func(ctx context.Context, tx pgx.Tx) error {
		batch := &pgx.Batch{}
		batch.Queue(`DELETE FROM gaps WHERE cloud = $1 AND (target, subject) NOT IN (SELECT * FROM unnest($2::text[], $3::text[]))`, cloud, targets, subjects)
		batch.Queue(`INSERT INTO gaps (cloud, target, subject, since)
			SELECT $1, * FROM unnest($2::text[], $3::text[], $4::bigint[])
			ON CONFLICT (cloud, target, subject) DO NOTHING`, cloud, targets, subjects, since)
		return tx.SendBatch(ctx, batch).Close()
	})
}
