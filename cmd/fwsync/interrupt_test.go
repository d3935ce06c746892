package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"fwsync/cloudfw/simulator"
)

// gate holds the n-th writing call before it reaches the cloud until it is opened.
type gate struct {
	cloud   http.Handler
	arrived chan struct{}
	open    chan struct{}

	mu    sync.Mutex
	until int
}

func (g *gate) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.URL.Query().Get("Action"), "Describe") {
		g.mu.Lock()
		g.until--
		held := g.until == 0
		g.mu.Unlock()
		if held {
			body, err := io.ReadAll(r.Body) // a server sees that the client has gone once it has read all
			if err != nil {
				panic(http.ErrAbortHandler)
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			close(g.arrived)
			select {
			case <-g.open:
			case <-r.Context().Done():
				panic(http.ErrAbortHandler)
			}
		}
	}
	g.cloud.ServeHTTP(rw, r)
}

// interrupted starts a reconcile, lets its n-th writing call arrive, sends the first
// interrupt and waits until the process says that it has heard it.
func interrupted(t *testing.T, run func(args ...string) *exec.Cmd, g *gate) (cmd *exec.Cmd, talk func() string) {
	t.Helper()
	cmd = run("reconcile")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = io.Discard
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-g.arrived
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stderr)
	first, err := lines.ReadString('\n')
	if err != nil || !strings.Contains(first, "interrupt again to end at once") {
		t.Fatalf("said %q, %v", first, err)
	}
	return cmd, func() string {
		var rest bytes.Buffer
		if _, err := rest.ReadFrom(lines); err != nil {
			t.Error(err)
		}
		return rest.String()
	}
}

// Promise P6: an interrupt stops between two steps. The call under way comes back,
// has its effect and is in the journal; the next run goes on from there and nothing
// has to be recovered.
func TestP6AnInterruptStopsBetweenTwoSteps(t *testing.T) {
	binary := build(t)
	undisturbed, url := serveWorld(t, nil)
	reportOf(t, quickstart(t, binary, url)("reconcile", "-o", "json"))
	want := dump(undisturbed.Snapshot())

	g := &gate{until: 3, arrived: make(chan struct{}), open: make(chan struct{})}
	cloud, url := serveThrough(t, g)
	run := quickstart(t, binary, url)
	cmd, talk := interrupted(t, run, g)
	close(g.open)
	said := talk()
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != exitError {
		t.Fatalf("ended with %v", err)
	}
	if !strings.Contains(said, "stopped before step 4 of 14 on request") || !strings.Contains(said, "hint: ") {
		t.Errorf("said %q", said)
	}
	if n := writes(cloud); n != 3 {
		t.Errorf("%d writing calls, want the three that were begun", n)
	}
	next := reportOf(t, run("reconcile", "-o", "json"))
	if next.Recovered != "" || next.Summary.Gaps != 0 || next.Summary.Steps != 11 {
		t.Errorf("the next run: recovered %q, %+v", next.Recovered, next.Summary)
	}
	if got := dump(cloud.Snapshot()); got != want {
		t.Errorf("the cloud ends up as\n%s\nwant\n%s", got, want)
	}
}

// The second interrupt ends the process in the middle of the call. What the call did
// is found out by the next run.
func TestP6ASecondInterruptEndsAtOnce(t *testing.T) {
	g := &gate{until: 3, arrived: make(chan struct{}), open: make(chan struct{})}
	cloud, url := serveThrough(t, g)
	run := quickstart(t, build(t), url)
	cmd, _ := interrupted(t, run, g)
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	err := cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGINT {
		t.Fatalf("ended with %v", err)
	}
	next := reportOf(t, run("reconcile", "-o", "json"))
	if next.Recovered == "" || next.Summary.Gaps != 0 {
		t.Errorf("the next run: recovered %q, %+v", next.Recovered, next.Summary)
	}
	if err := cloud.Check(); err != nil {
		t.Error(err)
	}
}

// serveThrough is serveWorld behind a gate.
func serveThrough(t *testing.T, g *gate) (*simulator.Cloud, string) {
	t.Helper()
	return serveBehind(t, func(cloud http.Handler) http.Handler {
		g.cloud = cloud
		return g
	})
}

func writes(cloud *simulator.Cloud) int {
	n := 0
	for _, c := range cloud.Calls() {
		if c.Write {
			n++
		}
	}
	return n
}
