package policies

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"fwsync/cloudfw"
)

// applications are those that the vendor recognises (reference §2.1), upper case.
var applications = []string{
	"ANY", "FTP", "HTTP", "HTTPS", "IMAPS", "MEMCACHE", "MONGODB", "MQTT", "MYSQL", "POP3", "RDP",
	"REDIS", "SMTP", "SMTPS", "SSH", "SSL", "SSL_NO_CERT", "VNC",
}

func (c *checker) rules() {
	seen := map[string]place{}
	for _, doc := range c.docs {
		for i := range doc.Rules {
			e := &doc.Rules[i]
			c.unique(seen, e.Name, "rule")
			c.policy.Rules = append(c.policy.Rules, c.rule(e))
		}
	}
	c.precedence()
}

// ruleNames returns the first declaration of each rule outside incidents.
func (c *checker) ruleNames() map[string]place {
	names := map[string]place{}
	for _, doc := range c.docs {
		for i := range doc.Rules {
			if w := doc.Rules[i].Name; w.at.known() {
				if _, again := names[w.text]; !again {
					names[w.text] = w.at
				}
			}
		}
	}
	return names
}

// rule checks one rule by itself.
func (c *checker) rule(e *ruleEntry) cloudfw.Rule {
	r := cloudfw.Rule{
		Name:        e.Name.text,
		Direction:   cloudfw.Direction(e.Direction.text),
		Protocol:    cloudfw.Protocol(e.Protocol.text),
		Action:      cloudfw.Action(e.Action.text),
		Application: strings.ToUpper(e.Application.text),
		Declared:    declared(e.at),
	}
	from, fromOK := c.side(e, e.From, "from")
	to, toOK := c.side(e, e.To, "to")
	r.From, r.To = from, to
	r.Ports = c.ports(e)
	c.application(e, r.Application)
	if from.Blocked || to.Blocked {
		c.blockedRule(e, r)
	}
	if !fromOK || !toOK {
		return r
	}
	if !from.Blocked && !to.Blocked && !slices.ContainsFunc(cloudfw.Families, func(f cloudfw.Family) bool {
		return len(from.Of(f)) > 0 && len(to.Of(f)) > 0
	}) {
		c.report.at(e.at, "give both sides addresses of the same family, or split the rule", "rule %q can never match: one side has only IPv4 addresses, the other only IPv6", r.Name)
	}
	if r.Action == cloudfw.Drop && r.Protocol == cloudfw.AnyProtocol && len(e.Ports) == 0 && r.Application == "ANY" && everybody(from, to) {
		c.report.at(e.at, `name your servers in "to", or write from: $blocked`, "rule %q would drop everything from everyone", r.Name)
	}
	return r
}

// everybody reports whether two sides hold all addresses of one family.
func everybody(from, to cloudfw.Side) bool {
	return slices.ContainsFunc(cloudfw.Families, func(f cloudfw.Family) bool {
		return slices.Contains(from.Of(f), f.Everything()) && slices.Contains(to.Of(f), f.Everything())
	})
}

// side resolves one side of a rule. It is false, with a finding here or where the
// group is declared, unless all of it could be resolved. A side of one group bears the group's name; one
// of several entries bears a name made of the rule's, so that it becomes one book
// and not a policy for each address.
func (c *checker) side(e *ruleEntry, written sides, key string) (cloudfw.Side, bool) {
	if len(written) == 0 {
		if written != nil {
			c.report.at(e.keys[key], "write any for every address", "%q is empty", key)
		}
		return cloudfw.Side{}, false
	}
	if len(written) == 1 {
		switch w := written[0]; w.text {
		case "any":
			return cloudfw.Side{Any: true}, true
		case "$blocked":
			if want := blockedSide(e.Direction.text); want == "" {
				c.report.at(w.at, "", `"$blocked" holds addresses on the internet, which rules with direction %s do not meet`, e.Direction.text)
				return cloudfw.Side{}, false
			} else if key != want {
				c.report.at(w.at, "", `"$blocked" holds addresses on the internet: with direction %s it can only stand in %q`, e.Direction.text, want)
				return cloudfw.Side{}, false
			}
			return cloudfw.Side{Blocked: true}, true
		}
		prefixes, ok := c.members(written[0])
		side := cloudfw.Side{Prefixes: prefixes}
		if _, isGroup := c.groups[written[0].text]; isGroup {
			side.Group = written[0].text
		}
		return side, ok
	}
	side, whole := cloudfw.Side{Group: e.Name.text + "-" + key}, true
	seen := map[string]bool{}
	for _, w := range written {
		if w.at.known() && seen[w.text] {
			c.report.at(w.at, "", "%q is listed twice", w.text)
			continue
		}
		seen[w.text] = true
		prefixes, ok := c.members(w)
		if _, isGroup := c.groups[w.text]; isGroup {
			ok = c.afford(len(prefixes), w.at) && ok
		}
		whole = whole && ok
		if ok {
			side.Prefixes = append(side.Prefixes, prefixes...)
		}
	}
	side.Prefixes = widest(slices.Clone(side.Prefixes))
	return side, whole
}

