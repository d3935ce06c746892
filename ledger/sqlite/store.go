package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"time"

	"fwsync/ledger"
)

// Store is a ledger in one file. It is safe for concurrent use: writes go through
// one connection, one after the other; reads see the last committed state and do
// not wait for a write.
//
// Times are kept to the millisecond and returned in UTC. Text that is not UTF-8
// is stored with U+FFFD in the place of what is not.
type Store struct {
	path     string // absolute, links resolved
	instance string
	busy     time.Duration
	writer   *sql.DB
	readers  *sql.DB
	recall   *ledger.Recall
	fence    *fence      // nil but for the holder's view
	file     os.FileInfo // which one was opened
}

var _ ledger.Store = (*Store)(nil)

// Close waits for the calls that are running and releases the file. Calling it
// again does nothing.
func (s *Store) Close() error {
	// The writer goes last, since only it can move the log into the file.
	return errors.Join(s.readers.Close(), s.writer.Close())
}

// change runs f in a transaction that is committed when f returns nil and rolled
// back otherwise, or when ctx ends before the commit.
func (s *Store) change(ctx context.Context, doing string, f func(*sql.Tx) error) error {
	if err := s.inPlace(); err != nil {
		return s.explain(ctx, doing, err)
	}
	tx, err := s.writer.BeginTx(ctx, nil)
	if err != nil {
		return s.explain(ctx, doing, err)
	}
	if err := f(tx); err != nil {
		_ = tx.Rollback()
		return s.explain(ctx, doing, err)
	}
	if err := s.fence.check(ctx, tx); err != nil {
		_ = tx.Rollback()
		return s.explain(ctx, doing, err)
	}
	return s.explain(ctx, doing, tx.Commit())
}

// inPlace refuses a file that is no longer at its path: what is written into one that was
// removed or replaced is lost with the process, and nobody else sees it.
func (s *Store) inPlace() error {
	if now, err := os.Stat(s.path); err == nil && os.SameFile(now, s.file) {
		return nil
	}
	return errMoved
}

var errMoved = errors.New("the file was removed or replaced while it was open, nothing was written: put it back, or start fwsync again to go on with what is there now")

// each hands every row of a query to scan and closes it. It takes the result of
// QueryContext as it comes.
func each(rows *sql.Rows, err error, scan func(*sql.Rows) error) error {
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
