// Package decide turns detections into decisions: for how long, how often before,
// and when not. It is pure; what a decision does to the cloud is not its business.
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
	Terms  map[string]policies.Penalty // by rule; a rule without one only reports
	Known  []ledger.Decision
	Exempt []cloudfw.Exempt // allowlist, active allow decisions, our own addresses
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

// Decide judges the detections in their order. A decision runs from the log's time:
// it ends its term after the last signal, so what a log says of last month blocks
// nobody today.
func Decide(in Input) Result {
	type key struct {
		prefix netip.Prefix
		rule   string
	}
	latest := map[key]ledger.Decision{}
	attempts := map[key]int{}
	for _, d := range in.Known {
		k := key{d.Prefix, d.Rule}
		if d.Verdict != ledger.Block || d.Rule == "" {
			continue
		}
		attempts[k] = max(attempts[k], d.Attempt)
		if d.ActiveAt(in.Now) && d.ID > latest[k].ID {
			latest[k] = d
		}
	}
	var result Result
	withhold := func(f Found, reason string, args ...any) {
		result.Withheld = append(result.Withheld, Withheld{f, fmt.Sprintf(reason, args...)})
	}
	for _, f := range in.Found {
		term, blocks := in.Terms[f.Rule]
		if !f.Prefix.IsValid() {
			withhold(f, "the detection %s is about all sources together and blocks none", f.Rule)
			continue
		}
		if f.Withheld {
			withhold(f, "%s", legitimate(f))
			continue
		}
		if !blocks {
			withhold(f, "the detection %s only reports", f.Rule)
			continue
		}
		if why, ok := exempt(f.Prefix, in.Exempt); ok {
			withhold(f, "never blocked: %s", why)
			continue
		}
		k := key{f.Prefix, f.Rule}
		current, active := latest[k]
		attempt := attempts[k] + 1
		if active {
			attempt = current.Attempt
		}
		length := term.Duration(attempt)
		end := f.LastSeen.Add(f.Shift).Add(length)
		if !end.After(in.Now) {
			withhold(f, "over: its last signal was at %s and the block lasts %s", f.LastSeen.Format(time.RFC3339), length)
			continue
		}
		d := ledger.Decision{
			Verdict: ledger.Block, Prefix: f.Prefix, Author: Author, Rule: f.Rule, Attempt: attempt,
			Start: earlier(f.CrossedAt.Add(f.Shift), in.Now).UTC(), End: end.UTC(),
			Reason: reason(f),
			Score:  f.Score.Total, Count: f.Count, FirstSeen: f.FirstSeen, LastSeen: f.LastSeen,
			Counters: counters(f), Evidence: evidence(f),
		}
		if active {
			d.ID, d.Start, d.FirstSeen = current.ID, current.Start, current.FirstSeen
			d.Count = max(d.Count, current.Count)
			if current.Score > d.Score {
				d.Score = current.Score
				if current.Counters != nil {
					d.Counters = current.Counters
				}
			}
			if current.End.After(d.End) {
				d.End = current.End
			}
			if len(current.Evidence) > 0 {
				d.Evidence = current.Evidence
			}
		}
		result.Decisions = append(result.Decisions, d)
	}
	return result
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

// legitimate says why a detection is withheld.
func legitimate(f Found) string {
	at := f.LegitimateAt.Format(time.RFC3339)
	if !f.Prefix.IsSingleIP() {
		return fmt.Sprintf("one of its addresses also had a success (%s at %s): its innocent members must not be blocked", f.LegitimateBy, at)
	}
	if f.Of == detect.OfAccount {
		return fmt.Sprintf("it also had a success (%s at %s): whoever takes part is blocked only without one", f.LegitimateBy, at)
	}
	return fmt.Sprintf("it also had a success (%s at %s): it is blocked at a higher threshold only", f.LegitimateBy, at)
}

// earlier keeps a log whose clock runs ahead from postponing its own decision.
func earlier(t, now time.Time) time.Time {
	if t.After(now) {
		return now
	}
	return t
}

func exempt(p netip.Prefix, exempt []cloudfw.Exempt) (string, bool) {
	if why, ok := cloudfw.Reserved(p); ok {
		return why, true
	}
	for _, e := range exempt {
		if e.Prefix.Overlaps(p) {
			return e.Reason, true
		}
	}
	return "", false
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
