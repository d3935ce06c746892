package sqlite

import (
	"database/sql"
	"fmt"
	"net/netip"
	"time"

	"fwsync/ledger"
)

// The columns of a decision in the order of encode and scan; the id goes in
// front, the revocation behind.
const (
	factColumns = `verdict, prefix, prefix_key, starts, ends, reason, author, rule,
		attempt, score, hits, first_seen, last_seen, evidence, made_at, lapses`
	revocationColumns = `revoked_at, revoked_by, revoke_reason`
	readColumns       = `id, verdict, prefix, starts, ends, reason, author, rule,
		attempt, score, hits, first_seen, last_seen, evidence, made_at, lapses, mark, ` + revocationColumns
)

// encode gives the values of factColumns for a decision in its normal form.
func encode(d ledger.Decision) ([]any, error) {
	var evidence any
	text, err := d.EncodeEvidence()
	if err != nil {
		return nil, err
	}
	if text != nil {
		evidence = string(text)
	}
	return []any{
		string(d.Verdict), d.Prefix.String(), ledger.SortKey(d.Prefix), fromTime(d.Start), fromTime(d.End),
		d.Reason, d.Author, d.Rule, d.Attempt, d.Score, d.Count,
		fromTime(d.FirstSeen), fromTime(d.LastSeen), evidence, fromTime(d.MadeAt), d.Lapses,
	}, nil
}

// encodeRevocation gives the values of revocationColumns.
func encodeRevocation(d ledger.Decision) []any {
	return []any{fromTime(d.RevokedAt), d.RevokedBy, d.RevokeReason}
}

// scan reads one row of readColumns.
func scan(rows *sql.Rows) (ledger.Stored, error) {
	var (
		row                               ledger.Stored
		prefix                            sql.RawBytes
		starts, ends, firstSeen, lastSeen sql.NullInt64
		madeAt, revokedAt, mark           sql.NullInt64
	)
	d := &row.Decision
	err := rows.Scan(&d.ID, &d.Verdict, &prefix, &starts, &ends, &d.Reason, &d.Author, &d.Rule,
		&d.Attempt, &d.Score, &d.Count, &firstSeen, &lastSeen, &row.Evidence, &madeAt, &d.Lapses, &mark,
		&revokedAt, &d.RevokedBy, &d.RevokeReason)
	if err != nil {
		return row, err
	}
	if d.Prefix, err = netip.ParsePrefix(string(prefix)); err != nil {
		return row, fmt.Errorf("%w: decision %d: %w", ledger.ErrCorrupt, d.ID, err)
	}
	row.Mark = mark.Int64
	d.Start, d.End = toTime(starts), toTime(ends)
	d.FirstSeen, d.LastSeen, d.MadeAt, d.RevokedAt = toTime(firstSeen), toTime(lastSeen), toTime(madeAt), toTime(revokedAt)
	return row, nil
}

func fromTime(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMilli()
}

func toTime(ms sql.NullInt64) time.Time {
	if !ms.Valid {
		return time.Time{}
	}
	return time.UnixMilli(ms.Int64).UTC()
}
