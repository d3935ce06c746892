package decide

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"fwsync/detect"
	"fwsync/ledger"
	"fwsync/policies"
)

// Offender is what is remembered of one prefix by one rule.
type Offender struct {
	Prefix    netip.Prefix `json:"prefix"`
	Rule      string       `json:"rule"`
	Blocks    int          `json:"blocks"`                // that there were, one in force included
	Last      time.Time    `json:"last"`                  // the end of the last one; zero: until revoked
	Next      int          `json:"next"`                  // the how-manieth the next one would be
	For       string       `json:"for,omitempty"`         // how long it would last; empty if the rule does not block
	Forgotten time.Time    `json:"forgotten,omitzero"`    // when that falls back to the first step
	CoolDown  time.Time    `json:"cooling_down,omitzero"` // until when the next one is held back
}

// Offenders says what the ledger remembers of the automatic blocks of an address.
func Offenders(addr netip.Addr, known []ledger.Decision, rules []policies.Detection, now time.Time) []Offender {
	r := remember(known, now)
	blocks := map[key]int{}
	for _, d := range known {
		if Automatic(d) && d.Verdict == ledger.Block && d.Prefix.Contains(addr) {
			blocks[key{d.Prefix, d.Rule}]++
		}
	}
	all := []Offender{}
	for k, n := range blocks {
		last := r.latest[k]
		o := Offender{Prefix: k.prefix, Rule: k.rule, Blocks: n, Last: Ended(last), Next: 1}
		i := slices.IndexFunc(rules, func(d policies.Detection) bool { return d.Name == k.rule })
		if i >= 0 && rules[i].Block != nil {
			p := *rules[i].Block
			if at := forgotten(last, p); !o.Last.IsZero() && at.After(now) {
				o.Next, o.Forgotten = next(last, p, later(now, o.Last)), at
			}
			o.For = policies.FormatDuration(p.Duration(o.Next))
			if d, ok := r.unblockedAround(k.prefix); ok && warm(d, p).After(now) {
				o.CoolDown = warm(d, p)
			}
		}
		all = append(all, o)
	}
	slices.SortFunc(all, func(a, b Offender) int {
		return cmp.Or(cmp.Compare(a.Rule, b.Rule), b.Prefix.Bits()-a.Prefix.Bits())
	})
	return all
}

// Memory is for how long a block that is over still counts: for the length of the next
// one, for what holds that off, or for where counting begins anew.
func Memory(rules []policies.Detection) (longest time.Duration) {
	for _, rule := range rules {
		if p := rule.Block; p != nil {
			longest = max(longest, time.Duration(max(1, len(p.Escalate)))*p.Forgets(), p.CoolsDown(), rule.Within)
		}
	}
	return longest
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Close is a block that is over: what is counted against its source begins anew there.
type Close struct {
	Prefix netip.Prefix
	Rule   string // empty: whatever the rule, as a person took it back
	At     time.Time
	Source string // of its evidence
}

// Closed lists the blocks that are over and that a detection may still remember.
func Closed(known []ledger.Decision, now time.Time) []Close {
	var all []Close
	for k, d := range remember(known, now).latest {
		if at := Ended(d); !d.ActiveAt(now) && !at.After(now) && now.Sub(at) <= detect.MaxWithin {
			all = append(all, Close{k.prefix, k.rule, at, source(d)})
		}
	}
	for _, d := range known {
		if d.Verdict == ledger.Block && byPerson(d) && now.Sub(d.RevokedAt) <= detect.MaxWithin {
			all = append(all, Close{d.Prefix, "", d.RevokedAt, source(d)})
		}
	}
	return all
}

// source is where the evidence is from.
func source(d ledger.Decision) string {
	if len(d.Evidence) == 0 {
		return ""
	}
	return d.Evidence[len(d.Evidence)-1].Source
}
