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
	l := &List{family: family, pass: direction == cloudfw.Out && !g.Enterprise}
	rules := slices.DeleteFunc(slices.Clone(g.Rules), func(r cloudfw.GroupRule) bool { return r.Direction != direction })
	slices.SortStableFunc(rules, func(a, b cloudfw.GroupRule) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(rank(a.Action), rank(b.Action)))
	})
	c, n := NewCompiler(), namesOf(world)
	for _, r := range rules {
		compiled := &rule{id: cmp.Or(r.ID, r.Description), pass: r.Action != cloudfw.Drop}
		peer := c.side(compiled, n.key(r.Peer, family), n)
		if direction == cloudfw.In {
			compiled.source = peer
		} else {
			compiled.destination = peer
		}
		compiled.service = service(compiled, r.Protocol, r.Ports, "", n)
		compiled.conditions = sorted(compiled.conditions)
		l.rules = append(l.rules, compiled)
	}
	if !g.Enterprise && !g.Isolated && !l.pass {
		l.rules = append(l.rules, &rule{id: "members of " + g.ID, pass: true, conditions: []string{cloudfw.Peer{Kind: cloudfw.Group, Value: g.ID}.String()}})
	}
	return l
}

func rank(a cloudfw.Action) int {
	if a == cloudfw.Drop {
		return 0
	}
	return 1
}

// Stack decides a packet that passes several lists one after the other, such as the
// internet border and then a security group: the first drop decides. Without one the
// decision of the last list holds; which list decided is the second result.
func Stack(p Packet, lists ...*List) (Decision, int) {
	var d Decision
	for i, l := range lists {
		if d = l.Decide(p); d.Action == cloudfw.Drop {
			return d, i
		}
	}
	return d, len(lists) - 1
}
