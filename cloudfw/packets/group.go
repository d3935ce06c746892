package packets

import (
	"cmp"
	"slices"

	"fwsync/cloudfw"
)

// Group compiles one direction and family of a security group as a list: rules by
// priority, drops before accepts at the same one (reference §3.1). The fallback of
// incoming traffic is drop. Outgoing traffic of a basic group passes without a rule,
// that of an enterprise group does not (reference §3.1). The other side of the packet
// is what a rule's peer names: the source of incoming, the destination of outgoing
// traffic. Peers that are groups are opaque conditions.
//
// That members of a basic group reach each other unless it is isolated is a rule too,
// below all others, on the condition that the peer is a member of the group.
func Group(g cloudfw.SecurityGroup, direction cloudfw.Direction, family cloudfw.Family, world cloudfw.Snapshot) *List {
	return NewCompiler().Group(g, direction, family, world)
}

// Group is the function of that name, which remembers what it has compiled: the rules
// of the group must never change where they are.
func (c *Compiler) Group(g cloudfw.SecurityGroup, direction cloudfw.Direction, family cloudfw.Family, world cloudfw.Snapshot) *List {
	l := &List{family: family, pass: direction == cloudfw.Out && !g.Enterprise}
	rules := make([]*cloudfw.GroupRule, 0, len(g.Rules))
	for i := range g.Rules {
		if g.Rules[i].Direction == direction {
			rules = append(rules, &g.Rules[i])
		}
	}
	slices.SortStableFunc(rules, func(a, b *cloudfw.GroupRule) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(rank(a.Action), rank(b.Action)))
	})
	n := namesOf(world)
	for _, r := range rules {
		key := groupRuleKey{r, n.key(r.Peer, family)}
		compiled, ok := c.grouped[key]
		if !ok {
			compiled = c.groupRule(r, key.peer, n)
			c.grouped[key] = compiled
		}
		l.rules = append(l.rules, compiled)
	}
	if !g.Enterprise && !g.Isolated && !l.pass {
		l.rules = append(l.rules, &rule{id: "members of " + g.ID, pass: true, conditions: []string{cloudfw.Peer{Kind: cloudfw.Group, Value: g.ID}.String()}})
	}
	return l
}

// groupRuleKey is a rule of a group where it is, and what its peer stands for.
type groupRuleKey struct {
	rule *cloudfw.GroupRule
	peer peerKey
}

func (c *Compiler) groupRule(r *cloudfw.GroupRule, key peerKey, n names) *rule {
	compiled := &rule{id: cmp.Or(r.ID, r.Description), pass: r.Action != cloudfw.Drop}
	peer := c.side(compiled, key, n)
	if r.Direction == cloudfw.In {
		compiled.source = peer
	} else {
		compiled.destination = peer
	}
	compiled.service = service(compiled, r.Protocol, r.Ports, "", n)
	compiled.conditions = sorted(compiled.conditions)
	return compiled
}

func rank(a cloudfw.Action) int {
	if a == cloudfw.Drop {
		return 0
	}
	return 1
}
