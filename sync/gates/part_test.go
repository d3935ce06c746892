package gates

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fwsync/cloudfw"
)

// Whatever may wait, the blast radius of what is left refuses a plan only where it would
// without any of it; nothing that is blocked is let go, and in the end all is taken in.
func TestPartIsWithinTheBlastRadius(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := many(rapid.IntRange(1, 1200).Draw(t, "blocks"))
		held := all[:rapid.IntRange(0, len(all)).Draw(t, "held")]
		every := rapid.IntRange(1, 30).Draw(t, "detected")
		limit := rapid.SampledFrom([]Budget{DefaultLimits().NewBlocks, UpTo(60), {Count: 200, Percent: 50, Floor: 10}}).Draw(t, "limit")
		mayWait := func(b cloudfw.Block) bool { return !strings.HasSuffix(b.Reason, " 0") }
		intent := intentOf(all...)
		detected := intentOf(held...)
		for i := range intent.Blocked {
			intent.Blocked[i].Reason = fmt.Sprint("each ", i%every)
			if !mayWait(intent.Blocked[i]) && i >= len(held) {
				detected.Blocked = append(detected.Blocked, intent.Blocked[i])
			}
		}
		live := cloudfw.Snapshot{}
		if len(held) > 0 {
			live = blockedAlready(held)
		}
		refused := func(intent cloudfw.Intent) bool {
			p, err := planOf(intent, live)
			if err != nil {
				t.Fatal(err)
			}
			return len(blastRadius(Input{Plan: p, Live: live, Intent: intent, Limits: Limits{NewBlocks: limit, RemovedBlocks: UpTo(0), DeletedRules: UpTo(99)}}).Withheld) > 0
		}
		part, wait := Part(intent.Owner, live, intent.Blocked, mayWait, limit)
		if len(part)+len(wait) != len(all) {
			t.Fatalf("%d and %d of %d", len(part), len(wait), len(all))
		}
		for _, b := range wait {
			if !mayWait(b) || union(held).holds(b.Prefix) {
				t.Fatalf("%v waits", b)
			}
		}
		whole := intent
		intent.Blocked = part
		if got, want := refused(intent), refused(detected); got != want {
			t.Fatalf("refused: %t; without what may wait: %t", got, want)
		}
		if len(wait) > 0 && !refused(detected) {
			intent.Blocked = append(intent.Blocked, wait[0])
			if !refused(intent) {
				t.Fatalf("one more would have been let pass: %d of %d wait", len(wait), len(whole.Blocked))
			}
		}
	})
}
