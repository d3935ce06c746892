package wrap

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fwsync/cloudfw"
)

func TestAnObservationIsMadeAgainUpToTheLimit(t *testing.T) {
	for _, c := range []struct {
		kind        cloudfw.Kind
		fails, want int // failures before success, observations made
		ok          bool
	}{
		{cloudfw.Unavailable, 0, 1, true},
		{cloudfw.Unavailable, 2, 3, true},
		{cloudfw.Throttled, 3, 4, true},
		{cloudfw.Throttled, 9, 4, false},
		{cloudfw.UnknownOutcome, 1, 1, false},
		{cloudfw.Denied, 1, 1, false},
	} {
		f := &fake{observe: func(_ context.Context, nth int) error {
			if nth <= c.fails {
				return &cloudfw.Error{Op: "DescribeAssetList", Kind: c.kind}
			}
			return nil
		}}
		var slept []time.Duration
		a := Retry(f, Retries{
			Attempts: 4, Pause: func(attempt int) time.Duration { return time.Duration(attempt) * time.Minute },
			Sleep: func(_ context.Context, d time.Duration) error { slept = append(slept, d); return nil },
		})
		_, err := a.Observe(t.Context(), cloudfw.Scope{})
		if (err == nil) != c.ok || !c.ok && cloudfw.KindOf(err) != c.kind || f.observed != c.want {
			t.Errorf("%d times %s: %v after %d observations, want %d", c.fails, c.kind, err, f.observed, c.want)
		}
		for i, d := range slept {
			if d != time.Duration(i+1)*time.Minute {
				t.Errorf("%d times %s: paused %v", c.fails, c.kind, slept)
			}
		}
		if len(slept) != c.want-1 {
			t.Errorf("%d times %s: %d pauses between %d observations", c.fails, c.kind, len(slept), c.want)
		}
	}
}

func TestAStepIsNeverRepeated(t *testing.T) {
	for _, kind := range []cloudfw.Kind{cloudfw.Unavailable, cloudfw.Throttled, cloudfw.UnknownOutcome} {
		f := &fake{execute: func(context.Context, cloudfw.Step) error { return &cloudfw.Error{Op: "x", Kind: kind} }}
		if err := Retry(f, Retries{}).Execute(t.Context(), step("b")); cloudfw.KindOf(err) != kind || len(f.executed) != 1 {
			t.Errorf("%s: %v after %d calls", kind, err, len(f.executed))
		}
	}
}

func TestAPauseEndsWithItsContextAndNamesTheFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{observe: func(context.Context, int) error {
			return &cloudfw.Error{Op: "DescribeAssetList", Kind: cloudfw.Unavailable}
		}}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		began := time.Now()
		_, err := Retry(f, Retries{}).Observe(ctx, cloudfw.Scope{})
		if cloudfw.KindOf(err) != cloudfw.Canceled || !strings.Contains(err.Error(), "DescribeAssetList") {
			t.Errorf("got %v", err)
		}
		if took := time.Since(began); took != 100*time.Millisecond || f.observed != 1 {
			t.Errorf("%d observations in %v", f.observed, took)
		}
	})
}

func TestTheUsualPausesGrowAndStayBounded(t *testing.T) {
	for attempt, most := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 5: 16 * time.Second, 6: 30 * time.Second, 500: 30 * time.Second} {
		for range 100 {
			if d := doubling(attempt); d <= most/2-time.Nanosecond || d > most {
				t.Fatalf("pause %d is %v, want %v to %v", attempt, d, most/2, most)
			}
		}
	}
}
