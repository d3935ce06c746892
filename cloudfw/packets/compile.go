package packets

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"fwsync/cloudfw"
)

// Compiler turns rules into lists. It remembers what it has compiled, so that many
// states of one account, which have nearly all in common, cost little more than one.
// It takes the content of a book for immutable: a changed book has another slice.
// Not safe for concurrent use.
type Compiler struct {
	peers   map[peerKey]resolved
	rules   map[ruleKey]*rule
	pointed map[*cloudfw.FirewallRule]pointed
	grouped map[groupRuleKey]*rule
}

// pointed is what a rule that stays the same was compiled to, and what it depended on.
type pointed struct {
	nameless bool // it depends on no name
	names    namesKey
	rules    []*rule // one, or two in strict mode
}

// NewCompiler returns an empty compiler.
func NewCompiler() *Compiler {
	return &Compiler{peers: map[peerKey]resolved{}, rules: map[ruleKey]*rule{}, pointed: map[*cloudfw.FirewallRule]pointed{}, grouped: map[groupRuleKey]*rule{}}
}

// peerKey is a peer and the identity of what its name stands for.
type peerKey struct {
	peer   cloudfw.Peer
	family cloudfw.Family
	known  bool
	first  *netip.Prefix
	length int
}

// resolved is a peer's set, or the condition that stands for it.
type resolved struct {
	set       set
	condition string
}

// ruleKey is all that a compiled rule depends on.
type ruleKey struct {
	rule   cloudfw.FirewallRule
	names  namesKey
	at     time.Time // of rules with a validity time
	strict bool
}

// namesKey is the identity of what the names in a rule stand for.
type namesKey struct {
	source, destination peerKey
	ports               *string
}

// Firewall compiles one ordered list of the firewall as it stands in a snapshot.
// Rules are taken in the order given. What no packet's header tells is an opaque
// condition: a domain, a location, a book that the snapshot does not hold, a validity
// time that the snapshot's own does not settle: what has lapsed by then matches nothing. Without a match traffic passes (reference §2). With strict mode traffic whose
// application is not recognised is dropped by the first rule that only its application
// keeps from matching (reference §2.1, advanced config).
func (c *Compiler) Firewall(key cloudfw.ListKey, rules []cloudfw.FirewallRule, world cloudfw.Snapshot) *List {
	l := &List{family: key.Family, pass: true, rules: make([]*rule, 0, len(rules))}
	n := namesOf(world)
	for i := range rules {
		l.rules = append(l.rules, c.compile(key, &rules[i], n, n.keys(&rules[i], key.Family), world.Strict)...)
	}
	return l
}

// FirewallOf is Firewall for rules that never change where they are: those of a
// cloudfw.Replay. A list that differs little from one before costs next to nothing.
func (c *Compiler) FirewallOf(key cloudfw.ListKey, rules []*cloudfw.FirewallRule, world cloudfw.Snapshot) *List {
	l := &List{family: key.Family, pass: true, rules: make([]*rule, 0, len(rules))}
	n := namesOf(world)
	for _, r := range rules {
		known, ok := c.pointed[r]
		if ok && known.nameless {
			l.rules = append(l.rules, known.rules...)
			continue
		}
		keys := n.keys(r, key.Family)
		if !ok || known.names != keys {
			nameless := r.Source.Kind == cloudfw.Net && r.Destination.Kind == cloudfw.Net && r.PortBook == ""
			known = pointed{nameless, keys, c.compile(key, r, n, keys, world.Strict)}
			c.pointed[r] = known
		}
		l.rules = append(l.rules, known.rules...)
	}
	return l
}

// compile compiles a rule, with the drop of unrecognised traffic that goes with it in
// strict mode.
func (c *Compiler) compile(key cloudfw.ListKey, r *cloudfw.FirewallRule, n names, keys namesKey, strict bool) []*rule {
	compiled := []*rule{c.rule(*r, key.Family, n, keys, false)}
	if strict && key.Border.Kind() == cloudfw.InternetBorder && compiled[0].applications != nil {
		compiled = append(compiled, c.rule(*r, key.Family, n, keys, true))
	}
	return compiled
}

