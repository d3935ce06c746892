package postgres

import (
	"context"
	"errors"
	"time"

	"fwsync/ledger"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Store is a ledger in one database. It is safe for concurrent use.
type Store struct {
	place    string // where it is, without secrets
	instance string
	timeout  time.Duration
	pool     *pgxpool.Pool
	recall   *ledger.Recall
	fence    *fence // nil but for the holder's view
}

var _ ledger.Store = (*Store)(nil)

// Close waits for the calls that are running and closes the connections. Calling it
// again does nothing.
func (s *Store) Close() error {
	s.pool.Close()
	return nil
}

// within bounds f in time and explains its error.
func (s *Store) within(ctx context.Context, doing string, f func(ctx context.Context) error) error {
	bounded, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return s.explain(ctx, doing, f(bounded))
}

// change runs f in a transaction that is committed when f returns nil and rolled
// back otherwise, or when ctx ends before the commit.
func (s *Store) change(ctx context.Context, doing string, f func(ctx context.Context, tx pgx.Tx) error) error {
	return s.within(ctx, doing, func(ctx context.Context) error {
		var tx pgx.Tx
		err := s.again(ctx, func() (err error) {
			tx, err = s.pool.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted})
			return err
		})
		if err != nil {
			return err
		}
		if err = f(ctx, tx); err == nil {
			err = s.fence.check(ctx, tx)
		}
		if err != nil {
			undo, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			_ = tx.Rollback(undo) // otherwise the connection is closed, which does the same
			return err
		}
		return tx.Commit(ctx)
	})
}

// read hands every row of a query to scan, which must not keep the rows. When a
// connection turns out to be dead the query is asked once more.
func (s *Store) read(ctx context.Context, doing, query string, args []any, begin func(), scan func(pgx.Row) error) error {
	return s.within(ctx, doing, func(ctx context.Context) error {
		return s.again(ctx, func() error {
			begin()
			rows, err := s.pool.Query(ctx, query, args...)
			if err != nil {
				return err
			}
			return each(rows, scan)
		})
	})
}

// each hands every row to scan and closes them.
func each(rows pgx.Rows, scan func(pgx.Row) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// again repeats what changes nothing, once, when the server had closed the connection
// that the pool gave out, as after its restart.
func (s *Store) again(ctx context.Context, f func() error) error {
	err := f()
	if err == nil || ctx.Err() != nil || !cutOff(err) {
		return err
	}
	s.pool.Reset()
	return f()
}

// cutOff reports whether an established connection was lost.
func cutOff(err error) bool {
	if _, connecting := errors.AsType[*pgconn.ConnectError](err); connecting {
		return false
	}
	if told, ok := errors.AsType[*pgconn.PgError](err); ok {
		// Closed by an administrator or a crash; 25P03: for being idle in a transaction.
		return told.Code == "57P01" || told.Code == "57P02" || told.Code == "25P03"
	}
	return lost(err)
}
