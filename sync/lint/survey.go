package lint

import (
	"fmt"
	"net/netip"
	"slices"

	"fwsync/cloudfw"
	"fwsync/cloudfw/packets"
)

// survey is what the checks have in common: the declared rules as the firewalls get
// them, and what becomes of each.
type survey struct {
	Input
	rules []cloudfw.Rule
	lists []*list
	fates []fate // of each rule
}

// list is one ordered list of declared rules, compiled. Beside the rules it holds one
// box of packets for each prefix on the allowlist.
type list struct {
	key     cloudfw.ListKey
	rules   []int // of each compiled rule, the declared one
	effects *packets.Effects
}

// fate is what becomes of one declared rule in all lists that it is in.
type fate struct {
	taken    bool  // some list takes it
	possible bool  // and in one of these some packet matches it
	decides  bool  // and decides one
	coverer  int   // the one rule above that takes every packet, -1 without one
	takers   []int // the rules that together do; nil when it decides
}

// dead reports whether some packet matches the rule and none is decided by it.
func (f fate) dead() bool { return f.possible && !f.decides }

func newSurvey(in Input) *survey {
	s := &survey{Input: in, rules: in.Policy.Rules}
	s.lists = listsOf(in.Policy.Targets, s.rules, in.Policy.Allowlist)
	s.fates = fatesOf(s.rules, s.lists)
	return s
}

// listsOf compiles what each firewall gets. Firewalls that get the same share a list.
func listsOf(targets []cloudfw.Target, rules []cloudfw.Rule, allowed []cloudfw.Exempt) []*list {
	var lists []*list
	n := &naming{known: map[string]*netip.Prefix{}}
	for _, target := range targets {
		if !target.Firewall() {
			continue
		}
		for _, key := range target.Border.Keys() {
			l := &list{key: key}
			for i, r := range rules {
				if r.Direction == key.Direction && target.Takes(r) {
					l.rules = append(l.rules, i)
				}
			}
			if len(l.rules) == 0 || slices.ContainsFunc(lists, func(o *list) bool {
				return o.key.Direction == key.Direction && o.key.Family == key.Family && slices.Equal(o.rules, l.rules)
			}) {
				continue
			}
			l.compile(n, rules, allowed)
			lists = append(lists, l)
		}
	}
	return lists
}

// compile makes one rule of each declared one: the groups become books that lint makes
// up, the blocked addresses a book that nobody knows.
func (l *list) compile(n *naming, rules []cloudfw.Rule, allowed []cloudfw.Exempt) {
	var compiled, boxes []cloudfw.FirewallRule
	for _, at := range l.rules {
		r := rules[at]
		c := cloudfw.FirewallRule{
			ID: r.Name, Direction: l.key.Direction, Border: l.key.Border, Family: l.key.Family, Action: r.Action,
			Source: n.peer(r.From, l.key.Family), Destination: n.peer(r.To, l.key.Family),
			Protocol: r.Protocol, Application: r.Application,
		}
		switch len(r.Ports) {
		case 0:
		case 1:
			c.Ports = r.Ports[0]
		default:
			c.PortBook = n.ports(r.Ports)
		}
		compiled = append(compiled, c)
	}
	everybody := cloudfw.Peer{Kind: cloudfw.Net, Value: l.key.Family.Everything().String()}
	for _, e := range allowed {
		c := cloudfw.FirewallRule{Source: everybody, Destination: everybody, Protocol: cloudfw.AnyProtocol, Application: "ANY", Disabled: cloudfw.FamilyOf(e.Prefix) != l.key.Family}
		peer := cloudfw.Peer{Kind: cloudfw.Net, Value: e.Prefix.String()}
		if l.key.Direction == cloudfw.Out {
			c.Destination = peer
		} else {
			c.Source = peer
		}
		boxes = append(boxes, c)
	}
	l.effects = packets.NewEffects(packets.Firewall(l.key, compiled, n.world), packets.Firewall(l.key, boxes, n.world))
}

// naming makes up names for what rules say without any.
type naming struct {
	world cloudfw.Snapshot
	known map[string]*netip.Prefix // by name, the first prefix of what it stands for
	made  int
}

func (n *naming) peer(side cloudfw.Side, family cloudfw.Family) cloudfw.Peer {
	switch {
	case side.Any:
		return cloudfw.Peer{Kind: cloudfw.Net, Value: family.Everything().String()}
	case side.Blocked:
		return cloudfw.Peer{Kind: cloudfw.Book, Value: "$blocked"}
	case len(side.Prefixes) == 0:
		return cloudfw.Peer{Kind: cloudfw.Book, Value: n.book(cloudfw.AddressBook{})}
	}
	// Sides of one group share their prefixes, and are compiled once.
	name := fmt.Sprintf("%s %s %d", side.Group, side.Prefixes[0], len(side.Prefixes))
	first, again := n.known[name]
	if side.Group == "" || again && first != &side.Prefixes[0] {
		return cloudfw.Peer{Kind: cloudfw.Book, Value: n.book(cloudfw.AddressBook{Prefixes: side.Prefixes})}
	}
	if !again {
		n.known[name] = &side.Prefixes[0]
		n.world.Books = append(n.world.Books, cloudfw.AddressBook{Name: name, Prefixes: side.Prefixes})
	}
	return cloudfw.Peer{Kind: cloudfw.Book, Value: name}
}

func (n *naming) ports(ranges []cloudfw.PortRange) string {
	b := cloudfw.AddressBook{Type: cloudfw.PortRanges}
	for _, r := range ranges {
		b.Entries = append(b.Entries, r.String())
	}
	return n.book(b)
}

func (n *naming) book(b cloudfw.AddressBook) string {
	n.made++
	b.Name = fmt.Sprintf("%d", n.made)
	n.world.Books = append(n.world.Books, b)
	return b.Name
}

// fatesOf says what becomes of each rule.
func fatesOf(rules []cloudfw.Rule, lists []*list) []fate {
	fates := make([]fate, len(rules))
	for i := range fates {
		fates[i].coverer = -1
	}
	for _, l := range lists {
		for at, rule := range l.rules {
			f := &fates[rule]
			f.taken = true
			if !possible(rules[rule], l.key.Family) {
				continue
			}
			decides := f.decides || l.effects.Decides(at)
			if !decides {
				coverer := l.effects.Coverer(at)
				if coverer >= 0 {
					coverer = l.rules[coverer]
				}
				if f.possible && coverer != f.coverer {
					coverer = -1
				}
				f.coverer = coverer
				for _, taker := range l.effects.Takers(at) {
					f.takers = append(f.takers, l.rules[taker])
				}
			}
			f.possible, f.decides = true, decides
		}
	}
	for i := range fates {
		f := &fates[i]
		slices.Sort(f.takers)
		f.takers = slices.Compact(f.takers)
		if f.decides {
			f.coverer, f.takers = -1, nil
		}
	}
	return fates
}

// possible reports whether both sides have addresses of the family.
func possible(r cloudfw.Rule, family cloudfw.Family) bool {
	return (r.From.Blocked || len(r.From.Of(family)) > 0) && (r.To.Blocked || len(r.To.Of(family)) > 0)
}

// passes reports whether the rule lets its packets through.
func passes(r cloudfw.Rule) bool { return r.Action != cloudfw.Drop }

// subject is a declared rule as the subject of a finding.
func subject(r cloudfw.Rule) Subject { return Subject{RuleKind, r.Name, r.Declared} }
