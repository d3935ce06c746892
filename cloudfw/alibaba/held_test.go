package alibaba

import (
	"context"
	"errors"
	"strings"
	"testing"

	"fwsync/cloudfw"
)

// P10: the question comes right before each request that changes something, also
// before one that is made again; the answer no keeps it from being sent.
func TestP10AWriteIsSentOnlyWhileTheLeaseIsHeld(t *testing.T) {
	r := newRig(t, world())
	asked, lost := 0, error(nil)
	r.options.Held = func(context.Context) error { asked++; return lost }
	r.options.Fence = func() int64 { return 17 }
	r.run(t, bookStep(cloudfw.CreateBook, "198.51.100.7/32"))
	if asked != 1 {
		t.Errorf("one write asked %d times, and reading must not ask", asked)
	}
	for _, c := range r.cloud.Calls() {
		if strings.Contains(c.UserAgent, " lease/17") != c.Write {
			t.Errorf("%s says %q: the token of the lease is for what changes something", c.Action, c.UserAgent)
		}
	}
	lost = errors.New("another has the lease")
	before := len(r.writes())
	err := r.Execute(t.Context(), bookStep(cloudfw.AppendAddresses, "192.0.2.9/32"))
	if cloudfw.KindOf(err) != cloudfw.Denied || !strings.Contains(err.Error(), "not sent: another has the lease") {
		t.Errorf("error %v, want that it was not sent, and why", err)
	}
	if n := len(r.writes()) - before; n != 0 {
		t.Errorf("%d writes reached the cloud", n)
	}
}
