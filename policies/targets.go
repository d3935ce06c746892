package policies

import (
	"regexp"
	"strings"

	"fwsync/cloudfw"
)

var groupIDPattern = regexp.MustCompile(`^sg-[A-Za-z0-9-]{1,60}$`)

func (c *checker) targets() {
	seen := map[string]place{}
	for _, doc := range c.docs {
		for i := range doc.Targets {
			e := &doc.Targets[i]
			target, at, ok := c.target(e)
			if !ok {
				continue
			}
			if first, again := seen[target.Name()]; again {
				c.report.at(at, "", "target %q is declared twice, first at %s", target.Name(), first)
				continue
			}
			seen[target.Name()] = at
			c.policy.Targets = append(c.policy.Targets, target)
		}
	}
}

func (c *checker) target(e *targetEntry) (cloudfw.Target, place, bool) {
	switch {
	case e.InternetFirewall != nil && e.SecurityGroup != nil:
		c.report.at(e.at, "begin each with a dash", "one entry names two targets")
		return cloudfw.Target{}, place{}, false
	case e.InternetFirewall != nil:
		return cloudfw.Target{Kind: cloudfw.InternetFirewall}, e.at, true
	case e.SecurityGroup != nil:
		g := e.SecurityGroup
		if !g.ID.at.known() {
			return cloudfw.Target{}, place{}, false
		}
		if !groupIDPattern.MatchString(g.ID.text) {
			c.report.at(g.ID.at, "ids begin with sg-, such as sg-bp67acfmxazb4ph", "%q is not the id of a security group", g.ID.text)
			return cloudfw.Target{}, place{}, false
		}
		return cloudfw.Target{Kind: cloudfw.SecurityGroupTarget, GroupID: g.ID.text, Via: cloudfw.Via(g.Via.text), Capacity: g.Capacity.n}, g.ID.at, true
	}
	if e.whole && len(e.keys) == 0 {
		c.report.at(e.at, "write internet-firewall: {rules: all} or security-group: {id: sg-…}", "the entry names no target")
	}
	return cloudfw.Target{}, place{}, false
}

// coverage complains about what is missing from the policy as a whole.
func (c *checker) coverage() {
	if c.report.incomplete {
		return
	}
	declaredTargets := false
	for _, doc := range c.docs {
		declaredTargets = declaredTargets || len(doc.Targets) > 0
	}
	if !declaredTargets {
		c.report.about(c.root, -1, "add: targets: [{internet-firewall: {rules: all}}]", "no targets are declared, so nothing would be enforced")
		return
	}
	internet := false
	for _, t := range c.policy.Targets {
		internet = internet || t.Kind == cloudfw.InternetFirewall
	}
	if first := c.firstRule(); first != nil && !internet {
		c.report.at(first.at, "add to targets: - internet-firewall: {rules: all}", "rules are declared, but no target enforces them: security groups hold only blocked addresses")
	}
	if !internet {
		return
	}
	for _, doc := range c.docs {
		for i := range doc.Rules {
			if r := &doc.Rules[i]; len(r.From) == 0 || r.dropsBlocked() {
				return
			}
		}
	}
	for _, doc := range c.docs {
		for i := range doc.Detections {
			if d := &doc.Detections[i]; d.Block != nil && d.Block.at.known() {
				c.report.at(d.Block.at, "make this the first rule: - {name: drop-attackers, direction: in, from: $blocked, to: any, action: drop}",
					"no rule drops $blocked, so what this detection blocks would still get through")
				return
			}
		}
	}
}

func (c *checker) firstRule() *ruleEntry {
	for _, doc := range c.docs {
		if len(doc.Rules) > 0 {
			return &doc.Rules[0]
		}
	}
	return nil
}

// dropsBlocked reports whether the rule is written as the drop of the blocked
// addresses. What else is wrong with it is reported elsewhere.
func (r *ruleEntry) dropsBlocked() bool {
	return len(r.From) == 1 && strings.EqualFold(r.From[0].text, "$blocked")
}
