package gates

import (
	"fmt"
	"net/netip"
	"strings"

	"fwsync/cloudfw"
	"fwsync/cloudfw/lower"
	"fwsync/sync/plan"
)

// blastRadius is promise P13: how much one plan may newly block, stop blocking
// without a decision that ended, and delete. It counts what the steps come to, in
// prefixes; the text says how many addresses those cover. New is what is in none of
// our sets before the plan, so that putting a lost rule back is not a flood. Where
// aggregation makes few prefixes of many decisions, the decisions count; of a prefix and
// those within it, the latter.
func blastRadius(in Input) Finding {
	out := in.result()
	var added, stopped []netip.Prefix
	newly, decided := out.covered.minus(out.heldSet), 0
	for _, p := range out.entries {
		switch n := len(added); {
		case !newly.meets(p):
		case n > 0 && cloudfw.Covers(added[n-1], p): // the same addresses, put together for a target with less room
			added[n-1] = p
		default:
			added = append(added, p)
		}
	}
	for _, b := range in.Intent.Blocked {
		if newly.meets(b.Prefix) && out.covered.holds(b.Prefix) {
			decided++
		}
	}
	var ended []netip.Prefix
	for p, over := range in.Ended {
		if over {
			ended = append(ended, p)
		}
	}
	unexplained := out.removed.minus(union(ended))
	for _, p := range out.before {
		if unexplained.meets(p) {
			stopped = append(stopped, p)
		}
	}
	deleted, ours := 0, 0
	for _, s := range in.Plan.Steps {
		// What a person takes back, and what enforces nothing any more, goes without a word.
		// Policies of a lapse bucket come and go with what they block, which is counted.
		if s.Op == cloudfw.DeleteRule && in.Plan.Kind != plan.Lifting && !s.Rule.Validity.Lapsed(in.Live.TakenAt) && !ofBucket(in.Plan.Owner, *s.Rule) {
			deleted++
		}
	}
	for _, r := range in.Live.Rules {
		if in.Plan.Owner.Owns("rule", r.Description) {
			ours++
		}
	}
	blocks := max(len(added), decided)
	f := Finding{
		LookedAt: fmt.Sprintf("%s (%s), %d that end without a decision that ended, %s deleted", count(blocks, "new block"), newly, len(stopped), count(deleted, "rule")),
		lead:     "the plan would ", apart: true,
	}
	judge := func(b Budget, n, present int, what, flag string) {
		why, over := b.over(n, present)
		if !over {
			f.Passed += n
			return
		}
		flag = fmt.Sprintf("%s %d", flag, n)
		f.Withheld = append(f.Withheld, Withheld{what, why, "if that is right, pass " + flag, flag})
	}
	block := "newly block "
	if in.Plan.Kind == plan.Adopt {
		block = "take over blocks of "
	}
	judge(in.Limits.NewBlocks, blocks, len(out.held), block+measured(blocks, added, newly), "--max-new-blocks")
	judge(in.Limits.RemovedBlocks, len(stopped), len(out.before), "stop blocking "+strings.Replace(measured(len(stopped), stopped, unexplained), "addresses", "addresses whose decisions have not ended", 1), "--max-removed-blocks")
	judge(in.Limits.DeletedRules, deleted, ours, "delete "+count(deleted, "rule")+" of ours", "--max-deleted-rules")
	return f
}

// ofBucket reports whether a policy names the book of a lapse bucket.
func ofBucket(owner cloudfw.Owner, r cloudfw.FirewallRule) bool {
	_, source := lower.Lapse(owner, r.Source.Value)
	_, destination := lower.Lapse(owner, r.Destination.Value)
	return source && r.Source.Kind == cloudfw.Book || destination && r.Destination.Kind == cloudfw.Book
}

// measured is a number of blocks, with what they cover where that is more.
func measured(n int, blocks []netip.Prefix, cover spans) string {
	text := fmt.Sprintf("%d addresses", n)
	for _, p := range blocks {
		if !p.IsSingleIP() {
			return text + " and prefixes, which cover " + cover.String()
		}
	}
	return text
}
