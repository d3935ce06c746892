package reconcile

import (
	"net/netip"
	"testing"
	"time"

	"fwsync/ledger"
	"fwsync/policies"
	"fwsync/sync/decide"
)

// BenchmarkExpirySweep looks through 100,000 decisions, a hundredth of which has just
// ended: what is over, what the policies bear no longer, what ends next.
func BenchmarkExpirySweep(b *testing.B) {
	text, err := policies.Preset("smtp")
	if err != nil {
		b.Fatal(err)
	}
	policy, err := policies.Parse([]policies.File{{Name: "smtp.yaml", Data: text}}, policies.Options{})
	if err != nil {
		b.Fatal(err)
	}
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	decisions := make([]ledger.Decision, 100_000)
	for i := range decisions {
		end := now.Add(time.Duration(i-1000) * 30 * time.Millisecond)
		decisions[i] = ledger.Decision{
			ID: int64(i + 1), Verdict: ledger.Block, Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{20, byte(i >> 16), byte(i >> 8), byte(i)}), 32),
			Start: now.Add(-time.Hour), End: end, LastSeen: end.Add(-time.Hour),
			Author: decide.Author, Rule: "sasl-bruteforce", Attempt: 1, Score: 5, Count: 5,
		}
	}
	b.ResetTimer()
	for b.Loop() {
		over := 0
		for _, gone := range ended(decisions, now) {
			if gone {
				over++
			}
		}
		lapsed := decide.Reconsider(decisions, policy.Detections, now)
		if next := nextEnd(decisions, now); over != 1001 || len(lapsed) > 0 || !next.After(now) {
			b.Fatalf("%d are over, %d lapsed, the next ends at %s", over, len(lapsed), next)
		}
	}
}
