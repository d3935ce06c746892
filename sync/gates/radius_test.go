package gates

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"fwsync/cloudfw"
)

// Promise P13: a sudden flood of new blocks, removals that no decision explains, and
// mass deletions are refused with the numbers and the flag; the flag lets them pass.
func TestP13BlastRadiusIsLimited(t *testing.T) {
	t.Run("a first run may block a large attack", func(t *testing.T) {
		if got := check(t, Input{Intent: intentOf(many(427)...)}); len(got) > 0 {
			t.Errorf("refusals = %v", got)
		}
	})
	t.Run("more new blocks than the limit", func(t *testing.T) {
		in := Input{Intent: intentOf(many(1001)...)}
		got := check(t, in)
		expect(t, got, "blast-radius", "newly block 1001 addresses: the limit is 1000")
		if !strings.Contains(got[0].Hint, "--max-new-blocks 1001") {
			t.Errorf("hint = %q", got[0].Hint)
		}
		in.Limits = DefaultLimits()
		in.Limits.NewBlocks = UpTo(1001)
		if got := check(t, in); len(got) > 0 {
			t.Errorf("with the flag: %v", got)
		}
	})
	t.Run("the numbers of prefixes are those of their addresses too", func(t *testing.T) {
		in := Input{Intent: intentOf(prefixes("198.51.100.0/24", "203.0.113.9", "2001:db8:bad::/48")...), Limits: DefaultLimits()}
		in.Limits.NewBlocks = UpTo(2)
		expect(t, check(t, in), "blast-radius", "newly block 3 addresses and prefixes, which cover 257 IPv4 addresses and 65536 IPv6 /64 networks")
	})
	t.Run("a tenfold jump over what is there", func(t *testing.T) {
		expect(t, check(t, Input{Intent: intentOf(many(550)...), Live: blockedAlready(many(50))}), "blast-radius", "300 %")
	})
	t.Run("a lost rule is put back whatever its book holds", func(t *testing.T) {
		live := blockedAlready(many(1500))
		live.Rules = nil
		if got := check(t, Input{Intent: intentOf(many(1500)...), Live: live}); len(got) > 0 {
			t.Errorf("refusals = %v", got)
		}
	})
	t.Run("removals that no decision explains", func(t *testing.T) {
		got := check(t, Input{Intent: intentOf(), Live: blockedAlready(many(100))})
		expect(t, got, "blast-radius", "stop blocking 100 addresses whose decisions have not ended: that is 100 % of the 100 there are; the limit is 30 %")
		in := Input{Intent: intentOf(), Live: blockedAlready(many(100)), Limits: DefaultLimits()}
		in.Limits.RemovedBlocks = UpTo(100)
		if got := check(t, in); len(got) > 0 {
			t.Errorf("with the flag: %v", got)
		}
	})
	t.Run("removals of decisions that ended", func(t *testing.T) {
		ended := map[netip.Prefix]bool{}
		for _, p := range many(100) {
			ended[p] = true
		}
		if got := check(t, Input{Intent: intentOf(), Live: blockedAlready(many(100)), Ended: ended}); len(got) > 0 {
			t.Errorf("refusals = %v", got)
		}
	})
	t.Run("decisions that ended behind a wider entry", func(t *testing.T) {
		ended := map[netip.Prefix]bool{}
		for _, p := range many(256)[:64] {
			ended[p] = true
		}
		in := Input{Intent: intentOf(many(256)[64:]...), Live: blockedAlready(prefixes("203.1.0.0/24")), Ended: ended}
		if got := check(t, in); len(got) > 0 {
			t.Errorf("refusals = %v", got)
		}
	})
	t.Run("a policy without the drop stops blocking all", func(t *testing.T) {
		intent := intentOf(many(100)...)
		intent.Rules = nil
		expect(t, check(t, Input{Intent: intent, Live: blockedAlready(many(100))}), "blast-radius", "stop blocking 100 addresses")
	})
	t.Run("lapse buckets come and go", func(t *testing.T) {
		live := blockedAlready(many(2))
		live.Books[0].Name = "fwsync-edge-blocked4-until-20261126-1330-1"
		live.Books[0].Description = cloudfw.Marker{Owner: "edge", Kind: "book", Name: "blocked4-until-20261126-1330-1"}.String()
		live.Rules[0].Source.Value = live.Books[0].Name
		for i := range 20 {
			r := live.Rules[0]
			r.ID, r.Order = fmt.Sprint("x", i), 2+i
			live.Rules = append(live.Rules, r)
		}
		if got := check(t, Input{Intent: intentOf(), Live: live}); len(got) > 0 {
			t.Errorf("refusals = %v", got)
		}
	})
	t.Run("mass deletions of rules", func(t *testing.T) {
		live := blockedAlready(nil)
		for i := range 20 {
			r := live.Rules[0]
			r.ID, r.Order, r.Source = fmt.Sprint("x", i), 2+i, cloudfw.Peer{Kind: cloudfw.Net, Value: fmt.Sprintf("198.51.100.%d/32", i)}
			live.Rules = append(live.Rules, r)
		}
		in := Input{Intent: intentOf(), Live: live}
		expect(t, check(t, in), "blast-radius", "delete 21 rules of ours: that is 100 % of the 21 there are; the limit is 50 %")
		in.Limits = DefaultLimits()
		in.Limits.DeletedRules = UpTo(21)
		if got := check(t, in); len(got) > 0 {
			t.Errorf("with the flag: %v", got)
		}
		in.Limits = Limits{}
		in.Live.TakenAt = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
		for i := range in.Live.Rules {
			in.Live.Rules[i].Validity = cloudfw.Lapsing(in.Live.TakenAt.Add(-time.Hour), in.Live.TakenAt.Add(time.Hour))
		}
		expect(t, check(t, in), "blast-radius", "delete 21 rules of ours")
		in.Live.TakenAt = in.Live.TakenAt.Add(time.Hour) // what has lapsed enforces nothing
		if got := check(t, in); len(got) > 0 {
			t.Errorf("lapsed: %v", got)
		}
	})
}

// A budget that a person names is just that: no percentage and no floor beside it.
func TestUpToIsExact(t *testing.T) {
	for n, over := range map[int]bool{1: false, 7: false, 8: true} {
		if _, got := UpTo(7).over(n, 1); got != over {
			t.Errorf("%d of up to 7: over = %v", n, got)
		}
	}
}

func ExampleBudget() {
	b := Budget{Count: 1000, Percent: 300, Floor: 100}
	why, over := b.over(1200, 5000)
	fmt.Println(over, why)
	// Output: true the limit is 1000
}
