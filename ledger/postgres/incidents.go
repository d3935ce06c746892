package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"fwsync/ledger"

	"github.com/jackc/pgx/v5"
)

// Incidents implements ledger.Incidents.
func (s *Store) Incidents(ctx context.Context, endedAfter time.Time) ([]ledger.Incident, error) {
	query, args := `SELECT id, body FROM incidents`, []any(nil)
	if !endedAfter.IsZero() {
		query += ` WHERE ended_at IS NULL OR ended_at > $1`
		args = append(args, endedAfter.UnixMilli())
	}
	var all []ledger.Incident
	err := s.read(ctx, "reading the incidents of", query+` ORDER BY started_at, id`, args, func() { all = nil }, func(rows pgx.Row) error {
		var id int64
		var body string
		if err := rows.Scan(&id, &body); err != nil {
			return err
		}
		i, err := decodeIncident(id, body)
		all = append(all, i)
		return err
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

func decodeIncident(id int64, body string) (ledger.Incident, error) {
	var i ledger.Incident
	if err := json.Unmarshal([]byte(body), &i); err != nil {
		return i, fmt.Errorf("%w: incident %d: %w", ledger.ErrCorrupt, id, err)
	}
	i.ID = id
	return i, nil
}

// StartIncident implements ledger.Incidents.
func (s *Store) StartIncident(ctx context.Context, i ledger.Incident) (ledger.Incident, error) {
	i.ID = 0
	i, body, err := s.encodeIncident(i)
	if err != nil {
		return i, err
	}
	err = s.change(ctx, "starting an incident in", func(ctx context.Context, tx pgx.Tx) error {
		err := tx.QueryRow(ctx, `INSERT INTO incidents (name, started_at, ended_at, body) VALUES ($1, $2, $3, $4)
			ON CONFLICT (name) WHERE ended_at IS NULL DO NOTHING RETURNING id`,
			i.Name, i.StartedAt.UnixMilli(), fromTime(i.EndedAt), body).Scan(&i.ID)
		if errors.Is(err, pgx.ErrNoRows) {
			return ledger.ErrRunning
		}
		return err
	})
	return i, err
}

// KeepIncident implements ledger.Incidents.
func (s *Store) KeepIncident(ctx context.Context, i ledger.Incident) error {
	return s.change(ctx, "keeping an incident in", func(ctx context.Context, tx pgx.Tx) error {
		var old string
		err := tx.QueryRow(ctx, `SELECT body FROM incidents WHERE id = $1 FOR UPDATE`, i.ID).Scan(&old)
		if errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("there is no incident %d", i.ID)
		}
		if err != nil {
			return err
		}
		before, err := decodeIncident(i.ID, old)
		if err != nil {
			return err
		}
		kept, body, err := s.encodeIncident(i.After(before))
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE incidents SET ended_at = $1, body = $2 WHERE id = $3`, fromTime(kept.EndedAt), body, i.ID)
		return err
	})
}

func (s *Store) encodeIncident(i ledger.Incident) (ledger.Incident, string, error) {
	i, err := i.Normal()
	if err != nil {
		return i, "", fmt.Errorf("keeping an incident in ledger %q: %w", s.place, err)
	}
	body, err := json.Marshal(i)
	return i, string(body), err
}
