package reconcile

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"fwsync/cloudfw"
	"fwsync/cloudfw/lower"
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
	bucket := inLapseBuckets(intent.Owner, live)
	intent.Blocked, left = blockedBut(*intent, live, decisions, just, bucket, now)
	idle.Rules = intent.Rules
	idle.Blocked, _ = blockedBut(idle, live, before, nil, bucket, now)
	p, err := plan.Compute(plan.Input{Intent: idle, Live: live, Limits: j.Limits, Cloud: j.Name, PolicyHash: j.Policy.Hash(), Now: now})
	if err != nil {
		return fmt.Errorf("planning what else is pending: %w", err)
	}
	j.report.Narrowed = &Narrowed{Left: left, Beside: beside(p, live, bucket)}
	j.lapsed, j.report.Waiting = nil, nil // they stay as they are
	return nil
}

// blockedBut is what is blocked now but for what the intent says of some prefixes. A block
// in a lapse bucket stays in it; one that the firewall itself has ended is not made again,
// and ends where no clock does that too.
func blockedBut(intent cloudfw.Intent, live cloudfw.Snapshot, decisions []ledger.Decision, just []netip.Prefix, bucket map[netip.Prefix]time.Time, now time.Time) ([]cloudfw.Block, int) {
	kept, stays, left := gates.Narrow(intent.Owner, live, intent.Blocked, just)
	was := map[netip.Prefix]cloudfw.Block{}
	for _, d := range decisions {
		if b := was[d.Prefix]; d.Verdict == ledger.Block {
			was[d.Prefix] = stillBlocked(d, b, now)
		}
	}
	for _, p := range stays {
		end, lapses := bucket[p]
		if lapses && !end.After(live.TakenAt) {
			left--
			continue
		}
		b, is := was[p]
		if !is { // a network that some were put together to
			for of, one := range was {
				if cloudfw.Covers(p, of) {
					b.Score = max(b.Score, one.Score)
				}
			}
		}
		b.Prefix, b.Reason = p, "blocked still: what ends it waits for the next run"
		if lapses {
			b.Until, b.Lapses = end, true
		}
		kept = append(kept, b)
	}
	slices.SortFunc(kept, func(a, b cloudfw.Block) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cloudfw.ComparePrefixes(a.Prefix, b.Prefix))
	})
	return kept, left
}

// inLapseBuckets are the prefixes that are in a lapse bucket and in no other of our books,
// with its end.
func inLapseBuckets(owner cloudfw.Owner, live cloudfw.Snapshot) map[netip.Prefix]time.Time {
	at, endless := map[netip.Prefix]time.Time{}, map[netip.Prefix]bool{}
	for _, b := range live.Books {
		if !owner.OwnsBook(b) {
			continue
		}
		end, lapses := lower.Lapse(owner, b.Name)
		for _, p := range b.Prefixes {
			if !lapses {
				endless[p] = true
			} else if end.After(at[p]) {
				at[p] = end
			}
		}
	}
	maps.DeleteFunc(at, func(p netip.Prefix, _ time.Time) bool { return endless[p] })
	return at
}

// beside counts the steps that a person may not want. What clears away what a firewall
// itself has ended is none of them.
func beside(p plan.Plan, live cloudfw.Snapshot, bucket map[netip.Prefix]time.Time) (n int) {
	over := func(p netip.Prefix) bool {
		end, lapses := bucket[p]
		return lapses && !end.After(live.TakenAt)
	}
	for _, s := range p.Steps {
		clears := false
		switch s.Op {
		case cloudfw.DeleteRule:
			clears = s.Rule.Validity.Lapsed(live.TakenAt)
		case cloudfw.DeleteBook:
			end, lapses := lower.Lapse(p.Owner, s.Book.Name)
			clears = lapses && !end.After(live.TakenAt)
		case cloudfw.EditList: // somebody else may take the place
			clears = slices.ContainsFunc(s.Removed, over)
		case cloudfw.RevokeRules:
			clears = !slices.ContainsFunc(s.GroupRules, func(r cloudfw.GroupRule) bool {
				prefixes, known := live.Addresses(r.Peer)
				return !known || !slices.ContainsFunc(prefixes, over)
			})
		}
		if !clears {
			n++
		}
	}
	return n
}

// stillBlocked is the block of a decision that has ended or was taken back, beside one of
// the same prefix: the worse score, and the end of the later decision if that is to come.
func stillBlocked(d ledger.Decision, b cloudfw.Block, now time.Time) cloudfw.Block {
	b.Score = max(b.Score, d.Score)
	if d.End.After(now) && d.End.After(b.Until) {
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
