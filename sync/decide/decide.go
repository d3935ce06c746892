// Package decide turns detections into decisions: for how long, how often before,
// and when not; and says which decisions the policies bear no longer. It is pure;
// what a decision does to the cloud is not its business.
package decide

import (
	"cmp"
	"fmt"
	"net/netip"
	"time"

	"fwsync/cloudfw"
	"fwsync/detect"
	"fwsync/ledger"
	"fwsync/policies"
)

// Author marks decisions that fwsync itself made from detections.
const Author = "fwsync"

// Automatic reports whether a detection made the decision. All others are a person's or
// a feed's.
func Automatic(d ledger.Decision) bool { return d.Author == Author && d.Rule != "" }

// Found is a detection and where it came from.
type Found struct {
	detect.Detection
	Source string
	// Shift is added to log time to get real time. It is zero but for a source that
	// is declared with its last line as "now", for demonstrations.
	Shift time.Duration
}

// Input is what a pass over the sources found and what is known already.
type Input struct {
	Found  []Found
	Rules  []policies.Detection // a detection of none of them only reports
	Known  []ledger.Decision    // in any order, what is over included
	Exempt []cloudfw.Exempt     // allowlist, active allow decisions, our own addresses
	Now    time.Time
}

// Result says of each detection what becomes of it.
type Result struct {
	// Decisions to store: new ones without an ID, prolonged ones with theirs.
	Decisions []ledger.Decision
	Withheld  []Withheld
}

// Withheld is a detection that does not block, and why.
type Withheld struct {
	Found  Found
	Reason string
}

// Decide judges each detection by itself; their order means nothing, and judging them
// again after the decisions were stored changes nothing.
//
// A decision runs from the log's time: it ends its term after the last signal, so what
// a log says of last month blocks nobody today. More signals never shorten it. A block
// that is over begins anew only with a crossing after its end, one step up the
// escalation. What a person decided comes first: an allow or a block in force, and for
// the rule's cool-down what was unblocked.
func Decide(in Input) Result {
	record := remember(in.Known, in.Now)
	rules := map[string]*policies.Detection{}
	for i := range in.Rules {
		rules[in.Rules[i].Name] = &in.Rules[i]
	}
	exempt := nest(in.Exempt, func(e cloudfw.Exempt) netip.Prefix { return e.Prefix })
	var result Result
	for _, f := range in.Found {
		rule := rules[f.Rule]
		d, why := judge(f, rule, record, exempt, in.Now)
		if why != "" {
			result.Withheld = append(result.Withheld, Withheld{f, why})
			continue
		}
		result.Decisions = append(result.Decisions, d)
	}
	return result
}

// judge returns the decision, or why there is none.
func judge(f Found, rule *policies.Detection, r record, exempt nested[cloudfw.Exempt], now time.Time) (ledger.Decision, string) {
	none := func(reason string, args ...any) (ledger.Decision, string) {
		return ledger.Decision{}, fmt.Sprintf(reason, args...)
	}
	switch {
	case !f.Prefix.IsValid():
		return none("the detection %s is about all sources together and blocks none", f.Rule)
	case f.Withheld:
		return none("%s", Legitimate(f.Detection))
	case rule == nil || rule.Block == nil:
		return none("the detection %s only reports", f.Rule)
	}
	if why, ok := cloudfw.Reserved(f.Prefix); ok {
		return none("never blocked: %s", why)
	}
	if e, ok := exempt.widest(f.Prefix); ok {
		return none("never blocked: %s", e.Reason)
	}
	if why := r.people(f, *rule.Block, now); why != "" {
		return none("%s", why)
	}
	crossed, seen := f.CrossedAt.Add(f.Shift), f.LastSeen.Add(f.Shift)
	last, known := r.latest[key{f.Prefix, f.Rule}]
	attempt, goesOn := 1, false
	if known {
		over := Ended(last)
		goesOn = last.RevokedAt.IsZero() && (last.ActiveAt(now) || !crossed.After(over))
		switch {
		case goesOn:
			attempt = last.Attempt
		case !crossed.After(over):
			return none("all of its signals are from before %s, when its last block was ended: only new ones block again", stamp(over))
		default:
			attempt = next(last, *rule.Block, crossed)
		}
	}
	length := rule.Block.Duration(attempt)
	d := ledger.Decision{
		Verdict: ledger.Block, Prefix: f.Prefix, Author: Author, Rule: f.Rule, Attempt: attempt,
		Start: earlier(crossed, now).UTC(), End: earlier(seen, now).Add(length).UTC(),
		Reason: reason(f),
		Score:  f.Score.Total, Count: f.Count, FirstSeen: f.FirstSeen.Add(f.Shift), LastSeen: seen,
		Counters: counters(f), Evidence: evidence(f),
	}
	if d.Start.Before(now) {
		d.MadeAt = now.UTC()
	}
	if goesOn {
		d = prolong(last, d)
	}
	if !d.End.After(now) {
		return none("over: its last signal was at %s and the block lasts %s", stamp(f.LastSeen), policies.FormatDuration(length))
	}
	return d, ""
}

