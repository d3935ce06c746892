package policies

import (
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"fwsync/cloudfw"
)

// Bounds of what people declare; those of detections are detect's.
const (
	minWithin = time.Second
	maxWithin = 31 * day
	minBlock  = time.Minute
	maxBlock  = 3660 * day
)

var namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// checker merges documents into a policy and complains about what makes no sense.
type checker struct {
	report     *report
	options    Options
	root       string // the folder or file, for findings about the whole
	docs       []*document
	groups     map[string]*group
	groupNames []string // in order of declaration
	addresses  int
	policy     *Policy
}

// check merges the documents. What it returns is a policy only if the report has no
// findings.
func check(root string, docs []*document, options Options, rep *report) *Policy {
	c := &checker{report: rep, options: options, root: root, docs: docs, groups: map[string]*group{}, policy: &Policy{}}
	c.declareGroups()
	c.resolveGroups()
	c.allowlist()
	c.detections()
	c.rules()
	c.targets()
	c.incidents()
	c.capacity()
	c.coverage()
	return c.policy
}

// name checks a chosen name.
func (c *checker) name(w word, noun string) bool {
	if !w.at.known() {
		return false
	}
	if namePattern.MatchString(w.text) {
		return true
	}
	hint := "names are 1 to 40 of a-z, 0-9 and dashes and begin with a letter or a digit"
	plain := strings.Trim(regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(w.text), "-"), "-")
	if namePattern.MatchString(plain) {
		hint += fmt.Sprintf("; did you mean %q?", plain)
	}
	c.report.at(w.at, hint, "%q is not a name for a %s", w.text, noun)
	return false
}

// unique complains about the second use of a name.
func (c *checker) unique(seen map[string]place, w word, noun string) {
	if !c.name(w, noun) {
		return
	}
	if first, again := seen[w.text]; again {
		c.report.at(w.at, "", "%s %q is declared twice, first at %s", noun, w.text, first)
		return
	}
	seen[w.text] = w.at
}

func (c *checker) allowlist() {
	for _, doc := range c.docs {
		for _, w := range doc.Allowlist {
			prefixes, ok := c.members(w)
			if !ok {
				continue
			}
			reason := "allowlist"
			if _, isGroup := c.groups[w.text]; isGroup {
				reason = w.text
			}
			for _, p := range prefixes {
				if least := widestExempt(p); p.Bits() < least {
					c.report.at(w.at, fmt.Sprintf("the widest prefix that may be exempt is a /%d", least), "%s on the allowlist would keep nearly everybody from being blocked", p)
					continue
				}
				c.policy.Allowlist = append(c.policy.Allowlist, cloudfw.Exempt{Prefix: p, Reason: reason})
			}
		}
	}
	slices.SortFunc(c.policy.Allowlist, compareExempts)
	c.policy.Allowlist = slices.Compact(c.policy.Allowlist)
}

// widestExempt is the fewest bits of a prefix on the allowlist.
func widestExempt(p netip.Prefix) int {
	if cloudfw.FamilyOf(p) == cloudfw.IPv4 {
		return 8
	}
	return 16
}

func (c *checker) detections() {
	seen := map[string]place{}
	for _, doc := range c.docs {
		for i := range doc.Detections {
			e := &doc.Detections[i]
			c.unique(seen, e.Name, "detection")
			d := Detection{
				Name: e.Name.text, Signals: c.signals(e),
				Threshold: e.Threshold.n, Within: e.Within.d,
				LegitimateThreshold: e.LegitimateThreshold.n,
				Declared:            declared(e.at),
			}
			if e.Within.at.known() && (d.Within < minWithin || d.Within > maxWithin) {
				c.report.at(e.Within.at, "", `"within" must be between %s and %s, not %s`, FormatDuration(minWithin), FormatDuration(maxWithin), FormatDuration(d.Within))
			}
			if e.LegitimateThreshold.at.known() && d.LegitimateThreshold < d.Threshold {
				c.report.at(e.LegitimateThreshold.at, "", `"legitimate_threshold" %d is below the threshold %d`, d.LegitimateThreshold, d.Threshold)
			}
			if e.Block != nil {
				d.Block = c.penalty(e.Block)
			}
			c.policy.Detections = append(c.policy.Detections, d)
		}
	}
}

