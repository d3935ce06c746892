package postgres

import (
	"context"
	"math"

	"fwsync/ledger"

	"github.com/jackc/pgx/v5"
)

// join gives each new row the id of the decision that it is already. Only what was there
// before the intake counts. Others that join wait until the transaction ends: two hosts
// that decide the same at the same moment would not see each other.
func join(ctx context.Context, tx pgx.Tx, rows []ledger.Decision) error {
	var keys [][]byte
	since := int64(math.MaxInt64)
	for _, d := range rows {
		switch {
		case d.ID != 0:
			continue
		case d.Start.IsZero():
			since = math.MinInt64
		default:
			since = min(since, d.Start.UnixMilli())
		}
		keys = append(keys, ledger.SortKey(d.Prefix))
	}
	if len(keys) == 0 {
		return nil
	}
	if err := oneAtATime(ctx, tx); err != nil {
		return err
	}
	// The condition on the end repeats the index decisions_in_force word for word.
	found, err := tx.Query(ctx, `SELECT `+readColumns+` FROM decisions
		WHERE prefix_key = ANY($1) AND revoked_at IS NULL AND coalesce(ends, 9223372036854775807) >= $2`, keys, since)
	if err != nil {
		return err
	}
	var stored []ledger.Stored
	err = each(found, func(rows pgx.Row) error {
		row, err := scan(rows)
		stored = append(stored, row)
		return err
	})
	if err != nil || len(stored) == 0 {
		return err
	}
	all, err := ledger.Decode(stored)
	if err != nil {
		return err
	}
	known := ledger.ByPrefix(all)
	for i, d := range rows {
		if same, is := known.Latest(d); d.ID == 0 && is {
			rows[i] = d.Join(same)
		}
	}
	return nil
}
