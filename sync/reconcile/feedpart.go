package reconcile

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"

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
	asked := askedBy(decisions)
	if len(asked.stored)+len(asked.fresh) == 0 {
		return
	}
	ofFeeds := func(b cloudfw.Block) bool { return asked.feed(b) != "" }
	var wait []cloudfw.Block
	intent.Blocked, wait = gates.Part(intent.Owner, j.seen.live, intent.Blocked, ofFeeds, j.Gates.NewBlocks)
	if len(wait) == 0 {
		return
	}
	j.standing, _ = gates.Part(intent.Owner, j.seen.live, intent.Blocked, ofFeeds, gates.Budget{})
	count := map[string]int{}
	for _, b := range wait {
		count[asked.feed(b)]++
	}
	for name, n := range count {
		j.report.Waiting = append(j.report.Waiting, Waiting{name, n})
	}
	slices.SortFunc(j.report.Waiting, func(a, b Waiting) int { return cmp.Compare(a.Feed, b.Feed) })
}

// askers say which feed asks for a block. Decisions that are not stored yet have no
// number: they are known by the prefix that they are about.
type askers struct {
	stored map[int64]string
	fresh  map[netip.Prefix]string
	others map[netip.Prefix]bool // what others ask for, not stored yet
}

func askedBy(decisions []ledger.Decision) askers {
	a := askers{map[int64]string{}, map[netip.Prefix]string{}, map[netip.Prefix]bool{}}
	for _, d := range decisions {
		name, ofFeed := decide.FeedOf(d)
		switch {
		case d.Verdict != ledger.Block:
		case ofFeed && d.ID != 0:
			a.stored[d.ID] = name
		case ofFeed:
			a.fresh[d.Prefix] = name
		case d.ID == 0:
			a.others[d.Prefix] = true
		}
	}
	return a
}

// feed is the name of a feed that asks for the block; empty if somebody else does too.
func (a askers) feed(b cloudfw.Block) (name string) {
	for _, id := range b.Decisions {
		if id != 0 {
			if name = a.stored[id]; name == "" {
				return ""
			}
			continue
		}
		// A block may be a part of what was decided.
		for bits := b.Prefix.Bits(); bits >= 0; bits-- {
			wider, _ := b.Prefix.Addr().Prefix(bits) // never an error: it has no more bits
			if a.others[wider] {
				return ""
			}
			name = cmp.Or(name, a.fresh[wider])
		}
	}
	return name
}

// More reports whether something waits for a later pass that this one has made room for.
func (r Report) More() bool {
	return slices.ContainsFunc(r.Each(), func(c *CloudReport) bool {
		return len(c.Waiting) > 0 && c.Applied != nil && c.Applied.Done > 0
	})
}
