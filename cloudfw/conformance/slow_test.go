package conformance

import (
	"context"
	"sync"
	"testing"
	"time"

	"fwsync/cloudfw"
	"fwsync/cloudfw/simulator"
)

// late is an account whose first look after a write shows what was there before it.
type late struct {
	cloudfw.Account

	mu    sync.Mutex
	last  cloudfw.Snapshot
	stale bool
}

func (l *late) Observe(ctx context.Context, scope cloudfw.Scope) (cloudfw.Snapshot, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stale && l.last.Rules != nil && ctx.Err() == nil && len(scope.Groups) == len(l.last.Groups) {
		l.stale = false
		return l.last, nil
	}
	snap, err := l.Account.Observe(ctx, scope)
	if err == nil && len(scope.Groups) == 1 {
		l.last = snap
	}
	return snap, err
}

func (l *late) Execute(ctx context.Context, step cloudfw.Step) error {
	err := l.Account.Execute(ctx, step)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stale = l.stale || err == nil
	return err
}

// An account that shows its writes late conforms if it is said to be slow.
func TestASlowAccountIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	RunApart(t, func(t *testing.T) Subject {
		s := newService(t, simulator.Options{})
		before := s.cloud.Snapshot()
		t.Cleanup(func() { demandUntouched(t, before, s.cloud.Snapshot()) })
		subject := s.subject(t, 6, func(_ *testing.T, a cloudfw.Account) cloudfw.Account { return &late{Account: a} })
		subject.Slow, subject.rest = true, time.Millisecond
		return subject
	})
}
