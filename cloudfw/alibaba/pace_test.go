package alibaba

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"fwsync/cloudfw"
)

func TestNoSecondHoldsMoreCallsThanTheVendorAllows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPace(8)
		var mu sync.Mutex
		var times []time.Time
		var wg sync.WaitGroup
		for range 12 {
			wg.Go(func() {
				for range 10 {
					if err := p.wait(t.Context(), "DescribeControlPolicy"); err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					times = append(times, time.Now())
					mu.Unlock()
					p.passed("DescribeControlPolicy")
				}
			})
		}
		wg.Wait()
		for i := range times {
			if i >= 10 && times[i].Sub(times[i-10]) < time.Second {
				t.Fatalf("11 calls within %v", times[i].Sub(times[i-10]))
			}
		}
		if took := times[len(times)-1].Sub(times[0]); took > 16*time.Second {
			t.Errorf("120 calls took %v, want about 15s", took)
		}
	})
}

func TestAPIsDoNotWaitForOneAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPace(8)
		began := time.Now()
		p.throttled("A", time.Minute)
		for _, api := range []string{"B", "C", "D"} {
			if err := p.wait(t.Context(), api); err != nil {
				t.Error(err)
			}
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("others waited %v for a throttled API", took)
		}
	})
}

func TestThrottlingQuietsTheAPIForEverybodyAndSlowsItUntilItPasses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPace(8)
		wait := func() time.Duration {
			began := time.Now()
			if err := p.wait(t.Context(), "A"); err != nil {
				t.Error(err)
			}
			return time.Since(began)
		}
		wait()
		p.throttled("A", 10*time.Second)
		if d := wait(); d < 10*time.Second || d > 10*time.Second+time.Second/4 {
			t.Errorf("first waited %v", d)
		}
		if d := wait(); d != time.Second/4 {
			t.Errorf("at half the rate the next call waited %v", d)
		}
		for range 8 {
			p.passed("A")
		}
		for range mostAtOnce {
			wait()
		}
		if d := wait(); d != time.Second/8 {
			t.Errorf("back at the full rate the next call waited %v", d)
		}
	})
}

func TestACanceledWaitGivesItsTurnBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPace(1)
		for range mostAtOnce {
			if err := p.wait(t.Context(), "A"); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		for range 50 {
			if p.wait(ctx, "A") == nil {
				t.Fatal("a canceled wait succeeded")
			}
		}
		began := time.Now()
		if err := p.wait(t.Context(), "A"); err != nil || time.Since(began) > time.Second {
			t.Errorf("waited %v (%v)", time.Since(began), err)
		}
	})
}

func TestDelaysDoubleUpToTheLongestWithFullJitter(t *testing.T) {
	p := NewPace(8)
	var most []time.Duration
	p.jitter = func(d time.Duration) time.Duration { most = append(most, d); return d / 2 }
	for attempt := 1; attempt <= 9; attempt++ {
		if got := p.backoff(attempt); got != most[attempt-1]/2 {
			t.Errorf("attempt %d waits %v of %v", attempt, got, most[attempt-1])
		}
	}
	for i, want := range []time.Duration{500, 1000, 2000, 4000, 8000, 16000, 20000, 20000, 20000} {
		if most[i] != want*time.Millisecond {
			t.Errorf("attempt %d: at most %v, want %v", i+1, most[i], want*time.Millisecond)
		}
	}
	plain := NewPace(8)
	for range 100 {
		if d := plain.backoff(3); d < 0 || d > 2*time.Second {
			t.Errorf("jittered delay %v", d)
		}
	}
}

