package main

import (
	"context"
	"slices"
	"time"

	"fwsync/sync/reconcile"
)

// followFeed reads a feed whenever it is due. Its health is told with every pass.
func (r *runner) followFeed(ctx context.Context, look *reconcile.Look, feed reconcile.Feed) {
	log := r.log.With("feed", feed.Name)
	before, err := look.FeedStanding(ctx, feed)
	if err == nil {
		r.watch.Beside(before)
	}
	timer := time.NewTimer(time.Until(before.Next))
	defer timer.Stop()
	told := before.Report.Health
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
			r.watch.Beside(read)
			if h := read.Report.Health; h.OK != told.OK || !h.OK && !slices.Equal(h.Notes, told.Notes) {
				log.Warn("feed read", "healthy", h.OK, "notes", h.Notes)
				r.loop.Wish("health of feed " + feed.Name)
				told = h
			}
			if n := read.Counted; n.New+n.Prolonged+n.Ended > 0 {
				log.Info("feed read", "entries", read.Report.Feed.Entries, "new", n.New, "prolonged", n.Prolonged, "gone", n.Ended)
				r.loop.Wish("feed " + feed.Name)
			}
		}
		timer.Reset(max(next, time.Second))
	}
}
