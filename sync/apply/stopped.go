package apply

import (
	"errors"
	"fmt"

	"fwsync/cloudfw"
)

// Stopped is the error of a plan that was not finished. The steps before Step are
// done, those after it were not tried. The step itself was not begun if Requested is
// true; else it had no effect, unless Unwrap says UnknownOutcome.
type Stopped struct {
	Step, Of  int // from 1
	What      string
	Requested bool // the context ended before the step, Err is cloudfw.Canceled
	Err       error
}

// Error says where the plan stands.
func (e *Stopped) Error() string {
	if e.Requested {
		return fmt.Sprintf("stopped before step %d of %d on request; it would have been %s", e.Step, e.Of, e.What)
	}
	return fmt.Sprintf("the plan stopped at step %d of %d, %s: %v", e.Step, e.Of, e.What, e.Err)
}

// Unwrap gives the cause.
func (e *Stopped) Unwrap() error { return e.Err }

// Hint is what to do next: that of the cause where it has one.
func (e *Stopped) Hint() string {
	var cause interface{ Hint() string }
	switch {
	case errors.As(e.Err, &cause) && cause.Hint() != "":
		return cause.Hint()
	case e.Requested:
		return "the steps before it are whole and in the journal; fwsync reconcile goes on from there"
	case errors.Is(e.Err, cloudfw.UnknownOutcome):
		return "the call may or may not have had its effect; fwsync reconcile looks before it acts"
	}
	return ""
}
