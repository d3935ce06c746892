package sqlite

import (
	"cmp"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"fwsync/ledger"
)

// The columns of a decision in the order of encode and scan; the id goes in
// front, the revocation behind.
const (
	factColumns = `verdict, prefix, prefix_key, starts, ends, reason, author, rule,
		attempt, score, hits, first_seen, last_seen, evidence, counters`
	revocationColumns = `revoked_at, revoked_by, revoke_reason`
	readColumns       = `id, verdict, prefix, starts, ends, reason, author, rule,
		attempt, score, hits, first_seen, last_seen, evidence, counters, ` + revocationColumns
)

// normal is the decision as it will be read back: times in UTC to the millisecond,
// text in UTF-8, no empty evidence list. It refuses what no decision may be.
func normal(d ledger.Decision) (ledger.Decision, error) {
	if d.Verdict != ledger.Block && d.Verdict != ledger.Allow {
		return d, fmt.Errorf("decision about %s has the verdict %q, which is neither block nor allow", d.Prefix, d.Verdict)
	}
	if err := checkPrefix(d.Prefix); err != nil {
		return d, err
	}
	for _, t := range []*time.Time{&d.Start, &d.End, &d.FirstSeen, &d.LastSeen, &d.RevokedAt} {
		*t = toMillisecond(*t)
	}
	for _, s := range []*string{&d.Reason, &d.Author, &d.Rule, &d.RevokedBy, &d.RevokeReason} {
		*s = toUTF8(*s)
	}
	if d.Counters != nil {
		c := *d.Counters // the caller's stays as it is
		c.Account, c.Success, c.CrossedAt = toUTF8(c.Account), toUTF8(c.Success), toMillisecond(c.CrossedAt)
		d.Counters = &c
	}
	if len(d.Evidence) == 0 {
		d.Evidence = nil
		return d, nil
	}
	evidence := make([]ledger.Evidence, len(d.Evidence)) // the caller's slice stays as it is
	for i, e := range d.Evidence {
		e.Source, e.File, e.Hash, e.Text = toUTF8(e.Source), toUTF8(e.File), toUTF8(e.Hash), toUTF8(e.Text)
		evidence[i] = e
	}
	d.Evidence = evidence
	return d, nil
}

func checkPrefix(p netip.Prefix) error {
	switch {
	case !p.IsValid():
		return fmt.Errorf("decision about an invalid prefix")
	case p.Addr().Is4In6(), p != p.Masked():
		return fmt.Errorf("decision about %s, which is not in canonical form", p)
	}
	return nil
}

// encode gives the values of factColumns for a decision made by normal.
func encode(d ledger.Decision) ([]any, error) {
	var evidence, counters any
	if d.Evidence != nil {
		text, err := json.Marshal(d.Evidence)
		if err != nil {
			return nil, fmt.Errorf("encoding evidence: %w", err)
		}
		evidence = string(text)
	}
	if d.Counters != nil {
		text, err := json.Marshal(d.Counters)
		if err != nil {
			return nil, fmt.Errorf("encoding counters: %w", err)
		}
		counters = string(text)
	}
	return []any{
		string(d.Verdict), d.Prefix.String(), sortable(d.Prefix), fromTime(d.Start), fromTime(d.End),
		d.Reason, d.Author, d.Rule, d.Attempt, d.Score, d.Count,
		fromTime(d.FirstSeen), fromTime(d.LastSeen), evidence, counters,
	}, nil
}

// encodeRevocation gives the values of revocationColumns.
func encodeRevocation(d ledger.Decision) []any {
	return []any{fromTime(d.RevokedAt), d.RevokedBy, d.RevokeReason}
}

// stored is a row as it was read: the decision, but for its evidence and counters.
type stored struct {
	decision           ledger.Decision
	evidence, counters []byte
}

// scan reads one row of readColumns.
func scan(rows *sql.Rows) (stored, error) {
	var (
		row                                          stored
		prefix                                       sql.RawBytes
		starts, ends, firstSeen, lastSeen, revokedAt sql.NullInt64
	)
	d := &row.decision
	err := rows.Scan(&d.ID, &d.Verdict, &prefix, &starts, &ends, &d.Reason, &d.Author, &d.Rule,
		&d.Attempt, &d.Score, &d.Count, &firstSeen, &lastSeen, &row.evidence, &row.counters,
		&revokedAt, &d.RevokedBy, &d.RevokeReason)
	if err != nil {
		return row, err
	}
	if d.Prefix, err = netip.ParsePrefix(string(prefix)); err != nil {
		return row, fmt.Errorf("%w: decision %d: %w", errUndecodable, d.ID, err)
	}
	d.Start, d.End = toTime(starts), toTime(ends)
	d.FirstSeen, d.LastSeen, d.RevokedAt = toTime(firstSeen), toTime(lastSeen), toTime(revokedAt)
	return row, nil
}

// decode reads the evidence, which takes longer than all else, on all cores, and
// sorts the decisions by start, then by id.
func decode(rows []stored) ([]ledger.Decision, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	decisions := make([]ledger.Decision, len(rows))
	errs := make([]error, len(rows))
	part := max(1000, (len(rows)+runtime.GOMAXPROCS(0)-1)/runtime.GOMAXPROCS(0))
	var running sync.WaitGroup
	for first := 0; first < len(rows); first += part {
		running.Go(func() {
			for i := first; i < min(first+part, len(rows)); i++ {
				decisions[i] = rows[i].decision
				if counters := rows[i].counters; len(counters) > 0 {
					if err := json.Unmarshal(counters, &decisions[i].Counters); err != nil {
						errs[i] = fmt.Errorf("%w: counters of decision %d: %w", errUndecodable, decisions[i].ID, err)
						return
					}
				}
				if len(rows[i].evidence) == 0 {
					continue
				}
				if err := json.Unmarshal(rows[i].evidence, &decisions[i].Evidence); err != nil {
					errs[i] = fmt.Errorf("%w: evidence of decision %d: %w", errUndecodable, decisions[i].ID, err)
					return
				}
			}
		})
	}
	running.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(decisions, func(a, b ledger.Decision) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.ID, b.ID))
	})
	return decisions, nil
}

// sortable orders prefixes as bytes: IPv4 before IPv6, then by address, then the
// wider one first. All prefixes inside another lie in one range.
func sortable(p netip.Prefix) []byte {
	key := make([]byte, 0, 18)
	if p.Addr().Is4() {
		key = append(key, 4)
	} else {
		key = append(key, 6)
	}
	key = append(key, p.Addr().AsSlice()...)
	return append(key, byte(p.Bits()))
}

func toMillisecond(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.UnixMilli(t.UnixMilli()).UTC()
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

func toUTF8(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
