package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"fwsync/ledger"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// The limits of waiting, where the URL or the Options name no others.
const (
	DefaultCallTimeout    = time.Minute
	DefaultConnectTimeout = 5 * time.Second
	lockTimeout           = 30 * time.Second
	// idleTimeout bounds how long a process that was stopped in the middle of a
	// transaction can hold up the others: the server ends it then.
	idleTimeout = 5 * time.Second
)

// defaultSchema is where the tables are, unless the URL names another search_path.
const defaultSchema = "fwsync"

// Options tune a Store. The zero value is right for production.
type Options struct {
	// Instance is whose positions and windows the store reads and keeps; empty means
	// the host's name.
	Instance string
	// CallTimeout bounds every call, also one whose context does not end, so that a
	// server which is gone without a word holds nobody up; 0 means DefaultCallTimeout.
	CallTimeout time.Duration
}

// IsURL reports whether a ledger's place is a PostgreSQL database and not a file.
func IsURL(place string) bool {
	return strings.HasPrefix(place, "postgres://") || strings.HasPrefix(place, "postgresql://")
}

// Place is the database that a URL leads to, without anything secret: neither the
// password nor a parameter is in it. It is "postgres://…" for a URL that cannot be read.
func Place(address string) string {
	config, err := parse(address)
	if err != nil {
		return "postgres://…"
	}
	return place(config.ConnConfig)
}

func place(c *pgx.ConnConfig) string {
	u := url.URL{Scheme: "postgres", User: url.User(c.User), Path: "/" + c.Database}
	if strings.HasPrefix(c.Host, "/") { // a folder with a socket
		return u.String() + "?host=" + c.Host
	}
	u.Host = net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port)))
	return u.String()
}

// parse reads the URL with the driver's defaults (PGPASSWORD, ~/.pgpass, …) and ours.
// The driver's own error may quote the URL, so it is not passed on.
func parse(address string) (*pgxpool.Config, error) {
	if !IsURL(address) {
		return nil, errors.New("it does not begin with postgres://")
	}
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		return nil, errors.New("it cannot be read")
	}
	c := config.ConnConfig
	c.ConnectTimeout = cmp.Or(c.ConnectTimeout, DefaultConnectTimeout)
	for name, value := range map[string]string{
		"application_name":                    "fwsync",
		"search_path":                         defaultSchema,
		"lock_timeout":                        strconv.FormatInt(lockTimeout.Milliseconds(), 10),
		"idle_in_transaction_session_timeout": strconv.FormatInt(idleTimeout.Milliseconds(), 10),
	} {
		if _, named := c.RuntimeParams[name]; !named {
			c.RuntimeParams[name] = value
		}
	}
	return config, nil
}

// Open connects to the database at address, a URL such as
// postgres://fwsync@db.example/fwsync?sslmode=verify-full, makes its schema and tables
// if they are missing and brings them up to date. The database itself must exist.
//
// Errors say what to do next (Hint) and never contain the password: a URL that cannot
// be read, a server that does not answer (ledger.ErrUnreachable), a login that is
// refused, a database that is missing, a lack of permission, a server that only
// reads, and a ledger of a newer fwsync, which is left as it is.
//
// Any number of processes on any number of hosts may have the same ledger open.
func Open(ctx context.Context, address string, opts Options) (*Store, error) {
	config, err := parse(address)
	if err != nil {
		return nil, &failure{
			text: "opening the ledger: its URL: " + err.Error(), cause: err,
			hint: "write postgres://USER@HOST:5432/DATABASE?sslmode=verify-full, special characters as %XX; the password may also stand in PGPASSWORD or ~/.pgpass",
		}
	}
	s := &Store{place: place(config.ConnConfig), instance: ledger.CleanText(opts.Instance), timeout: cmp.Or(opts.CallTimeout, DefaultCallTimeout), recall: new(ledger.Recall)}
	if s.instance == "" {
		if s.instance, err = os.Hostname(); err != nil {
			return nil, fmt.Errorf("opening ledger %q: the host has no name to tell its logs from others': %w", s.place, err)
		}
	}
	if s.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, s.explain(ctx, "opening", err)
	}
	err = s.within(ctx, "opening", func(ctx context.Context) error { return migrate(ctx, s.pool, migrations) })
	if err != nil {
		s.pool.Close()
		return nil, err
	}
	return s, nil
}
