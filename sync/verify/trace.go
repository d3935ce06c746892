package verify

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"

	"fwsync/cloudfw"
	"fwsync/cloudfw/packets"
)

// tracer answers for each of the prefixes which rule blocks it, or why nothing does.
type tracer func(prefixes []netip.Prefix) []found

// found is a trace without its target, or the reason for a gap.
type found struct {
	trace Trace
	why   string
}

// demand is what must be dropped in one ordered list: the packets of the blocked
// prefixes that a declared rule means to stop.
type demand struct {
	key   cloudfw.ListKey
	asked []packets.Question // without the prefixes; each must be dropped as a whole
}

// demands are the lists of a firewall that have to drop the blocked addresses. At the
// internet border those that come in must be dropped whatever is declared; elsewhere
// as declared.
func demands(intent cloudfw.Intent, target cloudfw.Target) []demand {
	var all []demand
	for _, key := range target.Border.Keys() {
		d := demand{key: key}
		for _, r := range intent.Rules {
			if (r.From.Blocked || r.To.Blocked) && r.Action == cloudfw.Drop && r.Direction == key.Direction && target.Takes(r) {
				q := packets.Question{AtDestination: r.To.Blocked, Protocol: r.Protocol, Ports: r.Ports, Application: r.Application}
				opposite := r.To
				if r.To.Blocked {
					opposite = r.From
				}
				if !opposite.Any {
					if q.Opposite = opposite.Of(key.Family); len(q.Opposite) == 0 {
						continue
					}
				}
				d.asked = append(d.asked, q)
			}
		}
		if len(d.asked) == 0 && target.Kind == cloudfw.InternetFirewall && key.Direction == cloudfw.In {
			d.asked = []packets.Question{{}}
		}
		if len(d.asked) > 0 {
			all = append(all, d)
		}
	}
	return all
}

// firewallTracer asks every list of one family that has to drop the blocked. The trace
// is that of the first.
func firewallTracer(lists []*liveList, all []demand) tracer {
	return func(prefixes []netip.Prefix) []found {
		result := make([]found, len(prefixes))
		for n, d := range all {
			l := lists[n]
			for m, q := range d.asked {
				q.Prefixes = prefixes
				for i, fate := range l.compiled.Fates(q) {
					switch {
					case result[i].why != "":
					case fate.Passes:
						result[i].why = l.passing(prefixes[i], fate.Rule, q.AtDestination)
					case n == 0 && m == 0:
						result[i].trace = l.trace(prefixes[i], fate.Rule, q.AtDestination)
					}
				}
			}
		}
		return result
	}
}

// liveList is one ordered list as it is, compiled once. In its answers a rule is
// called by its index.
type liveList struct {
	rules    []cloudfw.FirewallRule
	ours     []bool // by rule
	compiled *packets.List
	world    cloudfw.Snapshot
	holders  map[bool]*holders // by whether the blocked are the destination; made when asked for
}

func newLiveList(c *packets.Compiler, owner cloudfw.Owner, key cloudfw.ListKey, live cloudfw.Snapshot) *liveList {
	l := &liveList{rules: live.List(key), world: live, holders: map[bool]*holders{}}
	l.ours = make([]bool, len(l.rules))
	numbered := slices.Clone(l.rules)
	for i := range numbered {
		l.ours[i] = owner.Owns("rule", numbered[i].Description)
		numbered[i].ID = strconv.Itoa(i)
	}
	l.compiled = c.Firewall(key, numbered, live)
	return l
}

// rule is the rule of an answer and whether it is ours; nil for the fallback.
func (l *liveList) rule(answer string) (r *cloudfw.FirewallRule, ours bool) {
	i, err := strconv.Atoi(answer)
	if err != nil {
		return nil, false
	}
	return &l.rules[i], l.ours[i]
}

func (l *liveList) trace(p netip.Prefix, answer string, atDestination bool) Trace {
	r, ours := l.rule(answer) // without a match traffic passes, so a rule it is
	t := Trace{Prefix: p, RuleID: r.ID, Order: r.Order, Via: peer(r, atDestination).Value, Foreign: !ours}
	if r.Validity.Repeat == cloudfw.Once {
		t.FirewallEnd = r.Validity.End
	}
	return t
}