// However the calls come, from however many callers, whatever is throttled and
// whoever gives up: no second holds more calls of an API than mostPerSecond, and
// none goes out while the API is to be quiet.
func TestNoSecondHoldsTooManyCallsWhateverHappens(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		qps := rapid.Float64Range(0.5, 9.9).Draw(rt, "calls per second")
		callers := rapid.IntRange(1, 8).Draw(rt, "callers")
		type act struct {
			Pause, Patience, Throttle time.Duration
		}
		millis := func(most int) *rapid.Generator[time.Duration] {
			return rapid.Map(rapid.IntRange(0, most), func(ms int) time.Duration { return time.Duration(ms) * time.Millisecond })
		}
		scripts := make([][]act, callers)
		for i := range scripts {
			scripts[i] = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) act {
				a := act{Pause: millis(1500).Draw(t, "pause")}
				switch rapid.IntRange(0, 9).Draw(t, "kind") {
				case 0:
					a.Throttle = millis(3000).Draw(t, "throttled for")
				case 1:
					a.Patience = millis(500).Draw(t, "gives up after")
				case 2, 3, 4, 5:
					a.Pause = 0
				}
				return a
			}), 1, 15).Draw(rt, "script")
		}
		var sent []time.Time
		broken := ""
		synctest.Test(t, func(t *testing.T) {
			p := NewPace(qps)
			var mu sync.Mutex
			var since, quiet time.Time // none goes out after the one and before the other
			var wg sync.WaitGroup
			for _, script := range scripts {
				wg.Go(func() {
					for _, a := range script {
						time.Sleep(a.Pause)
						ctx, cancel := context.WithCancel(t.Context())
						if a.Patience > 0 {
							ctx, cancel = context.WithTimeout(t.Context(), a.Patience)
						}
						err := p.wait(ctx, "A")
						cancel()
						if err != nil {
							continue
						}
						mu.Lock()
						now := time.Now()
						// At the very instant of the throttling a call may be on its way already.
						if now.After(since) && now.Before(quiet) {
							broken = "a call went out in the quiet time"
						}
						sent = append(sent, now)
						if a.Throttle > 0 {
							since, quiet = now, later(quiet, now.Add(a.Throttle))
							p.throttled("A", a.Throttle)
						} else {
							p.passed("A")
						}
						mu.Unlock()
					}
				})
			}
			wg.Wait()
		})
		slices.SortFunc(sent, time.Time.Compare)
		for i := mostPerSecond; i < len(sent); i++ {
			if gap := sent[i].Sub(sent[i-mostPerSecond]); gap <= time.Second {
				broken = fmt.Sprintf("%d calls within %v", mostPerSecond+1, gap)
			}
		}
		if broken != "" {
			rt.Fatalf("%s: %v", broken, sent)
		}
	})
}

func TestAfterAQuietTimeAFewCallsGoOutAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPace(8)
		for range 3 {
			began := time.Now()
			for i := range mostAtOnce + 1 {
				if took := time.Since(began); took != 0 {
					t.Errorf("call %d waited %v", i, took)
				}
				if err := p.wait(t.Context(), "A"); err != nil {
					t.Fatal(err)
				}
			}
			if took := time.Since(began); took != time.Second/8 {
				t.Errorf("one call more waited %v", took)
			}
			time.Sleep(2 * time.Second)
		}
	})
}

func TestARateOutsideTheVendorsIsTheDefault(t *testing.T) {
	for _, qps := range []float64{0, -1, 10, math.NaN(), math.Inf(1)} {
		if p := NewPace(qps); p.full != defaultQPS {
			t.Errorf("%g is taken for %g", qps, p.full)
		}
	}
}

func TestAccountsOfOneAccountShareOnePace(t *testing.T) {
	shared := NewPace(7)
	cloud := newRig(t, world())
	for _, region := range []string{"cn-hangzhou", "cn-beijing"} {
		o := cloud.options
		o.Region, o.Pace, o.QPS = region, shared, 0
		a, err := Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(a.Close)
		if a.pace != shared {
			t.Errorf("%s has a pace of its own", region)
		}
		o.QPS = 7
		if _, err := Open(t.Context(), o); cloudfw.KindOf(err) != cloudfw.Invalid {
			t.Errorf("two rates at once: %v", err)
		}
	}
}
