package sqlite

import (
	"context"
	"database/sql"

	"fwsync/ledger"
)

// join gives each new row the id of the decision that it is already. Only what was there
// before the intake counts.
func join(ctx context.Context, tx *sql.Tx, rows []pending) error {
	// The conditions on prefix, verdict and revocation are those of decisions_by_prefix.
	find, err := tx.PrepareContext(ctx, `SELECT `+readColumns+` FROM decisions
		WHERE prefix_key = ?1 AND verdict = ?2 AND revoked_at IS NULL AND author = ?3 AND rule = ?4
			AND (?5 IS NULL OR ends IS NULL OR ends >= ?5)`)
	if err != nil {
		return err
	}
	defer func() { _ = find.Close() }()
	var found []ledger.Stored
	for _, row := range rows {
		d := row.decision
		if d.ID != 0 {
			continue
		}
		same, err := find.QueryContext(ctx, ledger.SortKey(d.Prefix), string(d.Verdict), d.Author, d.Rule, fromTime(d.Start))
		err = each(same, err, func(rows *sql.Rows) error {
			row, err := scan(rows)
			found = append(found, row)
			return err
		})
		if err != nil {
			return err
		}
	}
	there, err := ledger.Decode(found)
	if err != nil || len(there) == 0 {
		return err
	}
	known := ledger.ByPrefix(there)
	for i := range rows {
		d := &rows[i].decision
		if same, is := known.Latest(*d); d.ID == 0 && is {
			*d = d.Join(same)
			if rows[i].facts, err = encode(*d); err != nil {
				return err
			}
		}
	}
	return nil
}