// passing says why packets of the prefix pass.
func (l *liveList) passing(p netip.Prefix, answer string, atDestination bool) string {
	pass, _ := l.rule(answer)
	ours, held := l.holder(p, atDestination)
	switch {
	case held && (ours.Disabled || !ours.Validity.Running(l.world.TakenAt)):
		return fmt.Sprintf("rule #%d, which would block it, is disabled or out of its validity time", ours.Order)
	case !held:
		return "no enabled drop rule of ours holds it"
	case pass == nil:
		return fmt.Sprintf("our drop #%d does not stop all of its packets", ours.Order)
	case pass.Order > ours.Order:
		return fmt.Sprintf("rule #%d (%s, %q) lets pass what our drop #%d does not stop", pass.Order, pass, pass.Description, ours.Order)
	}
	return fmt.Sprintf("rule #%d (%s, %q) lets it pass above our drop #%d, which must stand at #%d", pass.Order, pass, pass.Description, ours.Order, pass.Order)
}

// holders are the drops of ours by the prefixes that they hold, enabled and permanent
// ones first, and the widths of these prefixes, the narrowest first.
type holders struct {
	by     map[netip.Prefix]*cloudfw.FirewallRule
	widths []int
}

// holder finds the drop of ours that holds the prefix or a wider one.
func (l *liveList) holder(p netip.Prefix, atDestination bool) (*cloudfw.FirewallRule, bool) {
	h := l.holders[atDestination]
	if h == nil {
		h = l.hold(atDestination)
		l.holders[atDestination] = h
	}
	for _, bits := range h.widths {
		if bits > p.Bits() {
			continue
		}
		wider, _ := p.Addr().Prefix(bits)
		if r, ok := h.by[wider]; ok {
			return r, true
		}
	}
	return nil, false
}

func (l *liveList) hold(atDestination bool) *holders {
	h := &holders{by: map[netip.Prefix]*cloudfw.FirewallRule{}}
	var drops []*cloudfw.FirewallRule
	for i := range l.rules {
		if r := &l.rules[i]; l.ours[i] && r.Action == cloudfw.Drop && peer(r, atDestination).Kind == cloudfw.Book {
			drops = append(drops, r)
		}
	}
	slices.SortStableFunc(drops, func(a, b *cloudfw.FirewallRule) int { return lame(a) - lame(b) })
	widths := map[int]bool{}
	for _, r := range drops {
		held, _ := l.world.Addresses(peer(r, atDestination))
		for _, p := range held {
			if _, known := h.by[p]; !known {
				h.by[p], widths[p.Bits()] = r, true
			}
		}
	}
	h.widths = slices.Sorted(maps.Keys(widths))
	slices.Reverse(h.widths)
	return h
}

func lame(r *cloudfw.FirewallRule) int {
	if r.Disabled || !r.Validity.Permanent() {
		return 1
	}
	return 0
}

func peer(r *cloudfw.FirewallRule, atDestination bool) cloudfw.Peer {
	if atDestination {
		return r.Destination
	}
	return r.Source
}

// groupTracer asks a security group, where nothing that comes in from a blocked prefix
// may pass. Whose rule stops it does not matter there: the vendor adds none of ours
// beside one of somebody else's that does the same (reference §3.1).
func groupTracer(owner cloudfw.Owner, target cloudfw.Target, family cloudfw.Family, live cloudfw.Snapshot) tracer {
	group, _ := live.Group(target.GroupID)
	group.Rules = slices.Clone(group.Rules)
	rules := slices.Clone(group.Rules)
	for i := range group.Rules {
		group.Rules[i].ID = strconv.Itoa(i)
	}
	compiled := packets.Group(group, cloudfw.In, family, live)
	return func(prefixes []netip.Prefix) []found {
		result := make([]found, len(prefixes))
		for i, fate := range compiled.Fates(packets.Question{Prefixes: prefixes}) {
			var r cloudfw.GroupRule
			n, err := strconv.Atoi(fate.Rule)
			if err == nil {
				r = rules[n]
			}
			switch {
			case fate.Passes && err == nil:
				result[i].why = fmt.Sprintf("no drop rule at priority 1 holds it, and rule %s at priority %d lets it in (%s %s from %s)", r.ID, r.Priority, r.Protocol, r.Ports, r.Peer)
			case fate.Passes:
				result[i].why = "no drop rule at priority 1 holds it, and members of the group reach each other"
			case err == nil:
				result[i].trace = Trace{Prefix: prefixes[i], RuleID: r.ID, Order: r.Priority, Via: r.Peer.String(), Foreign: !owner.Owns("rule", r.Description)}
			default:
				result[i].trace = Trace{Prefix: prefixes[i], Via: "no rule lets it in", Foreign: true}
			}
		}
		return result
	}
}
