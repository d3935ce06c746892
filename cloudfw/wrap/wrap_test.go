package wrap

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fwsync/cloudfw"
)

// fake is an account that does as it is told and counts what reached it.
type fake struct {
	snap    cloudfw.Snapshot
	observe func(ctx context.Context, nth int) error
	execute func(ctx context.Context, step cloudfw.Step) error

	mu       sync.Mutex
	observed int
	executed []cloudfw.Step
	at       []time.Time
}

func (f *fake) Observe(ctx context.Context, _ cloudfw.Scope) (cloudfw.Snapshot, error) {
	f.mu.Lock()
	f.observed++
	nth := f.observed
	f.mu.Unlock()
	if f.observe != nil {
		if err := f.observe(ctx, nth); err != nil {
			return cloudfw.Snapshot{}, err
		}
	}
	return f.snap, nil
}

func (f *fake) Execute(ctx context.Context, step cloudfw.Step) error {
	f.mu.Lock()
	f.executed = append(f.executed, step)
	f.at = append(f.at, time.Now())
	f.mu.Unlock()
	if f.execute != nil {
		return f.execute(ctx, step)
	}
	return nil
}

// sent is how many steps have arrived.
func (f *fake) sent() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.executed)
}

func step(name string) cloudfw.Step {
	return cloudfw.Step{
		Op: cloudfw.DeleteBook, Target: "internet-firewall", Reason: "a decision ended",
		Book: &cloudfw.AddressBook{ID: "book-1", Name: name},
	}
}

// wrappers is every wrapper round an account, with settings that let everything through.
func wrappers(t *testing.T, a cloudfw.Account) map[string]cloudfw.Account {
	t.Helper()
	throttled, err := Throttle(a, Rate{Steps: 1000, Per: time.Second, Reserved: 1})
	if err != nil {
		t.Fatal(err)
	}
	recorded := Audit(a, func(Record) {})
	return map[string]cloudfw.Account{
		"read only": ReadOnly(a), "retry": Retry(a, Retries{}), "throttle": throttled,
		"audit": recorded, "measure": Measure(a), "all": Measure(Audit(throttled, func(Record) {})),
	}
}

func TestEveryWrapperKeepsWhatAnAccountPromises(t *testing.T) {
	for name := range wrappers(t, &fake{}) {
		t.Run(name, func(t *testing.T) {
			f := &fake{snap: cloudfw.Snapshot{TakenAt: time.Unix(1, 0), Strict: true}}
			wrapped := func() cloudfw.Account { return wrappers(t, f)[name] }

			if snap, err := wrapped().Observe(t.Context(), cloudfw.Scope{}); err != nil || !snap.Strict || snap.TakenAt != f.snap.TakenAt {
				t.Errorf("observed %+v, %v", snap, err)
			}
			if name != "read only" {
				if err := wrapped().Execute(t.Context(), step("b")); err != nil || len(f.executed) != 1 || f.executed[0].Book.Name != "b" {
					t.Errorf("executed %v, %v", f.executed, err)
				}
				cause := &cloudfw.Error{Op: "DeleteAddressBook", Kind: cloudfw.UnknownOutcome, RequestID: "7"}
				f.execute = func(context.Context, cloudfw.Step) error { return cause }
				if err := wrapped().Execute(t.Context(), step("b")); !errors.Is(err, cloudfw.UnknownOutcome) || !errors.Is(err, cause) || len(f.executed) != 2 {
					t.Errorf("a lost reply came back as %v after %d calls", err, len(f.executed))
				}
			}

			for _, kind := range []cloudfw.Kind{cloudfw.NotFound, cloudfw.Denied, cloudfw.Canceled, cloudfw.Invalid} {
				f.observe = func(context.Context, int) error { return &cloudfw.Error{Op: "x", Kind: kind} }
				before := f.observed
				if snap, err := wrapped().Observe(t.Context(), cloudfw.Scope{}); cloudfw.KindOf(err) != kind || f.observed != before+1 || snap.Strict {
					t.Errorf("%s came back as %v after %d calls", kind, err, f.observed-before)
				}
			}

			ended, end := context.WithCancel(t.Context())
			end()
			f.observe = func(ctx context.Context, _ int) error {
				return &cloudfw.Error{Op: "x", Kind: cloudfw.Canceled, Message: ctx.Err().Error()}
			}
			f.execute = func(ctx context.Context, _ cloudfw.Step) error {
				return &cloudfw.Error{Op: "x", Kind: cloudfw.Canceled, Message: ctx.Err().Error()}
			}
			if _, err := wrapped().Observe(ended, cloudfw.Scope{}); cloudfw.KindOf(err) != cloudfw.Canceled {
				t.Errorf("observing after the end: %v", err)
			}
			if err := wrapped().Execute(ended, step("b")); cloudfw.KindOf(err) != cloudfw.Canceled {
				t.Errorf("executing after the end: %v", err)
			}
		})
	}
}

// A step that lacks what its operation needs is the account's to refuse, and
// nothing that a wrapper may fall over.
func TestAnIncompleteStepPassesThrough(t *testing.T) {
	for _, op := range []cloudfw.Op{cloudfw.CreateBook, cloudfw.MoveRule, cloudfw.EditList, cloudfw.RevokeRules, "no such operation"} {
		f := &fake{execute: func(context.Context, cloudfw.Step) error { return &cloudfw.Error{Op: "step", Kind: cloudfw.Invalid} }}
		for name, a := range wrappers(t, f) {
			want := cloudfw.Invalid
			if name == "read only" {
				want = cloudfw.Denied
			}
			if err := a.Execute(t.Context(), cloudfw.Step{Op: op}); cloudfw.KindOf(err) != want {
				t.Errorf("%s, %s: %v", name, op, err)
			}
		}
	}
}

func TestWrappersAreSafeForConcurrentUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{}
		for _, a := range wrappers(t, f) {
			for range 8 {
				go func() {
					for range 20 {
						_, _ = a.Observe(t.Context(), cloudfw.Scope{})
						_ = a.Execute(t.Context(), step("b"))
					}
				}()
			}
		}
		synctest.Wait()
		time.Sleep(time.Minute) // of the bubble: whoever waits for a turn gets it
		synctest.Wait()
		if want := 6 * 8 * 20; f.observed != want || len(f.executed) != want-8*20 {
			t.Errorf("%d observations and %d steps of %d arrived", f.observed, len(f.executed), want)
		}
	})
}
