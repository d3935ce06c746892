package main

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"testing"

	"fwsync/cloudfw/simulator"
)

// arm lets so many writing calls through from now on, and springs at the next.
func (w *tripwire) arm(until int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.until, w.sprung = until, make(chan struct{})
}

// exported is everything the account holds, to the byte, but for the number that ids
// are counted with. Logs and counters of calls are no part of it.
func exported(t *testing.T, cloud *simulator.Cloud) string {
	t.Helper()
	if err := cloud.Check(); err != nil {
		t.Error(err)
	}
	state := cloud.Snapshot()
	state.Serial = 0
	text, err := json.MarshalIndent(state, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// killed runs a command until the wire springs, and kills it then.
func killed(t *testing.T, wire *tripwire, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-wire.sprung:
	case err := <-ended:
		t.Fatalf("%v ended before the call that was to be its last: %v", cmd.Args, err)
	}
	if err := cmd.Process.Kill(); err != nil { // SIGKILL
		t.Fatal(err)
	}
	<-ended
	wire.arm(-1)
}

func succeeds(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
}

// Promise P6 for incidents: a start and an undo that are killed before, during or after
// any of their calls are finished by the same command, or by a reconcile; in the end the
// account is as it was, to the byte.
func TestP6AnIncidentKilledAtAnyCallIsFinishedAndUndone(t *testing.T) {
	binary := build(t)
	start := []string{"incident", "start", "smtp-storm", "--for", "2h", "--reason", "test", "--yes"}
	undo := []string{"incident", "undo", "smtp-storm", "--yes"}
	for _, c := range []struct {
		name    string
		inShape bool // else nothing of fwsync's is there: the start makes the books too
		calls   int  // of a start, and of an undo
		resume  func(command []string) []string
	}{
		{"again, in an account without us", false, 6, func(command []string) []string { return command }},
		{"again", true, 4, func(command []string) []string { return command }},
		{"by reconcile", true, 4, func([]string) []string { return []string{"reconcile"} }},
	} {
		for n := range c.calls {
			if (testing.Short() || underRace) && n > 0 {
				break
			}
			for _, after := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s, call %d, effect %v", c.name, n+1, after), func(t *testing.T) {
					t.Parallel()
					wire := &tripwire{after: after}
					wire.arm(-1)
					cloud, url := serveWorld(t, wire)
					run := quickstart(t, binary, url)
					if c.inShape {
						succeeds(t, run("reconcile"))
					}
					before := exported(t, cloud)

					wire.arm(n)
					killed(t, wire, run(start...))
					succeeds(t, run(c.resume(start)...))
					if got := exported(t, cloud); got == before {
						t.Error("nothing of the incident is there")
					}
					wire.arm(n)
					killed(t, wire, run(undo...))
					succeeds(t, run(c.resume(undo)...))
					if got := exported(t, cloud); got != before {
						t.Errorf("the cloud ends up as\n%s\nwant\n%s", got, before)
					}
				})
			}
		}
	}
}
