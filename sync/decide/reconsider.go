package decide

import (
	"fmt"
	"time"

	"fwsync/ledger"
	"fwsync/policies"
)

// Lapsed is a decision in force that the policies bear no longer, as it would be.
type Lapsed struct {
	Decision ledger.Decision // ended (revoked by Author), or with an earlier end
	Was      time.Time       // its end until now
	Reason   string
}

// Reconsider measures the automatic decisions in force by the rules of today. One
// whose rule is gone or only reports ends; one that the rule would make shorter gets
// the end that it would have had. Nothing gets longer, and people's decisions stay as
// they are. What the allowlist covers stays too: compiling withholds it for as long as
// the allowlist says so.
func Reconsider(known []ledger.Decision, rules []policies.Detection, now time.Time) []Lapsed {
	byName := map[string]*policies.Detection{}
	for i := range rules {
		byName[rules[i].Name] = &rules[i]
	}
	var all []Lapsed
	for _, d := range known {
		if !Automatic(d) || d.Verdict != ledger.Block || !d.ActiveAt(now) {
			continue
		}
		rule, was := byName[d.Rule], d.End
		why := ""
		switch {
		case rule == nil:
			why = fmt.Sprintf("policy: detection %s is gone", d.Rule)
		case rule.Block == nil:
			why = fmt.Sprintf("policy: detection %s only reports now", d.Rule)
		default:
			length := rule.Block.Duration(d.Attempt)
			end := d.LastSeen.Add(length)
			// A ledger keeps milliseconds: a difference below a second is none.
			if d.LastSeen.IsZero() || !d.End.IsZero() && d.End.Sub(end) < time.Second {
				continue
			}
			why = fmt.Sprintf("policy: detection %s blocks for %s now", d.Rule, policies.FormatDuration(length))
			if end.After(now) {
				d.End = end
				all = append(all, Lapsed{d, was, why})
				continue
			}
		}
		d.RevokedAt, d.RevokedBy, d.RevokeReason = now.UTC(), Author, why
		all = append(all, Lapsed{d, was, why})
	}
	return all
}
