package detect

import (
	"testing"

	"pgregory.net/rapid"
)

// The bound is never too low, and as good as an exact count of spans a little longer.
func TestMostWithinBoundsCloselyWhatOneWindowHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		within := rapid.OneOf(rapid.Int64Range(1, 100), rapid.Int64Range(1, 1e13)).Draw(t, "within")
		at := rapid.Int64Range(within, lastTime).Draw(t, "t")
		far := rapid.OneOf(rapid.Int64Range(-within, within), rapid.SampledFrom([]int64{-within, within, 0, within / 2, -within / 2}))
		near := []int64{at}
		for range rapid.IntRange(0, 60).Draw(t, "others") {
			near = append(near, at+far.Draw(t, "from t"))
		}
		exact, longer := mostTogether(near, at, within), mostTogether(near, at, within+within/8+2)
		if bound := mostWithin(near, at, within); bound < exact || bound > longer {
			t.Fatalf("bound %d, want %d to %d", bound, exact, longer)
		}
	})
}

// mostTogether counts what mostWithin bounds.
func mostTogether(near []int64, t, within int64) (most int) {
	for _, from := range near {
		n := 0
		for _, at := range near {
			if from <= at && at-from <= within {
				n++
			}
		}
		if from <= t && t-from <= within {
			most = max(most, n)
		}
	}
	return most
}
