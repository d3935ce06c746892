package reconcile

import (
	"context"
	"time"

	"fwsync/detect/sources"
)

// Take counts what was read, as Run does.
func (w *Watch) Take(b sources.Batch) { w.take(b) }

// Tick looks at what was found now and then, as Run does, but as seldom as it is told.
func (w *Watch) Tick(ctx context.Context, pause time.Duration) (stop func()) {
	w.pause = pause
	return w.tick(ctx)
}

// Gather reads the sources and feeds, and stores nothing.
func (l *Look) Gather(ctx context.Context) (Gathered, error) { return l.gather(ctx) }
