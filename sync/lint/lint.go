// Package lint finds what is allowed and probably not meant: rules that never decide
// anything, rules that say the opposite of each other, what lets in more than it
// should, and what is declared and never used. It is pure: the policy and, when it is
// asked about them, live states go in, findings come out. What the policy files may
// not say at all is the business of package policies.
//
// Each check is one file. Whatever is blocked at the moment makes no difference: the
// blocked addresses are a set of which nothing is known.
package lint

import (
	"cmp"
	"slices"

	"fwsync/cloudfw"
	"fwsync/policies"
)

// Input is all that lint looks at.
type Input struct {
	Policy *policies.Policy
	Text   Text   // where things are written; without it findings have a line and no column
	Live   []Live // live states to look at too
}

// Live is one cloud as it was observed.
type Live struct {
	Cloud    string // the configured cloud; empty when there is only one
	Owner    cloudfw.Owner
	Snapshot cloudfw.Snapshot
}

// Severity says how sure it is that something is wrong, and how bad.
type Severity string

// The severities. An error is certainly not meant, a warning hardly, a note is worth
// a look.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Note    Severity = "note"
)

// Severities are all of them, the worst first.
var Severities = []Severity{Error, Warning, Note}

// Check is one thing that is looked for.
type Check struct {
	Name     string
	Severity Severity
	Says     string // what it finds, in one line
	Live     bool   // it looks at live states only

	find func(*survey, func(Subject, string, string))
}

// Checks are all checks, in the order in which they run.
func Checks() []Check {
	return []Check{
		neverMatches, contradiction, shadowedRule, deadRule, redundantRule, overruledInPart, tooWide,
		deadIncidentRule, allowlistDropped, unusedGroup, unusedSignal, idleTarget, detectionWithoutEffect, reportOnly,
		liveOverruled, foreignDead,
	}
}

// Run makes all checks. The findings come by file, line and column; those about live
// lists follow.
func Run(in Input) []Finding {
	s := newSurvey(in)
	findings := []Finding{}
	for _, c := range Checks() {
		if c.Live && len(in.Live) == 0 {
			continue
		}
		c.find(s, func(about Subject, message, hint string) {
			findings = append(findings, in.Text.finding(c, about, message, hint))
		})
	}
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(placed(a), placed(b)), cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return findings
}

// placed orders findings with a place before those without.
func placed(f Finding) int {
	if f.Line > 0 {
		return 0
	}
	return 1
}
