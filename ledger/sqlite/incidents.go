package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"fwsync/ledger"
)

// Incidents implements ledger.Incidents.
func (s *Store) Incidents(ctx context.Context, endedAfter time.Time) ([]ledger.Incident, error) {
	query, args := `SELECT id, body FROM incidents`, []any(nil)
	if !endedAfter.IsZero() {
		query += ` WHERE ended_at IS NULL OR ended_at > ?`
		args = append(args, endedAfter.UnixMilli())
	}
	var all []ledger.Incident
	rows, err := s.readers.QueryContext(ctx, query+` ORDER BY started_at, id`, args...)
	err = each(rows, err, func(rows *sql.Rows) error {
		var id int64
		var body sql.RawBytes
		if err := rows.Scan(&id, &body); err != nil {
			return err
		}
		i, err := decodeIncident(id, body)
		all = append(all, i)
		return err
	})
	if err != nil {
		return nil, s.explain(ctx, "reading the incidents of", err)
	}
	return all, nil
}

func decodeIncident(id int64, body []byte) (ledger.Incident, error) {
	var i ledger.Incident
	if err := json.Unmarshal(body, &i); err != nil {
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
	err = s.change(ctx, "starting an incident in", func(tx *sql.Tx) error {
		const insert = `INSERT INTO incidents (name, started_at, ended_at, body) VALUES (?, ?, ?, ?)
			ON CONFLICT (name) WHERE ended_at IS NULL DO NOTHING RETURNING id`
		err := tx.QueryRowContext(ctx, insert, i.Name, i.StartedAt.UnixMilli(), fromTime(i.EndedAt), body).Scan(&i.ID)
		if errors.Is(err, sql.ErrNoRows) {
			return ledger.ErrRunning
		}
		return err
	})
	return i, err
}

// KeepIncident implements ledger.Incidents.
func (s *Store) KeepIncident(ctx context.Context, i ledger.Incident) error {
	return s.change(ctx, "keeping an incident in", func(tx *sql.Tx) error {
		var old []byte
		err := tx.QueryRowContext(ctx, `SELECT body FROM incidents WHERE id = ?`, i.ID).Scan(&old)
		if errors.Is(err, sql.ErrNoRows) {
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
		_, err = tx.ExecContext(ctx, `UPDATE incidents SET ended_at = ?, body = ? WHERE id = ?`, fromTime(kept.EndedAt), body, i.ID)
		return err
	})
}

func (s *Store) encodeIncident(i ledger.Incident) (ledger.Incident, string, error) {
	i, err := i.Normal()
	if err != nil {
		return i, "", fmt.Errorf("keeping an incident in ledger %q: %w", s.path, err)
	}
	body, err := json.Marshal(i)
	return i, string(body), err
}
