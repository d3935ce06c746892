package wrap

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"fwsync/cloudfw"
)

// Retries says how often and after which pauses an observation is made again. The
// zero value is three attempts in all, about one and two seconds apart.
type Retries struct {
	// Attempts is the most observations made for one that was asked for, the first
	// included. Zero means 3; 1 means no repeats.
	Attempts int
	// Pause is the wait after the given failed attempt, counted from 1. Nil means one
	// second, doubling up to 30, each with up to half of it taken off at random so that
	// many do not come back together.
	Pause func(attempt int) time.Duration
	// Sleep waits for d or until ctx ends, and then returns ctx's error. Nil means a timer.
	Sleep func(ctx context.Context, d time.Duration) error
}

// Retry is an account that observes again when an observation was Unavailable or
// Throttled. Steps are never repeated: whether a write may be made again only a
// look at the account tells (promise P6). When ctx ends during a pause the error is
// Canceled and names the failure that was being waited out.
func Retry(a cloudfw.Account, r Retries) cloudfw.Account {
	r.Attempts = cmp.Or(r.Attempts, 3)
	if r.Pause == nil {
		r.Pause = doubling
	}
	if r.Sleep == nil {
		r.Sleep = sleep
	}
	return &retry{a, r}
}

type retry struct {
	cloudfw.Account
	Retries
}

// Observe implements cloudfw.Reader.
func (r *retry) Observe(ctx context.Context, scope cloudfw.Scope) (cloudfw.Snapshot, error) {
	for attempt := 1; ; attempt++ {
		snap, err := r.Account.Observe(ctx, scope)
		if err == nil {
			return snap, nil
		}
		kind := cloudfw.KindOf(err)
		if attempt >= r.Attempts || kind != cloudfw.Unavailable && kind != cloudfw.Throttled {
			return cloudfw.Snapshot{}, err
		}
		if ended := r.Sleep(ctx, r.Pause(attempt)); ended != nil {
			return cloudfw.Snapshot{}, &cloudfw.Error{
				Op: "observing", Kind: cloudfw.Canceled, Message: fmt.Sprintf("%v, after attempt %d failed: %v", ended, attempt, err),
			}
		}
	}
}

func doubling(attempt int) time.Duration {
	const first, longest = time.Second, 30 * time.Second
	d := longest
	if attempt < 6 {
		d = first << (attempt - 1)
	}
	return d - rand.N(d/2)
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
