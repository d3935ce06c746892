package lint

import (
	"fmt"
	"net/netip"
	"slices"

	"fwsync/cloudfw"
)

// An accept that lets in nearly everything. Outgoing traffic is left alone: that
// servers may reach out is the usual state of things.
var tooWide = Check{
	Name: "too-wide", Severity: Warning,
	Says: "an accept from everywhere to every port, or from a prefix of a hundredth of the internet and more (a /1 to /7)",
	find: func(s *survey, report func(Subject, string, string)) {
		for i, r := range s.rules {
			if !passes(r) || r.Direction == cloudfw.Out || !s.fates[i].decides {
				continue
			}
			switch wide, some := widePrefix(r.From); {
			case everybody(r.From) && everybody(r.To) && everyPort(r):
				report(subject(r), fmt.Sprintf("rule %q lets everything from everywhere through", r.Name), `name your servers in "to", or the ports that they serve`)
			case everybody(r.From) && everyPort(r):
				report(subject(r), fmt.Sprintf("rule %q lets everybody reach every port", r.Name), `add the "ports" that are served, or name who may in "from"`)
			case some:
				report(subject(r), fmt.Sprintf("rule %q accepts from %s, which is %s", r.Name, wide, fraction(wide)), `write any if everybody is meant, or name who may in "from"`)
			}
		}
	},
}

// everyPort reports whether nothing but the addresses limits the rule.
func everyPort(r cloudfw.Rule) bool {
	return len(r.Ports) == 0 && r.Application == "ANY" && r.Protocol != cloudfw.ICMP
}

// everybody reports whether a side holds all of one family.
func everybody(side cloudfw.Side) bool {
	return slices.ContainsFunc(cloudfw.Families, func(f cloudfw.Family) bool {
		return slices.Contains(side.Of(f), f.Everything()) || halves(side.Of(f))
	})
}

// halves reports whether both halves of a family are there.
func halves(prefixes []netip.Prefix) bool {
	n := 0
	for _, p := range prefixes {
		if p.Bits() == 1 {
			n++
		}
	}
	return n == 2
}

// globalUnicast is all that is routed on the internet of IPv6: a way to say any.
var globalUnicast = netip.MustParsePrefix("2000::/3")

func widePrefix(side cloudfw.Side) (netip.Prefix, bool) {
	for _, p := range side.Prefixes {
		if p.Bits() >= 1 && p.Bits() <= 7 && p != globalUnicast && !private(p) {
			return p, true
		}
	}
	return netip.Prefix{}, false
}

// private is fc00::/7, which is wide and nobody's on the internet.
func private(p netip.Prefix) bool { return p == netip.MustParsePrefix("fc00::/7") }

func fraction(p netip.Prefix) string {
	return fmt.Sprintf("1/%d of all addresses", 1<<p.Bits())
}
