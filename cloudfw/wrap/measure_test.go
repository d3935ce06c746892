package wrap

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"fwsync/cloudfw"
)

func TestTheMeterSumsByOperationAndOutcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		m := Measure(f)
		if sums := m.Sums(); len(sums) != 0 {
			t.Errorf("a new meter has %+v", sums)
		}
		execute := func(took time.Duration, err error) {
			f.execute = func(context.Context, cloudfw.Step) error { time.Sleep(took); return err }
			_ = m.Execute(t.Context(), step("b"))
		}
		execute(2*time.Second, nil)
		execute(5*time.Second, nil)
		execute(time.Second, nil)
		execute(time.Second, &cloudfw.Error{Op: "x", Kind: cloudfw.Throttled})
		execute(time.Second, errors.New("no kind"))
		f.observe = func(context.Context, int) error { time.Sleep(time.Minute); return nil }
		_, _ = m.Observe(t.Context(), cloudfw.Scope{})
		want := []Sum{
			{cloudfw.DeleteBook, Done, 3, 8 * time.Second, 5 * time.Second},
			{cloudfw.DeleteBook, Failed, 1, time.Second, time.Second},
			{cloudfw.DeleteBook, "throttled", 1, time.Second, time.Second},
			{Observing, Done, 1, time.Minute, time.Minute},
		}
		if got := m.Sums(); !slices.Equal(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	})
}
