package wrap

import (
	"context"
	"fmt"
	"sync"
	"time"

	"fwsync/cloudfw"
)

// Rate is how many steps may begin within any stretch of time as long as Per.
type Rate struct {
	Steps    int           // at least 1
	Per      time.Duration // above 0
	Reserved int           // of Steps, kept for steps that are Urgent; below Steps, 0 treats all alike
}

// Throttle is an account on which at most rate.Steps steps begin within any
// rate.Per, whatever the number of goroutines. Steps that wait go in the order in
// which they came; urgent ones have a queue of their own and never wait for ordinary
// ones as long as no more than rate.Reserved of them come within rate.Per.
// Observations do not wait. A step whose ctx ends while it waits is Canceled and was
// not sent. A rate that lets no ordinary step through is an Invalid error.
func Throttle(a cloudfw.Account, rate Rate) (cloudfw.Account, error) {
	if rate.Steps < 1 || rate.Per <= 0 || rate.Reserved < 0 || rate.Reserved >= rate.Steps {
		return nil, &cloudfw.Error{Op: "throttling", Kind: cloudfw.Invalid,
			Message: fmt.Sprintf("%d steps per %v with %d reserved lets no ordinary step through", rate.Steps, rate.Per, rate.Reserved)}
	}
	return &throttle{
		Account: a, rate: rate,
		urgent:   lane{head: make(chan struct{}, 1), share: rate.Steps},
		ordinary: lane{head: make(chan struct{}, 1), share: rate.Steps - rate.Reserved},
	}, nil
}

type urgentKey struct{}

// Urgent marks the steps of a person who waits, such as an incident response:
// Throttle lets them into the reserved share.
func Urgent(ctx context.Context) context.Context { return context.WithValue(ctx, urgentKey{}, true) }

type throttle struct {
	cloudfw.Account
	rate             Rate
	urgent, ordinary lane

	mu     sync.Mutex
	begins []time.Time // of the latest steps, oldest first, rate.Steps at the most
}

// lane is a queue of steps. Whoever holds its head waits for a place, the others
// for the head, which a channel hands on in the order in which they asked.
type lane struct {
	head  chan struct{}
	share int // begins within Per up to which the lane may add one
}

// Execute implements cloudfw.Writer.
func (t *throttle) Execute(ctx context.Context, step cloudfw.Step) error {
	l := &t.ordinary
	if ctx.Value(urgentKey{}) != nil {
		l = &t.urgent
	}
	if err := t.wait(ctx, l); err != nil {
		return canceled(step, err)
	}
	return t.Account.Execute(ctx, step)
}

func (t *throttle) wait(ctx context.Context, l *lane) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case l.head <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-l.head }()
	for {
		delay := t.begin(time.Now(), l.share)
		if delay <= 0 {
			return nil
		}
		if err := sleep(ctx, delay); err != nil {
			return err
		}
	}
}

// begin notes a step that begins now, or says how long the lane has to wait before
// it is worth asking again.
func (t *throttle) begin(now time.Time, share int) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.begins) > 0 && now.Sub(t.begins[0]) >= t.rate.Per {
		t.begins = t.begins[1:]
	}
	if n := len(t.begins); n >= share {
		return t.begins[n-share].Add(t.rate.Per).Sub(now)
	}
	t.begins = append(t.begins, now)
	return 0
}
