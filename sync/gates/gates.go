// Package gates refuses plans. It looks at the finished plan, after lowering and
// sharding, through a chain of small gates, one a file. Each says what it looked at,
// how much of it it let pass, and what it withholds: what, why, and which flag or
// policy line overrides it. Anything withheld refuses the whole plan. The package is
// pure and changes nothing.
package gates

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"fwsync/cloudfw"
	"fwsync/sync/plan"
)

// Input is the plan and the world it was made for.
type Input struct {
	Plan   plan.Plan
	Live   cloudfw.Snapshot // what the plan starts from
	Intent cloudfw.Intent
	Limits Limits
	// Operator is the person's own path into the account, if known: an address that
	// is never blocked and a connection that declared rules must not cut.
	Operator Operator
	// Providers are the ranges of others that must never be blocked, such as a CDN's,
	// as their feeds name them at present.
	Providers []cloudfw.Exempt
	// Ended knows every prefix that a block decision ever named: true when all of
	// them ended or were revoked, false while one holds. Removals that it does not
	// explain count against the budget.
	Ended map[netip.Prefix]bool
	// Sick names the sources that could not be believed in this pass.
	Sick []string
	// At is when the plan would be applied. The zero time asks for no expiry.
	At time.Time

	outcome *outcome // what the steps come to; Run works it out once
}

// Operator is where the person who runs fwsync comes from.
type Operator struct {
	Addresses []netip.Addr
	// Connection is the session that the command was started from, if any: client,
	// server and the server's port, TCP.
	Client, Server netip.Addr
	Port           uint16
}

// Gate is one filter over a finished plan.
type Gate struct {
	Name  string
	Check func(Input) Finding
}

// Chain returns the gates in the order in which they are asked and reported. All are
// asked, whatever an earlier one says.
func Chain() []Gate {
	return []Gate{
		{"ownership", ownership},
		{"never-block", neverBlock},
		{"prefix-width", prefixWidth},
		{"operator", operatorCut},
		{"drop-everything", dropEverything},
		{"blast-radius", blastRadius},
		{"capacity", capacity},
		{"proof", proof},
		{"source-health", sourceHealth},
		{"expiry", expiry},
	}
}

// Finding is what one gate says.
type Finding struct {
	Gate     string     `json:"gate"`
	LookedAt string     `json:"looked_at"` // for people
	Passed   int        `json:"passed"`    // of what it looked at
	Withheld []Withheld `json:"withheld"`  // never null

	lead  string // begins the refusal's message
	apart bool   // each thing withheld is a refusal of its own
}

// Withheld is one thing that a gate does not let pass.
type Withheld struct {
	What string `json:"what"`
	Why  string `json:"why"`
	Hint string `json:"hint"`
	Flag string `json:"flag,omitempty"` // that overrides it; empty when none does
}

// Refusal is one reason why the plan may not be applied.
type Refusal struct {
	Gate    string `json:"gate"`
	Message string `json:"message"`
	Hint    string `json:"hint"`
}

// Run asks every gate of the chain.
func Run(in Input) []Finding {
	in.outcome = outcomeOf(in)
	var all []Finding
	for _, g := range Chain() {
		f := g.Check(in)
		f.Gate = g.Name
		if f.Withheld == nil {
			f.Withheld = []Withheld{}
		}
		all = append(all, f)
	}
	return all
}

// Refusals are the reasons in the findings; none means that the plan may be applied.
func Refusals(findings []Finding) []Refusal {
	var all []Refusal
	for _, f := range findings {
		if len(f.Withheld) == 0 {
			continue
		}
		if f.apart {
			for _, w := range f.Withheld {
				all = append(all, Refusal{f.Gate, f.lead + w.text(), w.Hint})
			}
			continue
		}
		var texts []string
		for _, w := range f.Withheld {
			texts = append(texts, w.text())
		}
		all = append(all, Refusal{f.Gate, f.lead + some(texts), f.Withheld[0].Hint})
	}
	return all
}

func (w Withheld) text() string {
	if w.Why == "" {
		return w.What
	}
	return w.What + ": " + w.Why
}

// some shows the first few of many.
func some(items []string) string {
	const most = 5
	if len(items) <= most {
		return strings.Join(items, "; ")
	}
	return fmt.Sprintf("%s; and %d more", strings.Join(items[:most], "; "), len(items)-most)
}

// count is a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Check returns every refusal of the chain; none means that the plan may be applied.
func Check(in Input) []Refusal { return Refusals(Run(in)) }
