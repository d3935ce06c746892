package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"fwsync/ledger"
)

// Gaps implements ledger.Store. They come by target, then by subject.
func (s *Store) Gaps(ctx context.Context, cloud string) ([]ledger.Gap, error) {
	var gaps []ledger.Gap
	rows, err := s.readers.QueryContext(ctx, `SELECT target, subject, since FROM gaps WHERE cloud = ? ORDER BY target, subject`, cloud)
	err = each(rows, err, func(rows *sql.Rows) error {
		var g ledger.Gap
		var since int64
		err := rows.Scan(&g.Target, &g.Subject, &since)
		g.Since = time.UnixMilli(since).UTC()
		gaps = append(gaps, g)
		return err
	})
	if err != nil {
		return nil, s.explain(ctx, "reading the gaps of", err)
	}
	return gaps, nil
}

// KeepGaps implements ledger.Store.
func (s *Store) KeepGaps(ctx context.Context, cloud string, gaps []ledger.Gap) error {
	now, err := ledger.ByPlace(gaps)
	if err != nil {
		return fmt.Errorf("keeping gaps in ledger %q: %w", s.path, err)
	}
	return s.change(ctx, "keeping gaps in", func(tx *sql.Tx) error {
		var gone []ledger.Place
		rows, err := tx.QueryContext(ctx, `SELECT target, subject FROM gaps WHERE cloud = ?`, cloud)
		err = each(rows, err, func(rows *sql.Rows) error {
			var p ledger.Place
			err := rows.Scan(&p.Target, &p.Subject)
			if _, still := now[p]; still {
				delete(now, p) // as first seen
			} else {
				gone = append(gone, p)
			}
			return err
		})
		if err != nil {
			return err
		}
		for _, p := range gone {
			if _, err := tx.ExecContext(ctx, `DELETE FROM gaps WHERE cloud = ? AND target = ? AND subject = ?`, cloud, p.Target, p.Subject); err != nil {
				return err
			}
		}
		insert, err := tx.PrepareContext(ctx, `INSERT INTO gaps (cloud, target, subject, since) VALUES (?, ?, ?, ?)`)
		if err != nil {
			return err
		}
		defer func() { _ = insert.Close() }()
		for p, g := range now {
			if _, err := insert.ExecContext(ctx, cloud, p.Target, p.Subject, g.Since.UnixMilli()); err != nil {
				return err
			}
		}
		return nil
	})
}
