package alibaba

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// pace keeps all calls of an account under the vendor's limit, which holds for each
// API by itself (reference §2). A throttled call halves the rate of its API and
// stops the API for everybody until the time that the vendor asked for; each call
// that goes through gives a little of the rate back. Safe for concurrent use.
type pace struct {
	full   rate.Limit
	now    func() time.Time
	sleep  func(context.Context, time.Duration) error
	jitter func(time.Duration) time.Duration // 0 up to its argument

	mu    sync.Mutex
	lanes map[string]*lane
}

// lane is the pace of one API.
type lane struct {
	limiter *rate.Limiter
	closed  time.Time // no call before this
}

func newPace(qps float64) *pace {
	return &pace{
		full:   rate.Limit(qps),
		now:    time.Now,
		sleep:  sleep,
		jitter: func(most time.Duration) time.Duration { return rand.N(most + 1) },
		lanes:  map[string]*lane{},
	}
}

// lane needs p.mu. A burst of one leaves no second with more calls than the rate
// and one.
func (p *pace) lane(api string) *lane {
	l := p.lanes[api]
	if l == nil {
		l = &lane{limiter: rate.NewLimiter(p.full, 1)}
		p.lanes[api] = l
	}
	return l
}

// wait returns when the next call of the API may go out, or with the context's
// error.
func (p *pace) wait(ctx context.Context, api string) error {
	p.mu.Lock()
	l := p.lane(api)
	now := p.now()
	start := now
	if l.closed.After(now) {
		start = l.closed
	}
	turn := l.limiter.ReserveN(start, 1)
	delay := start.Sub(now) + turn.DelayFrom(start)
	p.mu.Unlock()
	if delay <= 0 {
		return ctx.Err()
	}
	if err := p.sleep(ctx, delay); err != nil {
		turn.CancelAt(p.now())
		return err
	}
	return nil
}

// throttled notes that the vendor refused a call of the API as too many; nothing
// goes out for the given time.
func (p *pace) throttled(api string, quiet time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.lane(api)
	now := p.now()
	if until := now.Add(quiet); until.After(l.closed) {
		l.closed = until
	}
	l.limiter.SetLimitAt(now, max(l.limiter.Limit()/2, p.full/16))
}

// passed notes a call of the API that was not throttled.
func (p *pace) passed(api string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.lane(api)
	if limit := l.limiter.Limit(); limit < p.full {
		l.limiter.SetLimitAt(p.now(), min(limit+p.full/16, p.full))
	}
}

// Delays between the attempts of one call double from the first to the longest,
// with full jitter, so that many clients do not come back together.
const (
	firstDelay   = 500 * time.Millisecond
	longestDelay = 20 * time.Second
)

// backoff is the delay after the given attempt, counted from 1.
func (p *pace) backoff(attempt int) time.Duration {
	most := firstDelay
	for i := 1; i < attempt && most < longestDelay; i++ {
		most *= 2
	}
	return p.jitter(min(most, longestDelay))
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
