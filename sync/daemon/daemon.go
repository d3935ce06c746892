// Package daemon keeps a controller at work: when to make a pass, never what one does.
// The loop looks at levels, not edges: however many wishes come, and whatever was
// missed, the next pass brings everything to what the policies and the ledger say.
package daemon

import (
	"context"
	"math/rand/v2"
	"time"
)

// Outcome is what a pass came to, as far as the next one depends on it.
type Outcome struct {
	// Failed passes are made again soon, later each time.
	Failed bool
	// NextAt is when something changes by itself, as a block that ends; zero if nothing does.
	NextAt time.Time
}

// Loop makes passes. Zero durations mean the defaults.
type Loop struct {
	// Pass makes one pass, for the reasons that it is told. It returns when ctx ends,
	// between two steps.
	Pass func(ctx context.Context, why []string) Outcome

	Settle  time.Duration // waits so long for more wishes; 50 ms
	Spacing time.Duration // between the beginnings of two passes, 400 ms
	Retry   time.Duration // between the end of one that failed and the next, twice that each time: 2 s …
	Longest time.Duration // … and at most; 2 min
	Resync  time.Duration // a pass without any wish, a tenth sooner or later; 5 min

	wishes chan string
}

// New returns a loop that makes a pass at once when it runs.
func New(pass func(ctx context.Context, why []string) Outcome) *Loop {
	return &Loop{
		Pass: pass, Settle: 50 * time.Millisecond, Spacing: 400 * time.Millisecond, Retry: 2 * time.Second, Longest: 2 * time.Minute, Resync: 5 * time.Minute,
		wishes: make(chan string, 16),
	}
}

// Wish asks for a pass, soon. It never waits, and is safe to be called at any time by
// anybody: wishes that come together are one.
func (l *Loop) Wish(why string) {
	select {
	case l.wishes <- why:
	default: // a pass is due anyway
	}
}

// Run makes passes until ctx ends. The pass that is under way then stops between two
// of its steps.
func (l *Loop) Run(ctx context.Context) {
	why, failures := []string{"start"}, 0
	for ctx.Err() == nil {
		began := time.Now()
		outcome := l.Pass(ctx, why)
		ended := time.Now()
		earliest, resync := began.Add(l.Spacing), l.Resync
		if failures++; !outcome.Failed {
			failures = 0
		} else {
			resync = min(l.Retry<<min(failures-1, 16), l.Longest)
			earliest = ended.Add(resync)
		}
		why = l.wait(ctx, earliest, next(ended, jitter(resync), outcome.NextAt))
	}
}

// wait returns why there is to be a pass: wishes, but not before the earliest time, or
// the time. What comes meanwhile, and shortly after, is part of it.
func (l *Loop) wait(ctx context.Context, earliest, until time.Time) (why []string) {
	due := time.NewTimer(time.Until(until))
	defer due.Stop()
	select {
	case <-ctx.Done():
		return nil
	case <-due.C:
		why = append(why, "time")
	case wish := <-l.wishes:
		why = append(why, wish)
	}
	calm := time.NewTimer(max(l.Settle, time.Until(earliest)))
	defer calm.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-calm.C:
			return why
		case wish := <-l.wishes:
			if len(why) < cap(l.wishes) {
				why = append(why, wish)
			}
		}
	}
}

func next(ended time.Time, resync time.Duration, change time.Time) time.Time {
	if at := ended.Add(resync); change.IsZero() || at.Before(change) {
		return at
	}
	return change
}

// jitter keeps many hosts that were started together from calling together.
func jitter(d time.Duration) time.Duration {
	return d - d/10 + rand.N(d/5+1)
}
