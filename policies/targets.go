package policies

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"fwsync/cloudfw"
)

func (c *checker) targets() {
	seen := map[[2]string]place{}
	for _, doc := range c.docs {
		for i := range doc.Targets {
			targets, at := c.target(&doc.Targets[i])
			for _, target := range targets {
				key := [2]string{target.Cloud, target.Name()}
				if first, again := seen[key]; again {
					c.report.at(at, "", "target %q is declared twice, first at %s", target.Name(), first)
					continue
				}
				seen[key] = at
				c.policy.Targets = append(c.policy.Targets, target)
			}
		}
	}
}

// target reads one entry: a target for each cloud that it names, and the place to
// complain about.
func (c *checker) target(e *targetEntry) ([]cloudfw.Target, place) {
	kinds := 0
	for _, there := range []bool{e.InternetFirewall != nil, e.NATFirewall != nil, e.VPCFirewall != nil, e.SecurityGroup != nil} {
		if there {
			kinds++
		}
	}
	switch {
	case kinds > 1:
		c.report.at(e.at, "begin each with a dash", "one entry names two targets")
	case e.InternetFirewall != nil:
		return c.perCloud(cloudfw.Target{Kind: cloudfw.InternetFirewall}, e.at, e.InternetFirewall.Cloud), e.at
	case e.NATFirewall != nil:
		n := e.NATFirewall
		if !c.id(n.ID, natIDPattern(), "a NAT gateway", "ids begin with ngw-, such as ngw-bp1gjhvmcg9ltnbjv") {
			return nil, e.at
		}
		target := cloudfw.Target{Kind: cloudfw.NATFirewall, Border: cloudfw.Border{NAT: n.ID.text}}
		target.Rules = c.taken(target, n.Rules, n.keys["rules"])
		return c.perCloud(target, n.ID.at, n.Cloud), n.ID.at
	case e.VPCFirewall != nil:
		v := e.VPCFirewall
		if !c.id(v.ID, vpcIDPattern(), "a VPC firewall", "ids begin with cen- or vfw-, such as cen-37nddhri7w0q6cx7b5") {
			return nil, e.at
		}
		target := cloudfw.Target{Kind: cloudfw.VPCFirewall, Border: cloudfw.Border{VPC: v.ID.text}}
		target.Rules = c.taken(target, v.Rules, v.keys["rules"])
		return c.perCloud(target, v.ID.at, v.Cloud), v.ID.at
	case e.SecurityGroup != nil:
		g := e.SecurityGroup
		if !c.id(g.ID, groupIDPattern(), "a security group", "ids begin with sg-, such as sg-bp67acfmxazb4ph") {
			return nil, e.at
		}
		return c.perCloud(cloudfw.Target{Kind: cloudfw.SecurityGroupTarget, GroupID: g.ID.text, Via: cloudfw.Via(g.Via.text), Capacity: g.Capacity.n}, g.ID.at, g.Cloud), g.ID.at
	case e.whole && len(e.keys) == 0:
		c.report.at(e.at, "write internet-firewall: {rules: all} or security-group: {id: sg-…}", "the entry names no target")
	}
	return nil, e.at
}

var (
	groupIDPattern = lazily(`^sg-[A-Za-z0-9-]{1,60}$`)
	natIDPattern   = lazily(`^ngw-[A-Za-z0-9-]{1,60}$`)
	vpcIDPattern   = lazily(`^(cen|vfw)-[A-Za-z0-9-]{1,60}$`)
)

// lazily compiles an expression when it is first needed: to count to 60 takes long.
func lazily(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}

// id checks the form of an id that was written; a missing one is reported elsewhere.
func (c *checker) id(w word, pattern *regexp.Regexp, of, hint string) bool {
	if !w.at.known() {
		return false
	}
	if !pattern.MatchString(w.text) {
		c.report.at(w.at, hint, "%q is not the id of %s", w.text, of)
		return false
	}
	return true
}

