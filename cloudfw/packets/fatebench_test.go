package packets

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"fwsync/cloudfw"
)

// BenchmarkFates asks about the addresses of 50 full books, whose drops stand on top of
// a list of other rules or below them; compiling included.
func BenchmarkFates(b *testing.B) {
	for _, size := range []int{500, 5000} {
		for _, place := range []string{"on top", "below"} {
			b.Run(fmt.Sprintf("%d rules, ours %s", size, place), func(b *testing.B) {
				list, world := large(size)
				ours, others := list[:50], list[100:]
				if place == "on top" {
					list = append(append([]cloudfw.FirewallRule{}, ours...), others...)
				} else {
					list = append(append([]cloudfw.FirewallRule{}, others...), ours...)
				}
				q := Question{Protocol: cloudfw.AnyProtocol}
				for i := range 50 {
					q.Prefixes = append(q.Prefixes, world.Books[i].Prefixes...)
				}
				rand.New(rand.NewPCG(5, 6)).Shuffle(len(q.Prefixes), func(i, j int) { q.Prefixes[i], q.Prefixes[j] = q.Prefixes[j], q.Prefixes[i] })
				q.Prefixes = append(q.Prefixes, netip.MustParsePrefix("192.0.2.0/24"))
				passes := 0
				for b.Loop() {
					passes = 0
					for _, f := range Firewall(inbound, list, world).Fates(q) {
						if f.Passes {
							passes++
						}
					}
				}
				b.ReportMetric(float64(passes), "passing")
			})
		}
	}
}
