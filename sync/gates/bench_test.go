package gates

import (
	"fmt"
	"net/netip"
	"testing"

	"fwsync/cloudfw"
)

// The whole chain over a plan of n decisions of which a hundredth is new, with a feed
// of 10,000 protected ranges.
func BenchmarkChain(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			wanted := make([]netip.Prefix, n)
			for i := range wanted {
				wanted[i] = netip.PrefixFrom(netip.AddrFrom4([4]byte{45, byte(i >> 14), byte(i >> 6), byte(i << 2)}), 32)
			}
			in := Input{Intent: intentOf(wanted...), Live: blockedAlready(append([]netip.Prefix(nil), wanted[:n-n/100]...))}
			for i := range 10_000 {
				in.Providers = append(in.Providers, cloudfw.Exempt{Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{151, byte(i >> 8), byte(i)}), 24), Reason: "cdn"})
			}
			in = computed(b, in)
			b.ReportAllocs()
			for b.Loop() {
				if len(Run(in)) != len(Chain()) {
					b.Fatal("a gate was left out")
				}
			}
		})
	}
}
