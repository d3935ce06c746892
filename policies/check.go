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
	minWithin   = time.Second
	maxWithin   = 31 * day
	maxDistinct = 256
	minBlock    = time.Minute
	minCoolDown = time.Second
	maxCoolDown = 31 * day
	maxBlock    = 3660 * day
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
	c.declaredSignals()
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
				r := c.rule(&e.value.Rules[i])
				incident.Rules = append(incident.Rules, r)
				if drop := c.dropOfBlocked(); drop != nil && r.From.Any && r.Direction == cloudfw.In && r.Action != cloudfw.Drop {
					c.report.at(e.value.Rules[i].at, "name in \"from\" who may come in: an incident's rules stand above all others",
						"rule %q of incident %q would let the blocked addresses in, which rule %q at %s drops", r.Name, e.name.text, drop.Name.text, drop.at)
				}
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
