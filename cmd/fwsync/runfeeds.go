package main

import (
	"context"
	"time"

	"fwsync/sync/reconcile"
)

// followFeed reads a feed whenever it is due. Its health is told with every pass.
func (r *runner) followFeed(ctx context.Context, look *reconcile.Look, feed reconcile.Feed) {
	log := r.log.With("feed", feed.Name)
	due, err := look.FeedDue(ctx, feed)
	if err != nil {
		due = time.Now()
	}
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	well := true
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		read, err := look.RefreshFeed(ctx, feed)
		next := time.Until(read.Next)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			log.Error("the feed is not stored: trying again", "error", err)
			next = time.Minute
		default:
			r.watch.Beside(read.Report)
			if ok := read.Report.Health.OK; !ok || !well {
				log.Warn("feed read", "healthy", ok, "notes", read.Report.Health.Notes)
				well = ok
			}
			if len(read.Intake.Decisions) > 0 {
				log.Info("feed read", "entries", read.Report.Lines, "new", read.New, "gone", read.Gone)
				r.loop.Wish("feed " + feed.Name)
			}
		}
		timer.Reset(max(next, time.Second))
	}
}
