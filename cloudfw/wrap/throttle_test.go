package wrap

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"fwsync/cloudfw"
)

func mustThrottle(t *testing.T, a cloudfw.Account, r Rate) cloudfw.Account {
	t.Helper()
	throttled, err := Throttle(a, r)
	if err != nil {
		t.Fatal(err)
	}
	return throttled
}

// mostWithin is the largest number of times within any stretch as long as per.
func mostWithin(times []time.Time, per time.Duration) int {
	slices.SortFunc(times, time.Time.Compare)
	most := 0
	for i := range times {
		n := 0
		for _, at := range times[i:] {
			if at.Sub(times[i]) < per {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

func TestNoStretchOfTimeHoldsMoreStepsThanTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		a := mustThrottle(t, f, Rate{Steps: 5, Per: time.Second, Reserved: 2})
		for worker := range 7 {
			go func() {
				ctx := t.Context()
				if worker == 0 {
					ctx = Urgent(ctx)
				}
				for i := range 10 {
					time.Sleep(time.Duration(worker*i) * 17 * time.Millisecond)
					if err := a.Execute(ctx, step("b")); err != nil {
						t.Error(err)
					}
				}
			}()
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := f.sent(); n != 70 {
			t.Fatalf("%d of 70 steps arrived", n)
		}
		if most := mostWithin(f.at, time.Second); most != 5 {
			t.Errorf("%d steps began within one second, want 5 at the busiest", most)
		}
	})
}

func TestOrdinaryStepsLeaveTheReservedShareAndUrgentOnesDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		a := mustThrottle(t, f, Rate{Steps: 4, Per: time.Minute, Reserved: 1})
		for i := range 30 {
			go func() {
				if err := a.Execute(t.Context(), step(fmt.Sprint("ordinary ", i))); err != nil {
					t.Error(err)
				}
			}()
		}
		synctest.Wait()
		if n := f.sent(); n != 3 {
			t.Fatalf("%d ordinary steps began at once, want 3", n)
		}
		for range 4 {
			time.Sleep(61 * time.Second)
			began := time.Now()
			if err := a.Execute(Urgent(t.Context()), step("urgent")); err != nil || time.Since(began) != 0 {
				t.Errorf("an urgent step waited %v: %v", time.Since(began), err)
			}
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := f.sent(); n != 34 {
			t.Errorf("%d of 34 steps arrived", n)
		}
	})
}

func TestStepsThatWaitGoInTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		a := mustThrottle(t, f, Rate{Steps: 1, Per: time.Second})
		for i := range 20 {
			go func() {
				if err := a.Execute(t.Context(), step(fmt.Sprint(i))); err != nil {
					t.Error(err)
				}
			}()
			synctest.Wait()
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		for i, s := range f.executed {
			if s.Book.Name != fmt.Sprint(i) {
				t.Fatalf("step %s came as number %d", s.Book.Name, i)
			}
		}
	})
}

func TestAStepThatWaitsIsGivenUpWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		a := mustThrottle(t, f, Rate{Steps: 1, Per: time.Hour})
		if err := a.Execute(t.Context(), step("first")); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		errs := make(chan error, 2)
		for range 2 { // one waits for its place, the other behind it
			go func() { errs <- a.Execute(ctx, step("late")) }()
		}
		for range 2 {
			if err := <-errs; cloudfw.KindOf(err) != cloudfw.Canceled {
				t.Errorf("got %v", err)
			}
		}
		if n := f.sent(); n != 1 {
			t.Errorf("%d steps were sent, want 1", n)
		}
		// Nobody who gave up keeps a place.
		began := time.Now()
		if err := a.Execute(t.Context(), step("next")); err != nil || time.Since(began) != 59*time.Minute {
			t.Errorf("the next step waited %v: %v", time.Since(began), err)
		}
	})
}

func TestARateThatLetsNothingThroughIsRefused(t *testing.T) {
	for _, r := range []Rate{{}, {Steps: 1}, {Per: time.Second}, {Steps: 2, Per: time.Second, Reserved: 2}, {Steps: 2, Per: time.Second, Reserved: -1}, {Steps: 1, Per: -time.Second}} {
		if a, err := Throttle(&fake{}, r); cloudfw.KindOf(err) != cloudfw.Invalid || a != nil {
			t.Errorf("%+v: %v", r, err)
		}
	}
}
