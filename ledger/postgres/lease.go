package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"fwsync/ledger"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Lease implements ledger.Lease by a row whose times are the server's: the clocks of
// the hosts do not matter, only that they run at the same speed.
//
// Held leaves a third of the TTL as a margin, by this process's monotonic clock from
// before the question was sent. That clock also runs while a process is stopped, but
// on Linux not while the whole machine sleeps: after that, the server's answer is what
// tells. What no check can prevent is a process that is stopped for longer than the
// margin between Held and the call: it makes that one call when it goes on, and none
// after it.
type Lease struct {
	store *Store // the holder's view
	ttl   time.Duration
	stop  context.CancelFunc
	ended chan struct{} // the renewing has
	close func() error
}

// tries bounds the races with a lease that ends while it is asked for.
const tries = 3

// Acquire implements ledger.Store. A holder that is gone is followed after its TTL; one
// that was stopped in the middle of a transaction may take up to five seconds more.
func (s *Store) Acquire(ctx context.Context, c ledger.Claim) (ledger.Lease, error) {
	if c.TTL <= 0 {
		c.TTL = ledger.DefaultTTL
	}
	held := *s
	held.fence = &fence{nonce: rand.Text()}
	err := s.within(ctx, "taking the writer lease of", func(ctx context.Context) error {
		for range tries {
			err := held.fence.take(ctx, s, c)
			if !errors.Is(err, pgx.ErrNoRows) {
				if unheard(err) {
					held.fence.forgo(ctx, s)
				}
				return err
			}
			other := &ledger.HeldError{Lease: s.place}
			var since time.Time
			const who = `SELECT holder, since, expires FROM lease WHERE expires > clock_timestamp()`
			err = s.pool.QueryRow(ctx, who).Scan(&other.Holder, &since, &other.Until)
			if err == nil {
				other.Holder += " since " + since.UTC().Format(time.RFC3339)
				return other
			}
			if !errors.Is(err, pgx.ErrNoRows) {
				return err
			}
		}
		return errors.New("it comes and goes: others are taking it all the time")
	})
	if other, ok := errors.AsType[*ledger.HeldError](err); ok {
		return nil, other
	}
	if err != nil {
		return nil, err
	}
	l := &Lease{store: &held, ttl: c.TTL, ended: make(chan struct{})}
	renewing, stop := context.WithCancel(context.Background())
	l.stop, l.close = stop, sync.OnceValue(l.release)
	go l.keep(renewing)
	return l, nil
}

// Token implements ledger.Lease.
func (l *Lease) Token() int64 { return l.store.fence.token }

// Store implements ledger.Lease.
func (l *Lease) Store() ledger.Store { return l.store }

// Held implements ledger.Lease.
func (l *Lease) Held(ctx context.Context) error {
	return l.store.within(ctx, "asking for the writer lease of", func(ctx context.Context) error {
		for range tries {
			asked := time.Now()
			if err := l.store.again(ctx, func() error { return l.store.fence.renew(ctx, l.store, l.ttl) }); err != nil {
				return err
			}
			if l.ttl-time.Since(asked) > l.ttl/3 {
				return nil
			}
		}
		return fmt.Errorf("%w: the answer takes longer than two thirds of its %s", ledger.ErrFenced, l.ttl)
	})
}

// Close implements ledger.Lease. It must come before that of the store.
func (l *Lease) Close() error { return l.close() }

func (l *Lease) release() error {
	l.stop()
	<-l.ended
	return l.store.within(context.Background(), "giving back the writer lease of", func(ctx context.Context) error {
		return l.store.fence.free(ctx, l.store)
	})
}

// keep renews the lease three times in its TTL until ctx ends or it is lost. A server
// that is gone is asked again: whoever wants to write asks by itself.
func (l *Lease) keep(ctx context.Context) {
	defer close(l.ended)
	ticks := time.NewTicker(max(l.ttl/3, time.Millisecond))
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		bounded, cancel := context.WithTimeout(ctx, l.ttl)
		err := l.store.fence.renew(bounded, l.store, l.ttl)
		cancel()
		if errors.Is(err, ledger.ErrFenced) {
			return
		}
	}
}

// fence is what a holder proves its lease with.
type fence struct {
	token int64
	nonce string
}

// take makes the fence the holder's, or returns pgx.ErrNoRows while another's lasts.
func (f *fence) take(ctx context.Context, s *Store, c ledger.Claim) error {
	const take = `UPDATE lease SET token = token + 1, nonce = $1, holder = $2,
			since = clock_timestamp(), expires = clock_timestamp() + $3 * interval '1 microsecond'
		WHERE expires <= clock_timestamp() RETURNING token`
	return s.pool.QueryRow(ctx, take, f.nonce, ledger.CleanText(c.Holder), c.TTL.Microseconds()).Scan(&f.token)
}

// unheard reports whether the server may have done what it was asked, though all that came
// back is err: the question was sent, and the answer not waited for or lost.
func unheard(err error) bool {
	_, answered := errors.AsType[*pgconn.PgError](err)
	return err != nil && !answered && !pgconn.SafeToRetry(err)
}

// forgo gives back a lease that was perhaps granted to somebody who does not listen any
// more. What cannot be given back ends with its TTL, and so does what is granted later,
// should the server still be at it.
func (f *fence) forgo(ctx context.Context, s *Store) {
	brief, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = f.free(brief, s)
}

// free ends the lease if it is this fence's.
func (f *fence) free(ctx context.Context, s *Store) error {
	_, err := s.pool.Exec(ctx, `UPDATE lease SET nonce = '', expires = '-infinity' WHERE nonce = $1`, f.nonce)
	return err
}

// renew prolongs the lease, also one that ended and that nobody took since.
func (f *fence) renew(ctx context.Context, s *Store, ttl time.Duration) error {
	const renew = `UPDATE lease SET expires = clock_timestamp() + $3 * interval '1 microsecond' WHERE token = $1 AND nonce = $2`
	done, err := s.pool.Exec(ctx, renew, f.token, f.nonce, ttl.Microseconds())
	if err != nil || done.RowsAffected() == 1 {
		return err
	}
	return f.lost(ctx, s.pool)
}

// check refuses with ledger.ErrFenced whoever is not the holder any more. It comes
// last in a transaction, and keeps others from taking the lease until its end.
// Whoever is no holder (nil) writes unasked.
func (f *fence) check(ctx context.Context, tx pgx.Tx) error {
	if f == nil {
		return nil
	}
	var held bool
	err := tx.QueryRow(ctx, `SELECT true FROM lease WHERE token = $1 AND nonce = $2 FOR SHARE`, f.token, f.nonce).Scan(&held)
	if errors.Is(err, pgx.ErrNoRows) {
		return f.lost(ctx, tx)
	}
	return err
}

// lost says who has the lease now.
func (f *fence) lost(ctx context.Context, db queryer) error {
	var nonce, holder string
	var since time.Time
	if err := db.QueryRow(ctx, `SELECT nonce, holder, greatest(since, 'epoch') FROM lease`).Scan(&nonce, &holder, &since); err != nil {
		return err
	}
	if nonce == "" {
		return fmt.Errorf("%w: it was given back", ledger.ErrFenced)
	}
	return fmt.Errorf("%w: %s has it since %s", ledger.ErrFenced, holder, since.UTC().Format(time.RFC3339))
}