// prolong is the decision that there was, with what is new: the longer end wins.
func prolong(last, d ledger.Decision) ledger.Decision {
	d.ID, d.Start, d.MadeAt, d.FirstSeen = last.ID, last.Start, last.MadeAt, last.FirstSeen
	d.Count = max(d.Count, last.Count)
	if last.Score > d.Score {
		d.Score = last.Score
		if last.Counters != nil {
			d.Counters = last.Counters
		}
	}
	if last.End.IsZero() || last.End.After(d.End) {
		d.End = last.End
	}
	if last.LastSeen.After(d.LastSeen) {
		d.LastSeen = last.LastSeen
	}
	if len(last.Evidence) > 0 {
		d.Evidence = last.Evidence
	}
	return d
}

// reason says what the decision rests on, in one line.
func reason(f Found) string {
	switch {
	case f.Of == detect.OfAccount:
		of := map[detect.Measure]string{detect.Networks: "networks", detect.Countries: "countries"}[f.Counted]
		return fmt.Sprintf("%s: one of %d %s at one account, %d signals", f.Rule, f.Peak, cmp.Or(of, "addresses"), f.Count)
	case f.Members > 0:
		return fmt.Sprintf("%s: %d signals by %d addresses", f.Rule, f.Count, f.Members)
	}
	return fmt.Sprintf("%s: %d signals", f.Rule, f.Count)
}

// Legitimate says why a detection is withheld.
func Legitimate(f detect.Detection) string {
	at := stamp(f.LegitimateAt)
	if !f.Prefix.IsSingleIP() {
		return fmt.Sprintf("one of its addresses also had a success (%s at %s): its innocent members must not be blocked", f.LegitimateBy, at)
	}
	if f.Of == detect.OfAccount {
		return fmt.Sprintf("it also had a success (%s at %s): whoever takes part is blocked only without one", f.LegitimateBy, at)
	}
	return fmt.Sprintf("it also had a success (%s at %s): it is blocked at a higher threshold only", f.LegitimateBy, at)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// earlier keeps a log whose clock runs ahead, or ran ahead until it was set, from
// postponing its own decision, and from making it last until then.
func earlier(t, now time.Time) time.Time {
	if t.After(now) {
		return now
	}
	return t
}

func evidence(f Found) []ledger.Evidence {
	var all []ledger.Evidence
	for _, e := range f.Evidence {
		all = append(all, ledger.Evidence{Source: e.Source, File: e.File, Line: e.Line, Offset: e.Offset, Hash: e.Hash, Text: e.Text})
	}
	return all
}

// counters are what the decision rests on, in numbers.
func counters(f Found) *ledger.Counters {
	c := &ledger.Counters{
		Threshold: f.Threshold, WithinSeconds: int64(f.Within.Seconds()), Peak: f.Peak, Members: f.Members, Account: f.Account,
		CrossedAt: f.CrossedAt, Signals: f.Score.Count, Weight: f.Score.Weight, Known: f.Score.Known,
	}
	if f.Legitimate {
		c.LegitimateThreshold, c.Success = f.LegitimateThreshold, f.LegitimateBy.String()
	}
	return c
}
