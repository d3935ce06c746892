package alibaba

import (
	"context"
	"sync"
	"time"
)

// NewHurriedPace returns a pace for a simulator: it keeps turns and rates like any
// other, but by a clock of its own that jumps ahead whenever somebody would wait, so
// nobody does. Open takes it only together with Options.Insecure, which no endpoint of
// the vendor's is. Clock reads that clock.
func NewHurriedPace(start time.Time) *Pace {
	var mu sync.Mutex
	now := start
	p := NewPace(0)
	p.hurried = true
	p.now = func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}
	p.sleep = func(ctx context.Context, d time.Duration) error {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(max(d, 0))
		return ctx.Err()
	}
	return p
}

// Clock is the pace's time: the wall clock's, but for a hurried pace.
func (p *Pace) Clock() time.Time { return p.now() }
