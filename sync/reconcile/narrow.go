package reconcile

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"fwsync/cloudfw"
	"fwsync/ledger"
	"fwsync/sync/gates"
	"fwsync/sync/plan"
)

// Narrowed is what a pass about some addresses only leaves to later passes, and what it
// cannot leave.
type Narrowed struct {
	Left   int `json:"left"`   // blocks that are to come or to go, of other addresses
	Beside int `json:"beside"` // steps about other things: rules, books, what others have edited
}

// narrow leaves of the intent only what is about Look.Just: all else is as it is live. What
// is no block cannot be told apart, as rules and books are planned as a whole; how many
// steps that makes is told, so that a person can be asked.
func (j *job) narrow(intent *cloudfw.Intent, live cloudfw.Snapshot, decisions []ledger.Decision, now time.Time) error {
	if j.Just == nil || cmp.Or(j.kind, plan.Reconcile) != plan.Reconcile {
		return nil
	}
	made := map[int64]bool{}
	just := make([]netip.Prefix, 0, len(j.Just))
	for _, d := range j.Just {
		made[d.ID], just = true, append(just, d.Prefix)
	}
	// As it was before: what it would take to be so is what cannot be left out.
	var before []ledger.Decision
	for _, d := range decisions {
		switch revoked := !d.RevokedAt.IsZero(); {
		case made[d.ID] && !revoked:
			continue
		case made[d.ID]:
			d.RevokedAt = time.Time{}
		}
		before = append(before, d)
	}
	idle, _, err := j.intent(before, live, now)
	if err != nil {
		return err
	}
	left := 0
	intent.Blocked, left = blockedBut(*intent, live, decisions, just, now)
	idle.Rules = intent.Rules
	idle.Blocked, _ = blockedBut(idle, live, before, nil, now)
	p, err := plan.Compute(plan.Input{Intent: idle, Live: live, Limits: j.Limits, Cloud: j.Name, PolicyHash: j.Policy.Hash(), Now: now})
	if err != nil {
		return fmt.Errorf("planning what else is pending: %w", err)
	}
	j.report.Narrowed = &Narrowed{Left: left, Beside: len(p.Steps)}
	j.lapsed, j.report.Waiting = nil, nil // they stay as they are
	return nil
}

// blockedBut is what is blocked now but for what the intent says of some prefixes.
func blockedBut(intent cloudfw.Intent, live cloudfw.Snapshot, decisions []ledger.Decision, just []netip.Prefix, now time.Time) ([]cloudfw.Block, int) {
	kept, stays, left := gates.Narrow(intent.Owner, live, intent.Blocked, just)
	was := map[netip.Prefix]cloudfw.Block{}
	for _, d := range decisions {
		if b := was[d.Prefix]; d.Verdict == ledger.Block {
			was[d.Prefix] = stillBlocked(d, b, now)
		}
	}
	for _, p := range stays {
		b, is := was[p]
		if !is { // a network that some were put together to
			for of, one := range was {
				if cloudfw.Covers(p, of) {
					b.Score = max(b.Score, one.Score)
				}
			}
		}
		b.Prefix, b.Reason = p, "blocked still: what ends it waits for the next run"
		kept = append(kept, b)
	}
	slices.SortFunc(kept, func(a, b cloudfw.Block) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cloudfw.ComparePrefixes(a.Prefix, b.Prefix))
	})
	return kept, left
}

// stillBlocked is the block of a decision that has ended or was taken back, beside one of
// the same prefix: the worse score, and the end of the later decision if that is to come.
func stillBlocked(d ledger.Decision, b cloudfw.Block, now time.Time) cloudfw.Block {
	b.Score = max(b.Score, d.Score)
	if d.End.After(now) {
		b.Until = d.End
	}
	return b
}

// Beside counts the steps of all clouds that a pass about some addresses cannot leave out.
func (r Report) Beside() (n int) {
	for _, c := range r.Each() {
		if c.Narrowed != nil {
			n += c.Narrowed.Beside
		}
	}
	return n
}
