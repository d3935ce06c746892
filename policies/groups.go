package policies

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"fwsync/cloudfw"
)

// maxAddresses bounds the prefixes that all groups and rules stand for together,
// which groups of groups could otherwise multiply without end.
const maxAddresses = 1_000_000

// group is a declared group on its way to its prefixes.
type group struct {
	name     word
	members  members
	state    int // 0 untouched, 1 in progress, 2 resolved
	prefixes []netip.Prefix
	whole    bool // every entry could be resolved
}

// declareGroups registers the groups of all files, so that they may refer to each
// other in any order.
func (c *checker) declareGroups() {
	for _, doc := range c.docs {
		for _, e := range doc.Groups.entries {
			if first, again := c.groups[e.name.text]; again {
				c.report.at(e.name.at, "", "group %q is declared twice, first at %s", e.name.text, first.name.at)
				continue
			}
			c.name(e.name, "group")
			if e.name.text == "any" || e.name.text == "allowlist" {
				c.report.at(e.name.at, "choose another name", "%q has a meaning of its own and cannot name a group", e.name.text)
			}
			c.groups[e.name.text] = &group{name: e.name, members: e.value}
			c.groupNames = append(c.groupNames, e.name.text)
		}
	}
}

// resolveGroups fills the policy's groups.
func (c *checker) resolveGroups() {
	c.policy.Groups = map[string][]netip.Prefix{}
	for _, name := range c.groupNames {
		g := c.groups[name]
		c.resolve(g, nil)
		c.policy.Groups[name] = g.prefixes
		if g.members != nil && len(g.members) == 0 {
			c.report.at(g.name.at, "add an address, or remove the group and what refers to it", "group %q is empty", name)
		}
	}
}

func (c *checker) resolve(g *group, trail []string) {
	if g.state == 2 {
		return
	}
	g.state, g.whole = 1, g.members != nil
	trail = append(trail, g.name.text)
	for _, m := range g.members {
		inner, isGroup := c.groups[m.text]
		if !isGroup {
			ps, ok := c.members(m)
			g.prefixes = append(g.prefixes, ps...)
			g.whole = g.whole && ok
			continue
		}
		if inner.state == 1 {
			c.report.at(m.at, "", "group %q contains itself: %s", m.text, circle(trail, m.text))
			g.whole = false
			continue
		}
		c.resolve(inner, trail)
		if !c.afford(len(inner.prefixes), m.at) {
			g.whole = false
			break
		}
		g.prefixes = append(g.prefixes, inner.prefixes...)
		g.whole = g.whole && inner.whole
	}
	g.prefixes = widest(g.prefixes)
	g.state = 2
}

// circle is the part of the trail that leads back to name.
func circle(trail []string, name string) string {
	names := append(slices.Clone(trail[slices.Index(trail, name):]), name)
	if len(names) > 8 {
		names = slices.Concat(names[:6], []string{"…", name})
	}
	return strings.Join(names, " → ")
}

// afford counts prefixes against the bound on all of them.
func (c *checker) afford(n int, at place) bool {
	before := c.addresses
	c.addresses += n
	if c.addresses <= maxAddresses {
		return true
	}
	if before <= maxAddresses {
		c.report.at(at, "", "the groups stand for more than %d addresses and prefixes in all", maxAddresses)
	}
	return false
}

// members returns the prefixes that one word, a group's name or a literal, stands
// for. It is false, with a finding, for everything else; also for a group that has
// a finding of its own.
func (c *checker) members(w word) ([]netip.Prefix, bool) {
	switch {
	case !w.at.known():
		return nil, false
	case strings.ContainsAny(w.text, ".:/%"):
		p, ok := c.literal(w)
		if !ok || !c.afford(1, w.at) {
			return nil, false
		}
		return []netip.Prefix{p}, true
	}
	if g, ok := c.groups[w.text]; ok {
		return g.prefixes, g.whole && len(g.prefixes) > 0
	}
	switch {
	case w.text == "any":
		c.report.at(w.at, "", `"any" can only stand alone, in "from" or "to" of a rule`)
	case w.text == "$blocked":
		c.report.at(w.at, "", `"$blocked" can only stand alone, in "from" of a rule`)
	case strings.HasPrefix(w.text, "$"):
		c.report.at(w.at, didYouMean(w.text, []string{"$blocked"}), "unknown variable %q", w.text)
	case c.report.incomplete:
		// The group may be declared where the reader could not look.
	default:
		hint := didYouMean(w.text, c.groupNames)
		if hint == "" && len(c.groupNames) > 0 && len(c.groupNames) <= 12 {
			hint = "declared groups: " + strings.Join(c.groupNames, ", ")
		}
		c.report.at(w.at, hint, "%q is neither an address nor a declared group", w.text)
	}
	return nil, false
}

// literal parses an address or a prefix.
func (c *checker) literal(w word) (netip.Prefix, bool) {
	p, err := cloudfw.ParsePrefix(w.text)
	if err == nil {
		return p, true
	}
	// Host bits get a hint of their own: which of the two was meant is not ours to guess.
	if raw, rawErr := netip.ParsePrefix(w.text); rawErr == nil && raw.Masked() != raw {
		bits := raw.Bits()
		if raw.Addr().Is4In6() {
			bits -= 96
		}
		if network, err := raw.Addr().Unmap().Prefix(bits); err == nil {
			c.report.at(w.at, fmt.Sprintf("did you mean %s, or %s alone?", network, raw.Addr().Unmap()), "%q has host bits set", w.text)
			return netip.Prefix{}, false
		}
	}
	c.report.at(w.at, "", "%v", err)
	return netip.Prefix{}, false
}

// widest sorts prefixes and drops those that lie within another.
func widest(ps []netip.Prefix) []netip.Prefix {
	ps = cloudfw.SortPrefixes(ps)
	kept := ps[:0]
	for _, p := range ps {
		if len(kept) == 0 || !cloudfw.Covers(kept[len(kept)-1], p) {
			kept = append(kept, p)
		}
	}
	return kept
}
