package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"fwsync/cloudfw"
	"fwsync/ledger"
	"fwsync/sync/plan"
)

// account keeps one list of rules and fails as told.
type account struct {
	live  cloudfw.Snapshot
	calls int
	fail  map[int]failure // by call, from 1
	stop  func()          // called during call stopAt
	at    int
}

type failure struct {
	err     error
	effect  bool // the call has its effect all the same
	noReads bool
}

func (a *account) Observe(ctx context.Context, _ cloudfw.Scope) (cloudfw.Snapshot, error) {
	if err := ctx.Err(); err != nil {
		return cloudfw.Snapshot{}, cloudfw.Canceled
	}
	if a.fail[a.calls].noReads {
		return cloudfw.Snapshot{}, cloudfw.Unavailable
	}
	return a.live, nil
}

func (a *account) Execute(_ context.Context, s cloudfw.Step) error {
	a.calls++
	if a.stop != nil && a.calls == a.at {
		a.stop()
	}
	f, failing := a.fail[a.calls]
	if !failing || f.effect {
		r := *s.Rule
		r.ID = fmt.Sprint(a.calls)
		a.live.Rules = slices.Insert(a.live.Rules, r.Order-1, r)
		for i := range a.live.Rules {
			a.live.Rules[i].Order = i + 1
		}
	}
	return f.err
}

type journal struct {
	entries []ledger.JournalEntry
	broken  bool
}

func (j *journal) Record(_ context.Context, e ledger.JournalEntry) error {
	if j.broken {
		return errors.New("disk full")
	}
	j.entries = append(j.entries, e)
	return nil
}

func (j *journal) outcomes() []string {
	var all []string
	for _, e := range j.entries {
		all = append(all, fmt.Sprintf("%d %s", e.Step, e.Outcome))
	}
	return all
}

func input(a *account, j *journal) Input {
	p := plan.Plan{ID: "plan-1"}
	for i := range 3 {
		p.Steps = append(p.Steps, cloudfw.Step{Op: cloudfw.InsertRule, Rule: &cloudfw.FirewallRule{Order: i + 1, Direction: cloudfw.In, Family: cloudfw.IPv4, Description: fmt.Sprint("rule ", i+1)}})
	}
	return Input{Plan: p, Account: a, Journal: j, Now: func() time.Time { return time.Unix(0, 0) }}
}

func TestEachCallIsInTheJournalBeforeAndAfter(t *testing.T) {
	a, j := &account{}, &journal{}
	r, err := Run(t.Context(), input(a, j))
	if err != nil || r.Done != 3 {
		t.Fatalf("result %+v, %v", r, err)
	}
	if want := []string{"1 started", "1 done", "2 started", "2 done", "3 started", "3 done"}; !slices.Equal(j.outcomes(), want) {
		t.Errorf("journal = %v", j.outcomes())
	}
}

// Promise P6: a write whose reply was lost is looked up, not repeated; when the
// look-up shows no effect it is made once more; when nothing can be seen it stays
// open in the journal.
func TestP6ALostReplyIsSettledByReading(t *testing.T) {
	t.Run("with effect", func(t *testing.T) {
		a, j := &account{fail: map[int]failure{2: {err: cloudfw.UnknownOutcome, effect: true}}}, &journal{}
		r, err := Run(t.Context(), input(a, j))
		if err != nil || r.Done != 3 || r.Settled != 1 || a.calls != 3 || len(a.live.Rules) != 3 {
			t.Errorf("result %+v, %v, %d calls, %d rules", r, err, a.calls, len(a.live.Rules))
		}
	})
	t.Run("without effect", func(t *testing.T) {
		a, j := &account{fail: map[int]failure{2: {err: cloudfw.UnknownOutcome}}}, &journal{}
		r, err := Run(t.Context(), input(a, j))
		if err != nil || r.Done != 3 || a.calls != 4 || len(a.live.Rules) != 3 {
			t.Errorf("result %+v, %v, %d calls, %d rules", r, err, a.calls, len(a.live.Rules))
		}
	})
	t.Run("and nothing can be seen", func(t *testing.T) {
		a, j := &account{fail: map[int]failure{2: {err: cloudfw.UnknownOutcome, noReads: true}}}, &journal{}
		r, err := Run(t.Context(), input(a, j))
		if !errors.Is(err, cloudfw.UnknownOutcome) || r.Done != 1 || a.calls != 2 {
			t.Errorf("result %+v, %v, %d calls", r, err, a.calls)
		}
		if last := j.entries[len(j.entries)-1]; last.Outcome != ledger.Started {
			t.Errorf("the open call is recorded as %q", last.Outcome)
		}
	})
}

func TestAFailedStepStopsThePlanAndIsNamed(t *testing.T) {
	a, j := &account{fail: map[int]failure{2: {err: cloudfw.Quota}}}, &journal{}
	r, err := Run(t.Context(), input(a, j))
	stopped, ok := errors.AsType[*Stopped](err)
	if !ok || stopped.Step != 2 || stopped.Of != 3 || !errors.Is(err, cloudfw.Quota) || r.Done != 1 || a.calls != 2 {
		t.Errorf("result %+v, %v, %d calls", r, err, a.calls)
	}
}

func TestCancelStopsBetweenTwoSteps(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	a, j := &account{stop: cancel, at: 2}, &journal{}
	r, err := Run(ctx, input(a, j))
	if !errors.Is(err, cloudfw.Canceled) || r.Done != 2 || a.calls != 2 {
		t.Errorf("result %+v, %v, %d calls", r, err, a.calls)
	}
	if got := j.outcomes(); got[len(got)-1] != "2 done" {
		t.Errorf("the call that was under way is not in the journal: %v", got)
	}
}

func TestWithoutAJournalNothingIsDone(t *testing.T) {
	a := &account{}
	if _, err := Run(t.Context(), input(a, &journal{broken: true})); err == nil || a.calls != 0 {
		t.Errorf("%v, %d calls", err, a.calls)
	}
}
