package alibaba

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestNoSecondHoldsMoreCallsThanTheVendorAllows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(8)
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
		p := newPace(8)
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
		p := newPace(8)
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
		wait()
		if d := wait(); d != time.Second/8 {
			t.Errorf("back at the full rate the next call waited %v", d)
		}
	})
}

func TestACanceledWaitGivesItsTurnBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPace(1)
		if err := p.wait(t.Context(), "A"); err != nil {
			t.Fatal(err)
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
	p := newPace(8)
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
	plain := newPace(8)
	for range 100 {
		if d := plain.backoff(3); d < 0 || d > 2*time.Second {
			t.Errorf("jittered delay %v", d)
		}
	}
}