// ports checks a rule's ports and sorts them.
func (c *checker) ports(e *ruleEntry) []cloudfw.PortRange {
	if e.Ports == nil {
		return nil
	}
	known := slices.DeleteFunc(slices.Clone(e.Ports), func(p portRange) bool { return !p.at.known() })
	if len(e.Ports) == 0 {
		c.report.at(e.keys["ports"], `leave "ports" out for every port`, `"ports" is empty`)
	}
	if p := e.Protocol.text; len(known) > 0 && p != "tcp" && p != "udp" && p != "" {
		c.report.at(known[0].at, "add protocol: tcp", "ports need protocol tcp or udp, not %s", p)
	}
	slices.SortStableFunc(known, func(a, b portRange) int { return cmp.Compare(a.First, b.First) })
	var ranges []cloudfw.PortRange
	widest := 0 // of those before, the one that reaches furthest
	for i, p := range known {
		ranges = append(ranges, p.PortRange)
		if i == 0 {
			continue
		}
		if one, other := known[widest], p; p.First <= one.Last {
			if one.at.after(other.at) {
				one, other = other, one
			}
			c.report.at(other.at, "", "port %s overlaps with %s, which is in the list already", other, one)
		}
		if p.Last > known[widest].Last {
			widest = i
		}
	}
	return ranges
}

func (c *checker) application(e *ruleEntry, name string) {
	if !e.Application.at.known() || name == "ANY" {
		return
	}
	if !slices.Contains(applications, name) {
		hint := didYouMean(name, applications)
		if hint == "" {
			hint = "known: " + strings.Join(applications, ", ")
		}
		c.report.at(e.Application.at, hint, "unknown application %q", e.Application.text)
		return
	}
	if p := e.Protocol.text; p != "tcp" && p != "" {
		c.report.at(e.Application.at, "add protocol: tcp", "an application needs protocol tcp, not %s", p)
	}
}

// blockedSide is the key under which $blocked may stand: the side of the traffic
// that is on the internet.
func blockedSide(direction string) string {
	switch cloudfw.Direction(direction) {
	case cloudfw.Between:
		return ""
	case cloudfw.Out:
		return "to"
	}
	return "from"
}

// blockedRule checks what is special about a rule on $blocked.
func (c *checker) blockedRule(e *ruleEntry, r cloudfw.Rule) {
	at := e.From
	if r.To.Blocked {
		at = e.To
	}
	if r.Action != cloudfw.Drop && r.Action != "" {
		c.report.at(at[0].at, "write action: drop", `a rule on "$blocked" must drop, not %s`, r.Action)
	}
}

// dropOfBlocked is the first declared rule that drops the blocked addresses.
func (c *checker) dropOfBlocked() *ruleEntry {
	for _, doc := range c.docs {
		for i := range doc.Rules {
			if e := &doc.Rules[i]; e.dropsBlocked() {
				return e
			}
		}
	}
	return nil
}

// precedence complains about rules that let traffic in above the drop of the
// blocked addresses: the first match wins.
func (c *checker) precedence() {
	var passing []*ruleEntry
	for _, doc := range c.docs {
		for i := range doc.Rules {
			e := &doc.Rules[i]
			if e.dropsBlocked() {
				for _, p := range passing {
					c.report.at(p.at, fmt.Sprintf("move rule %q above it", e.Name.text),
						"rule %q lets traffic in before rule %q at %s drops the blocked addresses", p.Name.text, e.Name.text, e.at)
				}
				return
			}
			lets := e.Action.text == string(cloudfw.Accept) || e.Action.text == string(cloudfw.Log)
			if lets && e.Direction.text == string(cloudfw.In) {
				passing = append(passing, e)
			}
		}
	}
}
