package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"fwsync/ledger"
)

// Lease implements ledger.Lease. The lock file is what keeps others out; the token in
// the ledger is what stops a holder whose lock file was removed or replaced.
type Lease struct {
	lock  *Lock
	store *Store
	close func() error
}

// Acquire implements ledger.Store. The claim's TTL is of no matter: the operating
// system drops the lease with its process, and a process that is merely stopped keeps it.
func (s *Store) Acquire(ctx context.Context, c ledger.Claim) (ledger.Lease, error) {
	lock, err := TakeLock(s.path)
	if err != nil {
		return nil, err
	}
	held := *s
	held.fence = nil
	mine := &fence{nonce: rand.Text()}
	err = held.change(ctx, "taking the writer lease of", func(tx *sql.Tx) error {
		const take = `UPDATE lease SET token = token + 1, nonce = ?, holder = ? RETURNING token`
		return tx.QueryRowContext(ctx, take, mine.nonce, ledger.CleanText(c.Holder)).Scan(&mine.token)
	})
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	held.fence = mine
	l := &Lease{lock: lock, store: &held}
	l.close = sync.OnceValue(l.release)
	return l, nil
}

// Token implements ledger.Lease.
func (l *Lease) Token() int64 { return l.store.fence.token }

// Store implements ledger.Lease.
func (l *Lease) Store() ledger.Store { return l.store }

// Held implements ledger.Lease.
func (l *Lease) Held(ctx context.Context) error {
	return l.store.explain(ctx, "asking for the writer lease of", errors.Join(l.store.inPlace(), l.store.fence.check(ctx, l.store.readers)))
}

// Close implements ledger.Lease. It must come before that of the store.
func (l *Lease) Close() error { return l.close() }

func (l *Lease) release() error {
	ctx, cancel := context.WithTimeout(context.Background(), l.store.busy+time.Second)
	defer cancel()
	_, err := l.store.writer.ExecContext(ctx, `UPDATE lease SET nonce = '' WHERE token = ? AND nonce = ?`, l.store.fence.token, l.store.fence.nonce)
	return errors.Join(l.store.explain(ctx, "giving back the writer lease of", err), l.lock.Close())
}

// fence is what a holder proves its lease with.
type fence struct {
	token int64
	nonce string
}

// check refuses with ledger.ErrFenced whoever is not the holder any more. Whoever is
// no holder (nil) writes unasked.
func (f *fence) check(ctx context.Context, db queryer) error {
	if f == nil {
		return nil
	}
	var token int64
	var nonce, holder string
	if err := db.QueryRowContext(ctx, `SELECT token, nonce, holder FROM lease`).Scan(&token, &nonce, &holder); err != nil {
		return err
	}
	switch {
	case token == f.token && nonce == f.nonce:
		return nil
	case nonce == "":
		return fmt.Errorf("%w: it was given back", ledger.ErrFenced)
	}
	return fmt.Errorf("%w: now %s has it", ledger.ErrFenced, holder)
}
