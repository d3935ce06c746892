package daemon

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// passes runs a loop in simulated time and returns when each pass began.
func passes(t *testing.T, length time.Duration, pass func(n int) (time.Duration, Outcome), play func(*Loop)) (began []time.Duration, why [][]string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		l := New(nil)
		l.Pass = func(ctx context.Context, reasons []string) Outcome {
			began, why = append(began, time.Since(start)), append(why, slices.Clone(reasons))
			takes, outcome := pass(len(began))
			select {
			case <-ctx.Done():
			case <-time.After(takes):
			}
			return outcome
		}
		ctx, cancel := context.WithTimeout(t.Context(), length)
		defer cancel()
		go play(l)
		l.Run(ctx)
		if took := time.Since(start); took != length {
			t.Errorf("stopped after %s, asked to after %s", took, length)
		}
	})
	return began, why
}

func quick(int) (time.Duration, Outcome) { return 10 * time.Millisecond, Outcome{} }

func TestWithoutWishesItLooksNowAndThen(t *testing.T) {
	began, why := passes(t, time.Hour, quick, func(*Loop) {})
	if n := len(began); n < 11 || n > 14 {
		t.Errorf("%d passes in an hour", n)
	}
	for i := 1; i < len(began); i++ {
		if gap := began[i] - began[i-1]; gap < 4*time.Minute+30*time.Second || gap > 5*time.Minute+31*time.Second {
			t.Errorf("%s between two passes", gap)
		}
	}
	if why[0][0] != "start" || why[1][0] != "time" {
		t.Errorf("reasons: %q", why)
	}
}

func TestManyWishesAreOnePass(t *testing.T) {
	began, why := passes(t, time.Minute, quick, func(l *Loop) {
		time.Sleep(10 * time.Second)
		for range 1000 {
			l.Wish("decisions")
			time.Sleep(time.Microsecond)
		}
	})
	if len(began) != 2 || began[1] < 10*time.Second || began[1] > 10*time.Second+100*time.Millisecond {
		t.Errorf("passes at %s", began)
	}
	if len(why[1]) > 16 {
		t.Errorf("%d reasons are kept", len(why[1]))
	}
}

func TestPassesKeepTheirDistance(t *testing.T) {
	began, _ := passes(t, time.Minute, quick, func(l *Loop) {
		for range 600 {
			l.Wish("decisions")
			time.Sleep(100 * time.Millisecond)
		}
	})
	if n := len(began); n < 120 || n > 155 {
		t.Errorf("%d passes in a minute of wishes", n)
	}
	for i := 1; i < len(began); i++ {
		if gap := began[i] - began[i-1]; gap < 400*time.Millisecond {
			t.Errorf("%s between two passes", gap)
		}
	}
}

func TestAWishDuringAPassIsNotLost(t *testing.T) {
	began, _ := passes(t, time.Minute, func(int) (time.Duration, Outcome) { return 5 * time.Second, Outcome{} }, func(l *Loop) {
		time.Sleep(2 * time.Second)
		l.Wish("decisions")
	})
	if len(began) != 2 || began[1] != 5050*time.Millisecond {
		t.Errorf("passes at %s, want a second one shortly after the first, which ends at 5 s", began)
	}
}

func TestAFailedPassIsRepeatedLaterEachTime(t *testing.T) {
	began, _ := passes(t, 30*time.Minute, func(n int) (time.Duration, Outcome) {
		return 0, Outcome{Failed: n <= 9}
	}, func(l *Loop) {
		for range 6000 { // wishes do not hurry it
			l.Wish("decisions")
			time.Sleep(100 * time.Millisecond)
		}
	})
	want := 2 * time.Second
	for i := 1; i < 10; i++ {
		if gap := began[i] - began[i-1]; gap < want*9/10 || gap > want*11/10+200*time.Millisecond {
			t.Errorf("pass %d came %s after a failed one, want about %s", i+1, gap, want)
		}
		want = min(2*want, 2*time.Minute)
	}
	if gap := began[10] - began[9]; gap > 2*time.Second {
		t.Errorf("after a success the next pass came after %s", gap)
	}
}

func TestWhatEndsByItselfIsAReason(t *testing.T) {
	began, _ := passes(t, time.Minute, func(n int) (time.Duration, Outcome) {
		if n > 1 {
			return 0, Outcome{}
		}
		return 0, Outcome{NextAt: time.Now().Add(20 * time.Second)}
	}, func(*Loop) {})
	if len(began) != 2 || began[1] < 20*time.Second || began[1] > 21*time.Second {
		t.Errorf("passes at %s", began)
	}
}

func TestAStopEndsAPass(t *testing.T) {
	var stopped atomic.Bool
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		l := New(func(ctx context.Context, _ []string) Outcome {
			<-ctx.Done()
			stopped.Store(true)
			return Outcome{Failed: true}
		})
		go func() {
			time.Sleep(time.Second)
			cancel()
		}()
		l.Run(ctx)
	})
	if !stopped.Load() {
		t.Error("the pass went on")
	}
}
