package detect

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestARingKnowsHowDisorderedItIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rs := rings{budget: 1 << 12}
		r := ring{class: noRing}
		distinct := rapid.Bool().Draw(t, "distinct")
		limit := rapid.IntRange(2, 40).Draw(t, "limit")
		now := int64(1e15)
		for range rapid.IntRange(1, 200).Draw(t, "arrivals") {
			at := now + rapid.SampledFrom([]int64{0, 1, 2e6, -1, -3e6, -3e6, -1e9}).Draw(t, "at")
			now = max(now, at)
			if distinct {
				rs.touch(&r, at, rapid.Int64Range(1, 50).Draw(t, "item"), now, limit)
			} else {
				rs.push(&r, at, now, limit)
			}
			if rapid.IntRange(0, 9).Draw(t, "measured") == 0 {
				rs.measure(&r, distinct)
				if by, tight := r.disorder(), inversion(rs.copyOut(&r, distinct, limit, nil)); by > max(4, tight+tight/4) {
					t.Fatalf("measured %d where %d is enough", by, tight)
				}
			}
			times := rs.copyOut(&r, distinct, limit, nil)
			if by := inversion(times); by > r.disorder() {
				t.Fatalf("%v are disordered by %d, not %d", times, by, r.disorder())
			}
			if latest := r.latest(rs.fromEnd(&r, distinct, 1), now); slices.Max(times) > latest {
				t.Fatalf("%v: none is to be later than %d", times, latest)
			}
		}
	})
}

// inversion is by how much a time may be before an earlier one.
func inversion(times []int64) (by int64) {
	for i, earlier := range times {
		for _, later := range times[i:] {
			by = max(by, earlier-later)
		}
	}
	return by
}

func TestDisorderIsKeptAsLittleMoreThanItIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		by := rapid.Int64Range(0, lastTime).Draw(t, "by")
		var r ring
		r.setDisorder(by)
		if got := r.disorder(); got < by || by > 16 && got > by+by/4 || by == 0 && got != 0 {
			t.Fatalf("%d is kept as %d", by, got)
		}
	})
}
