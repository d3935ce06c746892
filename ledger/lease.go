package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrFenced refuses what a process wants to do whose lease is lost, or given back.
var ErrFenced = errors.New("the writer lease was lost")

// DefaultTTL is how long a lease lasts without being renewed: another process can
// take it over that long after its holder is gone.
const DefaultTTL = 15 * time.Second

// Claim says who wants the lease.
type Claim struct {
	Holder string        // for people: "pid 7 on mail-1"
	TTL    time.Duration // 0 means DefaultTTL; of no matter where the system itself drops the lease of a process that ends
}

// Lease is the writer lease of a ledger (promise P10): whoever holds it is the only
// process that may change the cloud from this ledger. It renews itself until it is
// closed or lost. It is safe for concurrent use.
type Lease interface {
	// Token is the fencing token: higher than that of every holder before.
	Token() int64
	// Store is the ledger as the holder writes to it: once the lease is lost or closed,
	// each write is refused with ErrFenced, in its own transaction. Closing it closes
	// the ledger itself.
	Store() Store
	// Held asks the ledger whether the lease is still this process's, renews it, and is
	// nil only if enough of it is left for a call to be made. To be asked right before
	// each call: a process that was stopped meanwhile learns here that it is late.
	Held(ctx context.Context) error
	// Close gives the lease back. Calling it again does nothing but return the same.
	Close() error
}

// HeldError says that another process has the lease.
type HeldError struct {
	Lease  string    // which: the lock file, or the database
	Holder string    // who, where and since when; "an unknown process" when it left no note
	Until  time.Time // when it ends, if it is not renewed, by the ledger's own clock; zero: with its holder
}

func (e *HeldError) Error() string {
	text := fmt.Sprintf("the writer lease %q is held by %s", e.Lease, e.Holder)
	if !e.Until.IsZero() {
		text += fmt.Sprintf(", until %s if it is not renewed", e.Until.UTC().Format(time.RFC3339))
	}
	return text
}
