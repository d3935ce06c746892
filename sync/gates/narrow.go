package gates

import (
	"net/netip"
	"slices"

	"fwsync/cloudfw"
)

// Narrow leaves out of blocks all changes but those to the prefixes of just, to what is
// held that overlaps them, and to what overlaps that: kept are the blocks without what is
// to come elsewhere, stays is what is blocked now and would go elsewhere. left counts both.
// owner and live are the plan's. Nothing in just: kept and stays are what is live.
func Narrow(owner cloudfw.Owner, live cloudfw.Snapshot, blocks []cloudfw.Block, just []netip.Prefix) (kept []cloudfw.Block, stays []netip.Prefix, left int) {
	held := map[netip.Prefix]bool{}
	about := slices.Clone(just)
	for _, p := range holding(owner, live) {
		if held[p] = true; slices.ContainsFunc(just, p.Overlaps) {
			about = append(about, p) // what is left of it may take other prefixes
		}
	}
	asked := func(p netip.Prefix) bool { return slices.ContainsFunc(about, p.Overlaps) }
	wanted := make([]netip.Prefix, 0, len(blocks))
	for _, b := range blocks {
		if !asked(b.Prefix) && !held[b.Prefix] { // or a part of what is held, the rest of which is to go
			left++
			continue
		}
		kept, wanted = append(kept, b), append(wanted, b.Prefix)
	}
	// The narrowest first: a wider one that they come to was put together for a target with
	// less room.
	blocked := slices.Clone(blocking(owner, live))
	slices.SortStableFunc(blocked, func(a, b netip.Prefix) int { return b.Bits() - a.Bits() })
	is, bits := union(slices.Clone(wanted)), -1
	for _, p := range blocked {
		if p.Bits() != bits {
			is, bits = union(slices.Concat(wanted, stays)), p.Bits()
		}
		if !asked(p) && !is.holds(p) {
			stays, left = append(stays, p), left+1
		}
	}
	return kept, stays, left
}