func (c *checker) signals(e *detectionEntry) []string {
	written := slices.Clone(e.Signals)
	switch {
	case !e.lacks("signal") && !e.lacks("signals") && e.whole:
		c.report.at(e.keys["signal"], `keep "signals" and add this one to it`, `a detection has "signal" or "signals", not both`)
	case e.Signals != nil && len(e.Signals) == 0:
		c.report.at(e.keys["signals"], "", `"signals" is empty`)
	case e.lacks("signal", "signals"):
		c.report.at(e.at, "", `the detection has no "signal"`)
	}
	if e.Signal.at.known() {
		written = append(written, e.Signal)
	}
	seen := map[string]bool{}
	var names []string
	for _, w := range written {
		switch {
		case !w.at.known():
		case seen[w.text]:
			c.report.at(w.at, "", "signal %q is listed twice", w.text)
		case slices.Contains(c.options.Successes, w.text):
			c.report.at(w.at, "", "signal %q speaks for an address and cannot be counted against it", w.text)
		case len(c.options.Signals) > 0 && !slices.Contains(c.options.Signals, w.text):
			hint := didYouMean(w.text, c.options.Signals)
			if hint == "" {
				hint = "known signals: " + strings.Join(c.options.Signals, ", ")
			}
			c.report.at(w.at, hint, "unknown signal %q", w.text)
		}
		seen[w.text] = true
		names = append(names, w.text)
	}
	slices.Sort(names)
	return names
}

func (c *checker) penalty(e *penaltyEntry) *Penalty {
	p := &Penalty{For: e.For.d}
	last := span{}
	for i, s := range append([]span{e.For}, e.Escalate...) {
		switch {
		case !s.at.known():
		case s.d < minBlock || s.d > maxBlock:
			c.report.at(s.at, "", "a block must last between %s and %s, not %s", FormatDuration(minBlock), FormatDuration(maxBlock), FormatDuration(s.d))
		case i == 1 && e.For.at.known() && s.d != e.For.d:
			c.report.at(s.at, fmt.Sprintf("begin the list with %s, or write for: %s", FormatDuration(e.For.d), FormatDuration(s.d)),
				`"escalate" begins with %s, but "for" says that the first block lasts %s`, FormatDuration(s.d), FormatDuration(e.For.d))
		case i > 1 && last.at.known() && s.d < last.d:
			c.report.at(s.at, "", `"escalate" gets shorter: %s after %s`, FormatDuration(s.d), FormatDuration(last.d))
		}
		if i > 0 {
			p.Escalate = append(p.Escalate, s.d)
		}
		last = s
	}
	return p
}

func (c *checker) incidents() {
	seen, rules := map[string]place{}, c.ruleNames()
	for _, doc := range c.docs {
		for i := range doc.Incidents.entries {
			e := &doc.Incidents.entries[i]
			c.unique(seen, e.name, "incident")
			incident := Incident{Name: e.name.text, Summary: e.value.Summary.text}
			if e.value.Summary.at.known() && strings.TrimSpace(incident.Summary) == "" {
				c.report.at(e.value.Summary.at, "", `"summary" is empty`)
			}
			if e.value.Rules != nil && len(e.value.Rules) == 0 {
				c.report.at(e.name.at, "", "incident %q has no rules", e.name.text)
			}
			// Its rules stand beside the declared ones, so their names must differ;
			// two incidents may use the same names.
			names := maps.Clone(rules)
			for i := range e.value.Rules {
				c.unique(names, e.value.Rules[i].Name, "rule")
				incident.Rules = append(incident.Rules, c.rule(&e.value.Rules[i]))
			}
			c.policy.Incidents = append(c.policy.Incidents, incident)
		}
	}
}

func declared(p place) string {
	if !p.known() {
		return ""
	}
	return fmt.Sprintf("%s:%d", p.src.name, p.line)
}
