package policies

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

func (c *checker) detections() {
	seen := map[string]place{}
	for _, doc := range c.docs {
		for i := range doc.Detections {
			e := &doc.Detections[i]
			c.unique(seen, e.Name, "detection")
			d := Detection{
				Name: e.Name.text, By: e.By.text, Distinct: e.Distinct.text, Signals: c.signals(e),
				Threshold: e.Threshold.n, Within: e.Within.d,
				Members: e.Members.n, IPv4Bits: e.IPv4.n, IPv6Bits: e.IPv6.n, Weight: e.Weight.n,
				LegitimateThreshold: e.LegitimateThreshold.n,
				Declared:            declared(e.at),
			}
			if d.By == "address" {
				d.By = ""
			}
			if e.Within.at.known() && (d.Within < minWithin || d.Within > maxWithin) {
				c.report.at(e.Within.at, "", `"within" must be between %s and %s, not %s`, FormatDuration(minWithin), FormatDuration(maxWithin), FormatDuration(d.Within))
			}
			if e.LegitimateThreshold.at.known() && d.LegitimateThreshold < d.Threshold {
				c.report.at(e.LegitimateThreshold.at, "", `"legitimate_threshold" %d is below the threshold %d`, d.LegitimateThreshold, d.Threshold)
			}
			c.subject(e, &d)
			if e.Block != nil {
				d.Block = c.penalty(e.Block)
			}
			c.policy.Detections = append(c.policy.Detections, d)
		}
	}
}

// subject checks what is counted of whom.
func (c *checker) subject(e *detectionEntry, d *Detection) {
	wrong := func(key, hint, format string, args ...any) {
		if at, written := e.keys[key]; written {
			c.report.at(at, hint, format, args...)
		}
	}
	countable := map[string][]string{"": {"accounts"}, "network": {}, "account": {"addresses", "networks", "countries"}, "site": {}}
	switch {
	case e.Distinct.at.known() && !slices.Contains(countable[d.By], d.Distinct):
		hint := ""
		for by, distinct := range countable {
			if slices.Contains(distinct, d.Distinct) {
				if by == "" {
					by = "address"
				}
				hint = fmt.Sprintf("different %s are counted with by: %s", d.Distinct, by)
			}
		}
		c.report.at(e.Distinct.at, hint, "different %s cannot be counted by %s", d.Distinct, orAddress(d.By))
	case d.By == "account" && e.lacks("distinct"):
		c.report.at(e.keys["by"], "write distinct: addresses for an attack from many of them, or distinct: networks or countries for a stolen account", `a detection by account has no "distinct"`)
	}
	if d.Distinct != "" && e.Threshold.at.known() && (d.Threshold < 2 || d.Threshold > maxDistinct) {
		c.report.at(e.Threshold.at, "", `"threshold" must be between 2 and %d where different things are counted, not %d`, maxDistinct, d.Threshold)
	}
	if d.Distinct != "" && d.LegitimateThreshold > 4*maxDistinct {
		c.report.at(e.LegitimateThreshold.at, "", `"legitimate_threshold" must be at most %d where different things are counted, not %d`, 4*maxDistinct, d.LegitimateThreshold)
	}
	if d.By == "network" {
		if e.lacks("members") {
			c.report.at(e.keys["by"], "write members: 8 for attacks that eight or more addresses take part in", `a detection by network has no "members"`)
		}
	} else {
		for _, key := range []string{"members", "ipv4", "ipv6"} {
			wrong(key, "write by: network", "%q is for networks", key)
		}
	}
	if d.By == "account" || d.By == "site" {
		wrong("legitimate_threshold", "", `"legitimate_threshold" is for addresses and networks`)
	}
	if d.By == "site" {
		wrong("block", "leave it out: the detection reports the storm", "a detection by site has no source that could be blocked")
	}
}

func orAddress(by string) string {
	if by == "" {
		return "address"
	}
	return by
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
	known := c.options.Signals
	for _, s := range c.policy.Signals {
		known = append(known[:len(known):len(known)], s.Name)
	}
	seen := map[string]bool{}
	var names []string
	for _, w := range written {
		switch {
		case !w.at.known():
		case seen[w.text]:
			c.report.at(w.at, "", "signal %q is listed twice", w.text)
		case slices.Contains(c.options.Successes, w.text):
			if e.Distinct.text == "networks" || e.Distinct.text == "countries" {
				break // where an account is used from, not how often
			}
			c.report.at(w.at, "", "signal %q speaks for an address and cannot be counted against it", w.text)
		case len(c.options.Signals) > 0 && !slices.Contains(known, w.text):
			hint := didYouMean(w.text, known)
			if hint == "" {
				hint = "known signals: " + strings.Join(known, ", ")
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
	c.bounded(e.Forget, "forget", minBlock, maxBlock)
	c.bounded(e.CoolDown, "cool_down", minCoolDown, maxCoolDown)
	if e.Forget.at.known() && len(e.Escalate) == 0 && e.lacks("escalate") {
		c.report.at(e.Forget.at, "write escalate: with the steps, or leave it out", `"forget" is about "escalate", which is missing`)
	}
	p.Forget, p.CoolDown = e.Forget.d, e.CoolDown.d
	return p
}

func (c *checker) bounded(s span, key string, least, most time.Duration) {
	if s.at.known() && (s.d < least || s.d > most) {
		c.report.at(s.at, "", "%q must be between %s and %s, not %s", key, FormatDuration(least), FormatDuration(most), FormatDuration(s.d))
	}
}
