package simulator

import (
	"errors"
	"fmt"
	"net/netip"
)

// check reports every broken invariant of the state, joined, in a fixed order.
func (s *State) check(limits Limits, assume Assumptions) error {
	var problems []error
	report := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if s.Version != StateVersion {
		report("version %d is not %d", s.Version, StateVersion)
	}
	if s.InternetSwitch != "on" && s.InternetSwitch != "off" {
		report("internetSwitch %q is neither on nor off", s.InternetSwitch)
	}
	for _, a := range s.Assets {
		if _, err := netip.ParseAddr(a.InternetAddress); err != nil {
			report("asset %q has the internet address %q", a.Name, a.InternetAddress)
		}
	}
	s.checkUnique(report)
	s.checkPolicies(limits, assume, report)
	s.checkBooks(limits, report)
	s.checkPlaces(report)
	s.checkEvents(report)
	s.checkPrefixLists(limits, report)
	s.checkGroups(limits, report)
	return errors.Join(problems...)
}

type reporter func(format string, args ...any)

func (s *State) checkUnique(report reporter) {
	seen := map[string]string{}
	note := func(id, what string) {
		switch first, again := seen[id]; {
		case id == "":
			report("%s has no id", what)
		case again:
			report("%s has the id %q of %s", what, id, first)
		default:
			seen[id] = what
		}
	}
	for _, p := range s.Policies {
		note(p.UUID, p.label())
	}
	for _, b := range s.AddressBooks {
		note(b.UUID, fmt.Sprintf("address book %q", b.Name))
	}
	for _, l := range s.PrefixLists {
		note(l.ID, fmt.Sprintf("prefix list %q", l.Name))
	}
	for _, g := range s.NATGateways {
		note(g.ID, fmt.Sprintf("NAT gateway %q", g.Name))
	}
	for _, f := range s.VPCFirewalls {
		note(f.ID, fmt.Sprintf("VPC firewall %q", f.Name))
	}
	for _, e := range s.RiskEvents {
		note(e.ID, fmt.Sprintf("risk event %q", e.Name))
	}
	for _, e := range s.InvadeEvents {
		note(e.Key, fmt.Sprintf("invade event %q", e.Name))
	}
	for _, g := range s.SecurityGroups {
		note(g.ID, fmt.Sprintf("security group %q", g.Name))
		for _, r := range g.Rules {
			note(r.ID, fmt.Sprintf("rule %q of security group %q", r.ID, g.ID))
		}
	}
}

func (p *Policy) label() string {
	where := fmt.Sprintf("%s, IPv%d", p.Direction, p.IPVersion)
	if p.place() != "" {
		where = p.place()
	}
	return fmt.Sprintf("policy %d (%s)", p.Order, where)
}

func (s *State) checkPolicies(limits Limits, assume Assumptions, report reporter) {
	place, last := map[listKey]int{}, map[listKey]int{}
	for i := range s.Policies {
		p := s.Policies[i]
		k := p.list()
		place[k]++
		if p.Order != place[k] && (!assume.BeyondEndKeepsOrder || p.Order <= last[k]) {
			report("%s stands at place %d of its list", p.label(), place[k])
		}
		last[k] = p.Order
		if err := s.judgePolicy(&p, limits); err != nil {
			report("%s: %w", p.label(), err)
		}
	}
	for i, total := range s.spreadTotals() {
		if total > limits.SpreadUnits {
			report("the policies use %d of %d spread units of the %s border", total, limits.SpreadUnits, borders[i].name)
		}
	}
}

func (s *State) checkBooks(limits Limits, report reporter) {
	if n := len(s.AddressBooks); n > limits.Books {
		report("there are %d of %d address books", n, limits.Books)
	}
	names := map[string]bool{}
	for i := range s.AddressBooks {
		b := &s.AddressBooks[i]
		if names[b.Name] {
			report("two address books are named %q", b.Name)
		}
		names[b.Name] = true
		if n, limit := len(b.Addresses), limits.bookLimit(b.Type); n > limit {
			report("address book %q holds %d of %d addresses", b.Name, n, limit)
		}
		if !listed(b.Type) && editable(b.Type) && len(b.Addresses) > 0 {
			report("address book %q of type %q holds an address list", b.Name, b.Type)
		}
		if !listed(b.Type) {
			continue
		}
		seen := map[string]bool{}
		for _, text := range b.Addresses {
			// Canonical addresses pass under either reading of NormaliseAddresses.
			entry, err := parseEntry(b.Type, text, Assumptions{})
			if err != nil {
				report("address book %q: %w", b.Name, err)
			} else if seen[entry.key] {
				report("address book %q holds %q twice", b.Name, entry.address)
			}
			seen[entry.key] = true
		}
	}
}

func (s *State) checkPrefixLists(limits Limits, report reporter) {
	if n := len(s.PrefixLists); n > limits.PrefixLists {
		report("there are %d of %d prefix lists", n, limits.PrefixLists)
	}
	for _, l := range s.PrefixLists {
		if l.MaxEntries < 1 || l.MaxEntries > limits.EntriesPerPrefixList {
			report("prefix list %q has maxEntries %d", l.Name, l.MaxEntries)
		}
		if len(l.Entries) > l.MaxEntries {
			report("prefix list %q holds %d of %d entries", l.Name, len(l.Entries), l.MaxEntries)
		}
		seen := map[string]bool{}
		for _, e := range l.Entries {
			if _, err := canonicalCIDR(l.Family, e.CIDR, seen); err != nil {
				report("prefix list %q: %w", l.Name, err)
			}
		}
	}
}

func (s *State) checkGroups(limits Limits, report reporter) {
	for i := range s.SecurityGroups {
		g := &s.SecurityGroups[i]
		if cost := s.ruleCost(g); cost > limits.RulesPerGroup {
			report("security group %q uses %d of %d rules", g.ID, cost, limits.RulesPerGroup)
		}
		if n := groupReferences(g); n > maxGroupReferences {
			report("security group %q refers to %d of %d groups", g.ID, n, maxGroupReferences)
		}
		if g.Type != "normal" && g.Type != "enterprise" {
			report("security group %q is of type %q", g.ID, g.Type)
		}
		seen := map[SecurityRule]bool{}
		for _, r := range g.Rules {
			if err := s.judgeRule(g, &r); err != nil {
				report("rule %q of security group %q: %w", r.ID, g.ID, err)
			}
			if key := r.identity(); seen[key] {
				report("rule %q of security group %q stands there twice", r.ID, g.ID)
			} else {
				seen[key] = true
			}
		}
	}
}
