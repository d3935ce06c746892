package postgres

import (
	"fmt"
	"net/netip"
	"time"

	"fwsync/ledger"

	"github.com/jackc/pgx/v5"
)

// columns are those of a decision in the order of encode, the id in front.
var columns = []string{
	"id", "verdict", "prefix", "prefix_key", "starts", "ends", "reason", "author", "rule",
	"attempt", "score", "hits", "first_seen", "last_seen", "evidence", "revoked_at", "revoked_by", "revoke_reason", "lapses", "made_at",
}

// readColumns are those that scan reads.
const readColumns = `id, verdict, prefix, starts, ends, reason, author, rule, attempt, score, hits,
	first_seen, last_seen, evidence, revoked_at, revoked_by, revoke_reason, lapses, made_at, coalesce(mark, 0)`

// encode gives the values of columns for a decision in its normal form.
func encode(d ledger.Decision) ([]any, error) {
	var evidence *string
	data, err := d.EncodeEvidence()
	if err != nil {
		return nil, err
	}
	if data != nil {
		text := string(data)
		evidence = &text
	}
	return []any{
		d.ID, string(d.Verdict), d.Prefix.String(), ledger.SortKey(d.Prefix), fromTime(d.Start), fromTime(d.End),
		d.Reason, d.Author, d.Rule, int64(d.Attempt), int64(d.Score), int64(d.Count),
		fromTime(d.FirstSeen), fromTime(d.LastSeen), evidence, fromTime(d.RevokedAt), d.RevokedBy, d.RevokeReason, d.Lapses, fromTime(d.MadeAt),
	}, nil
}

// scan reads one row of readColumns.
func scan(rows pgx.Row) (ledger.Stored, error) {
	var (
		row                               ledger.Stored
		prefix                            string
		starts, ends, firstSeen, lastSeen *int64
		madeAt, revokedAt                 *int64
	)
	d := &row.Decision
	err := rows.Scan(&d.ID, (*string)(&d.Verdict), &prefix, &starts, &ends, &d.Reason, &d.Author, &d.Rule,
		&d.Attempt, &d.Score, &d.Count, &firstSeen, &lastSeen, &row.Evidence, &revokedAt, &d.RevokedBy, &d.RevokeReason, &d.Lapses, &madeAt, &row.Mark)
	if err != nil {
		return row, err
	}
	if d.Prefix, err = netip.ParsePrefix(prefix); err != nil {
		return row, fmt.Errorf("%w: decision %d: %w", ledger.ErrCorrupt, d.ID, err)
	}
	d.Start, d.End = toTime(starts), toTime(ends)
	d.FirstSeen, d.LastSeen, d.MadeAt, d.RevokedAt = toTime(firstSeen), toTime(lastSeen), toTime(madeAt), toTime(revokedAt)
	return row, nil
}

func fromTime(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	ms := t.UnixMilli()
	return &ms
}

func toTime(ms *int64) time.Time {
	if ms == nil {
		return time.Time{}
	}
	return time.UnixMilli(*ms).UTC()
}
