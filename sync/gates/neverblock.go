package gates

import (
	"net/netip"
	"slices"

	"fwsync/cloudfw"
)

// mapped is where IPv6 writes IPv4 addresses. Nobody sends from it, and a prefix in it
// or around it is a mistake or a trick.
var mapped = netip.MustParsePrefix("::ffff:0:0/96")

// neverBlock is promise P3 on the final plan: what is never blocked, both families,
// whether inside a wider block or around a narrower one. The intent has these
// addresses cut out already; this looks at what came of it after sharding and
// aggregation. There is no override but to change what is protected.
func neverBlock(in Input) Finding {
	entries := in.result().entries
	f := Finding{LookedAt: count(len(entries), "block"), lead: "the plan would block protected addresses: "}
	protected := protectedBy(in)
	for _, p := range entries {
		why, hit := cloudfw.Reserved(p.Masked())
		if !hit && (p.Addr().Is4In6() || p.Overlaps(mapped)) {
			why, hit = "IPv4 addresses written as IPv6", true
		}
		if !hit {
			why, hit = protected.reason(p)
		}
		if !hit {
			f.Passed++
			continue
		}
		f.Withheld = append(f.Withheld, Withheld{What: p.String(), Why: why, Hint: "see who blocks them: fwsync explain ADDRESS; take a decision back: fwsync unblock ADDRESS"})
	}
	return f
}

// protectedSet is what must not be blocked: ascending and disjoint.
type protectedSet []cloudfw.Exempt

func protectedBy(in Input) protectedSet {
	all := slices.Concat(in.Intent.Allowed, in.Providers)
	for _, a := range in.Live.Assets {
		all = append(all, cloudfw.Exempt{Prefix: cloudfw.HostPrefix(a.Address), Reason: "our own address " + a.Address.String()})
	}
	for _, a := range in.Operator.Addresses {
		all = append(all, cloudfw.Exempt{Prefix: cloudfw.HostPrefix(a), Reason: "the operator's own address " + a.String()})
	}
	slices.SortStableFunc(all, func(a, b cloudfw.Exempt) int { return cloudfw.ComparePrefixes(a.Prefix, b.Prefix) })
	var set protectedSet
	for _, e := range all {
		if len(set) == 0 || !cloudfw.Covers(set[len(set)-1].Prefix, e.Prefix) {
			set = append(set, e)
		}
	}
	return set
}

// reason says why a prefix that shares an address with the set is protected.
func (s protectedSet) reason(p netip.Prefix) (string, bool) {
	at, _ := slices.BinarySearchFunc(s, p, func(e cloudfw.Exempt, p netip.Prefix) int { return cloudfw.ComparePrefixes(e.Prefix, p) })
	if at < len(s) && s[at].Prefix.Overlaps(p) {
		return s[at].Reason, true
	}
	if at > 0 && s[at-1].Prefix.Overlaps(p) {
		return s[at-1].Reason, true
	}
	return "", false
}

func (s protectedSet) prefixes() []netip.Prefix {
	all := make([]netip.Prefix, len(s))
	for i, e := range s {
		all[i] = e.Prefix
	}
	return all
}
