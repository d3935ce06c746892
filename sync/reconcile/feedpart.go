package reconcile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"fwsync/cloudfw"
	"fwsync/ledger"
	"fwsync/sync/decide"
	"fwsync/sync/gates"
	"fwsync/sync/plan"
)

// Waiting are blocks that a feed asks for and that are left to later passes, so that one
// long list stops nothing else: together with the others they would be more than one plan
// may newly block.
type Waiting struct {
	Feed   string `json:"feed"`
	Blocks int    `json:"blocks"`
}

func (w Waiting) String() string {
	return fmt.Sprintf("%d blocks of the feed %s wait for later runs, which take them in by parts", w.Blocks, w.Feed)
}

// part leaves out of the intent what waits. Feeds only wait for room: what people,
// detections and incidents ask for is judged by the gates as a whole.
func (j *job) part(intent *cloudfw.Intent, decisions []ledger.Decision) {
	if cmp.Or(j.kind, plan.Reconcile) != plan.Reconcile {
		return
	}
	feed := map[int64]string{}
	for _, d := range decisions {
		if decide.OfFeed(d) {
			feed[d.ID] = strings.TrimPrefix(d.Author, decide.FeedAuthor(""))
		}
	}
	if len(feed) == 0 {
		return
	}
	ofFeeds := func(b cloudfw.Block) bool {
		return !slices.ContainsFunc(b.Decisions, func(id int64) bool { return feed[id] == "" })
	}
	var wait []cloudfw.Block
	intent.Blocked, wait = gates.Part(intent.Owner, j.seen.live, intent.Blocked, ofFeeds, j.Gates.NewBlocks)
	if len(wait) == 0 {
		return
	}
	j.standing, _ = gates.Part(intent.Owner, j.seen.live, intent.Blocked, ofFeeds, gates.Budget{})
	count := map[string]int{}
	for _, b := range wait {
		count[feed[b.Decisions[0]]]++
	}
	for name, n := range count {
		j.report.Waiting = append(j.report.Waiting, Waiting{name, n})
	}
	slices.SortFunc(j.report.Waiting, func(a, b Waiting) int { return cmp.Compare(a.Feed, b.Feed) })
}

// More reports whether something waits for a later pass that this one has made room for.
func (r Report) More() bool {
	return slices.ContainsFunc(r.Each(), func(c *CloudReport) bool {
		return len(c.Waiting) > 0 && c.Applied != nil && c.Applied.Done > 0
	})
}
