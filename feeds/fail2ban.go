package feeds

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	_ "modernc.org/sqlite" // fail2ban keeps its bans in a SQLite file
)

// Fail2ban is the bans in force of fail2ban 0.11 or later, from its own database
// (fail2ban/server/database.py: the table bips has one row for each address and jail,
// with the time of the ban and its length in seconds, -1 for ever). It is only read.
type Fail2ban struct {
	Path  string
	Jails []string // none: all
	Now   func() time.Time
}

const longestBan = 100 * 365 * 24 * 3600 // seconds; what lasts longer lasts for ever

// Place implements Origin.
func (f Fail2ban) Place() string { return f.Path }

// Read implements Origin.
func (f Fail2ban) Read(ctx context.Context, _ json.RawMessage) (list List, err error) {
	if err := regular(f.Path); err != nil { // SQLite would make one
		return List{}, err
	}
	address := url.URL{Scheme: "file", Path: f.Path, RawQuery: "mode=ro&_pragma=busy_timeout(2000)"}
	db, err := sql.Open("sqlite", address.String())
	if err != nil {
		return List{}, fmt.Errorf("opening fail2ban's database: %w", err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(ctx, `SELECT jail, ip, timeofban, bantime FROM bips`)
	if err != nil {
		if strings.Contains(err.Error(), "no such table: bips") {
			err = errors.New("it has no table bips: fail2ban 0.11 or later is needed")
		}
		return List{}, fmt.Errorf("reading fail2ban's database: %w", err)
	}
	defer func() { _ = rows.Close() }()
	now := f.Now()
	for rows.Next() {
		var jail, ip string
		var at, length int64
		if err := rows.Scan(&jail, &ip, &at, &length); err != nil {
			list.Bad++
			continue
		}
		if len(f.Jails) > 0 && !slices.Contains(f.Jails, jail) {
			continue
		}
		p, ok := prefixOf(ip)
		if !ok {
			list.Bad++
			continue
		}
		e := Entry{Prefix: p, Reason: "fail2ban jail " + jail}
		if length >= 0 && length <= longestBan {
			if e.Until = time.Unix(at, 0).Add(time.Duration(length) * time.Second); !e.Until.After(now) {
				continue
			}
		}
		list.Entries = append(list.Entries, e)
	}
	if err := rows.Err(); err != nil {
		return List{}, fmt.Errorf("reading fail2ban's database: %w", err)
	}
	list.Entries = longest(list.Entries)
	return list, nil
}