// rule compiles a rule, or the drop of unrecognised traffic that goes with it in
// strict mode.
func (c *Compiler) rule(r cloudfw.FirewallRule, family cloudfw.Family, n names, keys namesKey, strict bool) *rule {
	r.Order, r.Cost, r.Hits, r.LastHit = 0, 0, 0, time.Time{}
	key := ruleKey{rule: r, names: keys, strict: strict}
	if !r.Validity.Permanent() {
		key.at = n.at
	}
	if known, ok := c.rules[key]; ok {
		return known
	}
	compiled := &rule{id: cmp.Or(r.ID, r.Description), pass: r.Action != cloudfw.Drop, never: r.Disabled}
	compiled.source = c.side(compiled, keys.source, n)
	compiled.destination = c.side(compiled, keys.destination, n)
	compiled.service = service(compiled, r.Protocol, r.Ports, r.PortBook, n)
	if r.Application != "" && r.Application != "ANY" {
		compiled.applications = sorted(strings.Split(r.Application, ","))
	}
	switch v := r.Validity; {
	case v.Permanent():
	case !n.at.IsZero() && v.Lapsed(n.at):
		compiled.never = true
	case !n.at.IsZero() && v.Running(n.at):
	default:
		compiled.conditions = append(compiled.conditions, fmt.Sprintf("in force %s %s–%s %s %s–%s", v.Repeat, stamp(v.Start), stamp(v.End), v.Days, v.From, v.To))
	}
	compiled.conditions = sorted(compiled.conditions)
	if strict {
		compiled.pass, compiled.applications = false, []string{""}
	}
	c.rules[key] = compiled
	return compiled
}

// side resolves a peer. An empty set makes the rule one that never matches.
func (c *Compiler) side(r *rule, key peerKey, n names) set {
	got, ok := c.peers[key]
	if !ok {
		if prefixes, known := n.addresses(key.peer); known {
			got.set = prefixSet(prefixes, key.family)
		} else {
			got.condition = key.peer.String()
		}
		c.peers[key] = got
	}
	if got.condition != "" {
		r.conditions = append(r.conditions, got.condition)
		return nil
	}
	if len(got.set) == 0 {
		r.never = true
	}
	if slices.Equal(got.set, everyAddress(key.family)) {
		return nil
	}
	return got.set
}

// service resolves protocol and ports. A port book is a set of ports when the world
// holds it, otherwise a condition; so is a protocol that is not known.
func service(r *rule, protocol cloudfw.Protocol, ports cloudfw.PortRange, book string, n names) set {
	ranges := []cloudfw.PortRange{ports}
	if book != "" {
		known, ok := n.ports(book)
		if !ok {
			r.conditions = append(r.conditions, "ports "+book)
			known = []cloudfw.PortRange{{}}
		}
		ranges = known
	}
	s, known := serviceOf(protocol, ranges)
	switch {
	case !known:
		r.conditions = append(r.conditions, "protocol "+string(protocol))
		return nil
	case len(s) == 0:
		r.never = true
	case slices.Equal(s, everyService):
		return nil
	}
	return s
}

// names is what the names in rules stand for.
type names struct {
	books map[string]cloudfw.AddressBook
	lists map[string]cloudfw.PrefixList // by id and by name
	at    time.Time                     // of the snapshot; zero: nobody knows
}

func namesOf(world cloudfw.Snapshot) names {
	n := names{make(map[string]cloudfw.AddressBook, len(world.Books)), make(map[string]cloudfw.PrefixList, 2*len(world.Lists)), world.TakenAt}
	for _, b := range world.Books {
		if _, again := n.books[b.Name]; !again { // the first of a name counts, as in Snapshot.Book
			n.books[b.Name] = b
		}
	}
	for _, l := range world.Lists {
		n.lists[l.Name] = l
		n.lists[l.ID] = l
	}
	return n
}

func (n names) keys(r *cloudfw.FirewallRule, family cloudfw.Family) namesKey {
	keys := namesKey{source: n.key(r.Source, family), destination: n.key(r.Destination, family)}
	if r.PortBook != "" {
		if b, ok := n.books[r.PortBook]; ok && len(b.Entries) > 0 {
			keys.ports = &b.Entries[0]
		}
	}
	return keys
}

func (n names) key(peer cloudfw.Peer, family cloudfw.Family) peerKey {
	key := peerKey{peer: peer, family: family}
	if peer.Kind == cloudfw.Book || peer.Kind == cloudfw.List {
		prefixes, known := n.addresses(peer)
		key.known, key.length = known, len(prefixes)
		if len(prefixes) > 0 {
			key.first = &prefixes[0]
		}
	}
	return key
}

// addresses is false for what is not a set of addresses, and for unknown names.
func (n names) addresses(peer cloudfw.Peer) ([]netip.Prefix, bool) {
	switch peer.Kind {
	case cloudfw.Book:
		b, ok := n.books[peer.Value]
		return b.Prefixes, ok && b.Type == cloudfw.Addresses
	case cloudfw.List:
		l, ok := n.lists[peer.Value]
		return l.Prefixes, ok
	case cloudfw.Net:
		p, err := cloudfw.ParsePrefix(peer.Value)
		return []netip.Prefix{p}, err == nil
	}
	return nil, false
}

func (n names) ports(book string) ([]cloudfw.PortRange, bool) {
	b, ok := n.books[book]
	if !ok || b.Type != cloudfw.PortRanges {
		return nil, false
	}
	var ports []cloudfw.PortRange
	for _, text := range b.Entries {
		r, err := cloudfw.ParsePortRange(text)
		if err != nil {
			return nil, false
		}
		ports = append(ports, r)
	}
	return ports, true
}

// stamp writes a time of a validity; the zero time is open.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
