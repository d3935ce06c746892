package lower

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"fwsync/cloudfw"
)

// lowerFirewalls lowers the declared rules, in their order, to control policies of
// every border that is a target. The borders of an account share its books.
func lowerFirewalls(w *Wanted, c *chooser, intent cloudfw.Intent, live cloudfw.Snapshot, limits cloudfw.Limits, retired map[string]bool) {
	l := &firewalls{
		owner:   intent.Owner,
		live:    live,
		groups:  map[string]string{},
		blocked: map[cloudfw.Family][]cloudfw.AddressBook{},
	}
	if intent.NeedsBlockedBooks() {
		l.shelve(w, c, intent, limits, retired)
	}
	for _, target := range intent.Targets {
		if !target.Firewall() {
			continue
		}
		for _, rule := range intent.Rules {
			if !target.Takes(rule) {
				continue
			}
			for _, key := range target.Border.Keys() {
				if key.Direction == rule.Direction {
					w.Rules[key] = append(w.Rules[key], l.rule(rule, key)...)
				}
			}
		}
	}
	w.Books = append(w.Books, l.order...)
}

// shelve puts the blocked addresses into books, as many as the limits have room for.
func (l *firewalls) shelve(w *Wanted, c *chooser, intent cloudfw.Intent, limits cloudfw.Limits, retired map[string]bool) {
	var targets []string
	for _, t := range intent.Targets {
		if t.Firewall() && (t.Kind == cloudfw.InternetFirewall || slices.ContainsFunc(intent.Rules, func(r cloudfw.Rule) bool {
			return (r.From.Blocked || r.To.Blocked) && t.Takes(r)
		})) {
			targets = append(targets, t.Name())
		}
	}
	rooms := needs(c, intent, l.live, limits)
	for _, f := range cloudfw.Families {
		held := heldInBooks(intent.Owner, l.live, f)
		chosen := c.choose(f, rooms[f].places, held)
		lapses := l.lapses(w, intent, f, chosen, held, rooms[f])
		books, homeless := l.house(w, f, chosen, lapses, rooms[f], limits.AddressesPerBook, retired)
		reason := "there is no room within " + rooms[f].bound + ", and others score higher"
		if len(homeless) > 0 {
			chosen = overflow(chosen, c.candidates[f], homeless, held)
			books, _ = shard(intent.Owner, f, blockedPurpose(f), chosen.Prefixes, l.live, limits.AddressesPerBook, rooms[f].books, retired) // what is left has a home
			reason = "there is no room within " + rooms[f].bound + ", at least until addresses that are to go have left their books"
		}
		l.blocked[f] = books
		w.Books = append(w.Books, books...)
		for i, target := range targets {
			w.record(target, chosen, intent.Blocked, reason, shelvedFor(len(targets)))
			if i == 0 && len(c.candidates[f])+len(held) > 0 {
				w.Places = append(w.Places, Places{target, f, len(held), len(chosen.Prefixes), rooms[f].places, rooms[f].bound})
			}
		}
	}
}

// heldInBooks is what our books of blocked addresses hold now, those of lapse buckets too.
func heldInBooks(owner cloudfw.Owner, live cloudfw.Snapshot, f cloudfw.Family) []netip.Prefix {
	var sets [][]netip.Prefix
	for _, b := range live.Books {
		_, numbered := bookNumber(owner, b, blockedPurpose(f))
		_, lapses := Lapse(owner, b.Name)
		if b.Family == f && (numbered || lapses && owner.OwnsBook(b)) {
			sets = append(sets, b.Prefixes)
		}
	}
	return slices.Concat(sets...)
}

// firewalls collects the group books that the rules turn out to need.
type firewalls struct {
	owner   cloudfw.Owner
	live    cloudfw.Snapshot
	groups  map[string]string // base purpose to book name
	order   []cloudfw.AddressBook
	blocked map[cloudfw.Family][]cloudfw.AddressBook
}

// rule expands one declared rule to one list's policies. A side without addresses
// of the list's family yields none.
func (l *firewalls) rule(rule cloudfw.Rule, key cloudfw.ListKey) []cloudfw.FirewallRule {
	sources, destinations := l.peers(rule.From, key.Family), l.peers(rule.To, key.Family)
	ports := rule.Ports
	if len(ports) == 0 {
		ports = []cloudfw.PortRange{{}}
	}
	var rules []cloudfw.FirewallRule
	for _, source := range sources {
		for _, destination := range destinations {
			for _, port := range ports {
				r := cloudfw.FirewallRule{
					Border: key.Border, Direction: key.Direction, Family: key.Family, Action: rule.Action,
					Source: source, Destination: destination,
					Protocol: rule.Protocol, Ports: port, Application: rule.Application, Validity: rule.Validity,
				}
				r = l.bounded(r)
				r.Description = l.marker(rule.Name, r)
				rules = append(rules, l.begun(r))
			}
		}
	}
	return rules
}

// marker names a policy by its rule, family and content.
func (l *firewalls) marker(name string, r cloudfw.FirewallRule) string {
	name = fmt.Sprintf("%s.%s.%s", name, familyDigit(r.Family), digest(r.String()))
	return cloudfw.Marker{Owner: l.owner, Kind: "rule", Name: name}.String()
}

func (l *firewalls) peers(side cloudfw.Side, f cloudfw.Family) []cloudfw.Peer {
	var peers []cloudfw.Peer
	switch {
	case side.Blocked:
		for _, b := range l.blocked[f] {
			peers = append(peers, cloudfw.Peer{Kind: cloudfw.Book, Value: b.Name})
		}
	case side.Group != "":
		if prefixes := side.Of(f); len(prefixes) > 0 {
			peers = append(peers, cloudfw.Peer{Kind: cloudfw.Book, Value: l.group(side.Group, f, prefixes)})
		}
	default:
		for _, p := range side.Of(f) {
			peers = append(peers, cloudfw.Peer{Kind: cloudfw.Net, Value: p.String()})
		}
	}
	return peers
}

// group returns the name of the book that holds a declared group. The name carries
// a digest of the addresses and such a book is never edited: another group content,
// or a book that somebody edited, means another book and other policies, which the
// sweep puts in place in a safe order before the old ones go. Editing the book in
// place could let packets through that neither the old nor the new rules accept
// (promise P2).
func (l *firewalls) group(name string, f cloudfw.Family, prefixes []netip.Prefix) string {
	prefixes = cloudfw.SortPrefixes(prefixes)
	var content strings.Builder
	for _, p := range prefixes {
		content.WriteString(p.String() + ",")
	}
	base := fmt.Sprintf("group-%s-%s-%s", name, familyDigit(f), digest(content.String()))
	if known, ok := l.groups[base]; ok {
		return known
	}
	b := book(l.owner, l.vacant(base, prefixes), f)
	b.Prefixes = prefixes
	l.groups[base] = b.Name
	l.order = append(l.order, b)
	return b.Name
}

// vacant picks the purpose for a group's book: that of a live book of ours with
// just this content, else the first that no live book has.
func (l *firewalls) vacant(base string, prefixes []netip.Prefix) string {
	free := ""
	for n := 1; ; n++ {
		purpose := base
		if n > 1 {
			purpose = fmt.Sprintf("%s-%d", base, n)
		}
		b, live := l.live.Book(l.owner.BookName(purpose))
		if live && l.owner.OwnsBook(b) && slices.Equal(b.Prefixes, prefixes) {
			return purpose
		}
		if !live && free == "" {
			free = purpose
		}
		if !live && n > 1 {
			return free
		}
	}
}
