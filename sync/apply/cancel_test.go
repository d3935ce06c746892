package apply

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fwsync/cloudfw"
	"fwsync/ledger"
)

// slow is an account whose calls take a minute, unless their context ends first.
type slow struct {
	account
	seen func() // called when a call has begun
}

func (s *slow) Execute(ctx context.Context, step cloudfw.Step) error {
	s.seen()
	select {
	case <-time.After(time.Minute):
		return s.account.Execute(ctx, step)
	case <-ctx.Done():
		s.calls++
		return cloudfw.UnknownOutcome
	}
}

// The call under way when ctx ends comes back within the grace and its step is done;
// the next is not begun.
func TestCancelLetsTheCallUnderWayComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		a, j := &slow{seen: func() { time.AfterFunc(50*time.Second, cancel) }}, &journal{}
		in := input(&a.account, j)
		in.Account = a
		r, err := Run(ctx, in)
		stopped, ok := errors.AsType[*Stopped](err)
		if !ok || !stopped.Requested || !errors.Is(err, cloudfw.Canceled) || r.Done != 1 || a.calls != 1 {
			t.Fatalf("result %+v, %v, %d calls", r, err, a.calls)
		}
		if want := "stopped before step 2 of 3 on request"; !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q does not begin with %q", err, want)
		}
		if stopped.Hint() == "" {
			t.Error("nothing is said about what to do next")
		}
		if want := []string{"1 started", "1 done"}; !slices.Equal(j.outcomes(), want) {
			t.Errorf("journal = %v", j.outcomes())
		}
	})
}

// A call that does not come back within the grace is broken off; its outcome stays
// open in the journal, and it is neither repeated nor looked up.
func TestTheGraceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		a, j := &slow{seen: cancel}, &journal{}
		in := input(&a.account, j)
		in.Account, in.Grace = a, 10*time.Second
		began := time.Now()
		r, err := Run(ctx, in)
		stopped, ok := errors.AsType[*Stopped](err)
		if !ok || stopped.Requested || stopped.Step != 1 || !errors.Is(err, cloudfw.UnknownOutcome) || r.Done != 0 || a.calls != 1 {
			t.Fatalf("result %+v, %v, %d calls", r, err, a.calls)
		}
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("stopped after %s", took)
		}
		if last := j.entries[len(j.entries)-1]; last.Outcome != ledger.Started {
			t.Errorf("the open call is recorded as %q", last.Outcome)
		}
	})
}

// When the reply is lost and ctx has ended meanwhile, the effect is looked up; a step
// without one is not made again.
func TestCancelMakesNoStepAgain(t *testing.T) {
	for _, effect := range []bool{true, false} {
		ctx, cancel := context.WithCancel(t.Context())
		a, j := &account{stop: cancel, at: 2, fail: map[int]failure{2: {err: cloudfw.UnknownOutcome, effect: effect}}}, &journal{}
		r, err := Run(ctx, input(a, j))
		stopped, ok := errors.AsType[*Stopped](err)
		if !ok || stopped.Requested != effect || a.calls != 2 {
			t.Fatalf("effect %v: result %+v, %v, %d calls", effect, r, err, a.calls)
		}
		last := j.entries[len(j.entries)-1].Outcome
		if effect && (r.Done != 2 || r.Settled != 1 || last != ledger.Finished) {
			t.Errorf("with effect: result %+v, journal %v", r, j.outcomes())
		}
		if !effect && (r.Done != 1 || !errors.Is(err, cloudfw.UnknownOutcome) || last != ledger.Started) {
			t.Errorf("without effect: result %+v, %v, journal %v", r, err, j.outcomes())
		}
	}
}

// What to do next comes from the cause where it knows.
func TestTheHintIsThatOfTheCause(t *testing.T) {
	cause := &cloudfw.Error{Op: "CreatePrefixList", Kind: cloudfw.Denied, Advice: "grant it"}
	if got := (&Stopped{Err: cause}).Hint(); got != "grant it" {
		t.Errorf("hint %q", got)
	}
	if got := (&Stopped{Err: errors.New("disk full")}).Hint(); got != "" {
		t.Errorf("hint %q", got)
	}
}
