package alibaba

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// vendorLimit is how many calls of one API the vendor takes from all clients of an
// account within one second (reference §2).
const vendorLimit = 10

// Of the vendor's limit, one call a second is never used, so that a person or
// another program gets through even beside a burst.
const mostPerSecond = vendorLimit - 1

// window is a second and a little: the vendor's may include both its ends.
const window = time.Second + time.Millisecond

// mostAtOnce is how many calls of one API go out without a pause after a quiet time:
// the four lists of the internet border are one observation.
const mostAtOnce = 4

// defaultQPS is the lasting rate of calls of one API.
const defaultQPS = 8

// Pace keeps calls under the vendor's limit, which holds for each API by itself and
// for the whole account (reference §2): accounts opened for several regions of one
// account share one Pace. A throttled call halves the rate of its API and stops the
// API for everybody until the time that the vendor asked for; each call that goes
// through gives a little of the rate back. Safe for concurrent use.
type Pace struct {
	full   float64 // calls per second and API
	now    func() time.Time
	sleep  func(context.Context, time.Duration) error
	jitter func(time.Duration) time.Duration // 0 up to its argument

	hurried bool // nobody waits: see NewHurriedPace

	mu    sync.Mutex
	lanes map[string]*lane
}

// lane is the pace of one API: spaced by the rate after mostAtOnce calls, and never
// more than mostPerSecond in any second.
type lane struct {
	rate   float64
	due    time.Time   // when the next call is due if all went out evenly
	sent   []time.Time // turns of the last second and to come, ascending
	closed time.Time   // no call before this
	stops  int         // how often it was throttled
}

// NewPace makes a pace of so many calls per second and API in the long run, above 0
// and below 10, the vendor's limit for everybody together; anything else means 8. No
// second holds more than 9 calls of an API.
func NewPace(qps float64) *Pace {
	if !(qps > 0 && qps < vendorLimit) {
		qps = defaultQPS
	}
	return &Pace{
		full:   qps,
		now:    time.Now,
		sleep:  sleep,
		jitter: func(most time.Duration) time.Duration { return rand.N(most + 1) },
		lanes:  map[string]*lane{},
	}
}

// lane needs p.mu.
func (p *Pace) lane(api string) *lane {
	l := p.lanes[api]
	if l == nil {
		l = &lane{rate: p.full}
		p.lanes[api] = l
	}
	return l
}

func (l *lane) gap() time.Duration { return time.Duration(float64(time.Second) / l.rate) }

// turn gives out the next turn. A lane that was throttled has no bursts until its
// rate is back.
func (l *lane) turn(now time.Time, full float64) time.Time {
	credit := time.Duration(0)
	if l.rate >= full {
		credit = (mostAtOnce - 1) * l.gap()
	}
	at := later(now, l.closed, l.due.Add(-credit))
	old := 0
	for old < len(l.sent) && now.Sub(l.sent[old]) >= window {
		old++
	}
	l.sent = append(l.sent[:0], l.sent[old:]...)
	if n := len(l.sent); n > 0 {
		at = later(at, l.sent[n-1])
		if n >= mostPerSecond {
			at = later(at, l.sent[n-mostPerSecond].Add(window))
		}
	}
	l.sent = append(l.sent, at)
	l.due = later(l.due, at).Add(l.gap())
	return at
}

func later(times ...time.Time) time.Time {
	last := times[0]
	for _, t := range times[1:] {
		if t.After(last) {
			last = t
		}
	}
	return last
}

// giveBack returns a turn that was not used; turns behind it stay as they are.
func (l *lane) giveBack(at time.Time) {
	for i, t := range l.sent {
		if t.Equal(at) {
			l.sent = append(l.sent[:i], l.sent[i+1:]...)
			l.due = l.due.Add(-l.gap())
			return
		}
	}
}

// wait returns when the next call of the API may go out, or with the context's
// error. Who waits while the API is throttled waits anew.
func (p *Pace) wait(ctx context.Context, api string) error {
	for {
		p.mu.Lock()
		l := p.lane(api)
		now, stops := p.now(), l.stops
		at := l.turn(now, p.full)
		p.mu.Unlock()

		err := ctx.Err()
		if delay := at.Sub(now); delay > 0 && err == nil {
			err = p.sleep(ctx, delay)
		}
		p.mu.Lock()
		stopped := l.stops != stops
		if err != nil && !stopped {
			l.giveBack(at)
		}
		p.mu.Unlock()
		if err != nil || !stopped {
			return err
		}
	}
}

// throttled notes that the vendor refused a call of the API as too many; nothing
// goes out for the given time.
func (p *Pace) throttled(api string, quiet time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.lane(api)
	now := p.now()
	l.closed = later(l.closed, now.Add(quiet))
	l.rate = max(l.rate/2, p.full/16)
	l.stops++
	// Turns that are still to come are void.
	past := 0
	for past < len(l.sent) && !l.sent[past].After(now) {
		past++
	}
	l.sent, l.due = l.sent[:past], l.closed
}

// passed notes a call of the API that was not throttled.
func (p *Pace) passed(api string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.lane(api)
	l.rate = min(l.rate+p.full/16, p.full)
}

// Delays between the attempts of one call double from the first to the longest,
// with full jitter, so that many clients do not come back together.
const (
	firstDelay   = 500 * time.Millisecond
	longestDelay = 20 * time.Second
)

// backoff is the delay after the given attempt, counted from 1.
func (p *Pace) backoff(attempt int) time.Duration {
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
