package gates

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"fwsync/cloudfw"
)

// Whatever is asked about: each address that was asked about, or shares a held prefix with
// one, is blocked as the intent says; each other is as it is live, or as it is both.
func TestNarrowLeavesOthersAsTheyAre(t *testing.T) {
	somePrefix := rapid.Custom(func(t *rapid.T) netip.Prefix {
		bits := rapid.SampledFrom([]int{28, 29, 30, 31, 32, 32, 32}).Draw(t, "bits")
		return netip.PrefixFrom(netip.AddrFrom4([4]byte{203, 0, 113, byte(rapid.IntRange(0, 31).Draw(t, "last"))}), bits).Masked()
	})
	some := func(t *rapid.T, what string, most int) []netip.Prefix {
		return cloudfw.SortPrefixes(rapid.SliceOfNDistinct(somePrefix, 0, most, rapid.ID[netip.Prefix]).Draw(t, what))
	}
	rapid.Check(t, func(t *rapid.T) {
		held, wanted, just := some(t, "held", 8), some(t, "wanted", 8), some(t, "just", 2)
		live := cloudfw.Snapshot{}
		if len(held) > 0 {
			live = blockedAlready(slices.Clone(held))
		}
		kept, stays, left := Narrow("edge", live, intentOf(wanted...).Blocked, just)
		var after []netip.Prefix
		for _, b := range kept {
			after = append(after, b.Prefix)
		}
		is, was, wants := union(append(after, stays...)), union(slices.Clone(held)), union(slices.Clone(wanted))
		for last := range 32 {
			p := netip.PrefixFrom(netip.AddrFrom4([4]byte{203, 0, 113, byte(last)}), 32)
			asked := slices.ContainsFunc(just, p.Overlaps)
			for _, h := range held {
				asked = asked || h.Overlaps(p) && slices.ContainsFunc(just, h.Overlaps)
			}
			switch got := is.holds(p); {
			case asked && got != wants.holds(p):
				t.Fatalf("%s is blocked: %t, and wanted: %t", p, got, wants.holds(p))
			case !asked && got != was.holds(p) && got != wants.holds(p), !asked && was.holds(p) && wants.holds(p) && !got:
				t.Fatalf("%s is blocked: %t; it was: %t, wanted: %t", p, got, was.holds(p), wants.holds(p))
			}
		}
		if len(just) == 0 && fmt.Sprint(is) != fmt.Sprint(was) {
			t.Fatalf("nothing was asked about: %v, was %v", is, was)
		}
		if same := fmt.Sprint(held) == fmt.Sprint(wanted); same && left > 0 {
			t.Fatalf("%d are left, and nothing is pending", left)
		}
	})
}