// taken are the names of the rules that a firewall takes, nil for all of its
// direction. Each must be declared and one that the firewall can take.
func (c *checker) taken(target cloudfw.Target, written choices, at place) []string {
	if len(written) == 1 && written[0].text == "all" {
		return nil
	}
	if written != nil && len(written) == 0 {
		c.report.at(at, `write all, or leave "rules" out`, `"rules" is empty`)
	}
	var taken []string
	for _, w := range written {
		if !w.at.known() || slices.Contains(taken, w.text) {
			continue
		}
		at := slices.IndexFunc(c.policy.Rules, func(r cloudfw.Rule) bool { return r.Name == w.text })
		switch {
		case at < 0 && c.report.incomplete:
		case at < 0:
			names := []string{"all"}
			for _, r := range c.policy.Rules {
				names = append(names, r.Name)
			}
			c.report.at(w.at, didYouMean(w.text, names), "%q is not the name of a rule", w.text)
		case !target.Takes(c.policy.Rules[at]):
			c.report.at(w.at, "it takes rules with direction: "+string(target.Border.Keys()[0].Direction),
				"rule %q has direction %s, which a %s does not see", w.text, c.policy.Rules[at].Direction, target.Kind)
		}
		taken = append(taken, w.text)
	}
	slices.Sort(taken)
	return taken
}

// perCloud returns the target once for each cloud that is named. With several
// clouds configured one has to be named: a rule in the wrong account is worse than
// an error.
func (c *checker) perCloud(target cloudfw.Target, at place, written choices) []cloudfw.Target {
	known := c.options.Clouds
	if written != nil && len(written) == 0 {
		c.report.at(at, `name a cloud, or leave "cloud" out`, `"cloud" is empty`)
		return nil
	}
	if len(written) == 0 {
		if len(known) > 1 {
			c.report.at(at, "add cloud: "+listed(known), "several clouds are configured and target %q names none", target.Name())
			return nil
		}
		return []cloudfw.Target{target}
	}
	var targets []cloudfw.Target
	for _, w := range written {
		if !w.at.known() {
			continue
		}
		if len(known) > 0 && !slices.Contains(known, w.text) {
			hint := didYouMean(w.text, known)
			if hint == "" {
				hint = "configured: " + strings.Join(known, ", ")
			}
			if slices.Equal(known, []string{""}) {
				hint = `name it in the configuration under "clouds", or leave "cloud" out`
			}
			c.report.at(w.at, hint, "there is no cloud %q", w.text)
			continue
		}
		if !c.name(w, "cloud") {
			continue
		}
		target.Cloud = w.text
		targets = append(targets, target)
	}
	return targets
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
	internet, firewall := false, false
	for _, t := range c.policy.Targets {
		internet = internet || t.Kind == cloudfw.InternetFirewall
		firewall = firewall || t.Firewall()
	}
	if first := c.firstRule(); first != nil && !firewall {
		c.report.at(first.at, "add to targets: - internet-firewall: {rules: all}", "rules are declared, but no target enforces them: security groups hold only blocked addresses")
	}
	c.idle()
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

// idle complains about rules that no declared firewall takes.
func (c *checker) idle() {
	if len(c.policy.Targets) == 0 {
		return
	}
	for _, doc := range c.docs {
		for i := range doc.Rules {
			e := &doc.Rules[i]
			direction := cloudfw.Direction(e.Direction.text)
			if !e.Name.at.known() || direction != cloudfw.Between {
				continue
			}
			rule := cloudfw.Rule{Name: e.Name.text, Direction: direction}
			if !slices.ContainsFunc(c.policy.Targets, func(t cloudfw.Target) bool { return t.Takes(rule) }) {
				c.report.at(e.at, "add to targets: - vpc-firewall: {id: cen-…}", "no target sees the traffic of rule %q, which has direction %s", rule.Name, direction)
			}
		}
	}
}
