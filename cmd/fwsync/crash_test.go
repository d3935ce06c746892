package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"fwsync/cloudfw/simulator"
	"fwsync/sync/reconcile"
)

// tripwire lets writing calls through until the n-th; that one it holds, before or
// after it has had its effect, and says so.
type tripwire struct {
	cloud  http.Handler
	after  bool
	sprung chan struct{}

	mu    sync.Mutex
	until int // writing calls to let through; negative: all
}

func (w *tripwire) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if !w.springs(r) {
		w.cloud.ServeHTTP(rw, r)
		return
	}
	if w.after {
		w.cloud.ServeHTTP(httptest.NewRecorder(), r)
	}
	close(w.sprung)
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
}

func (w *tripwire) springs(r *http.Request) bool {
	if strings.HasPrefix(r.URL.Query().Get("Action"), "Describe") {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.until--
	return w.until == -1
}

// Promise P6: killed before, during or after any call, the next run converges,
// without duplicates, and nothing that was decided is lost.
func TestP6KilledAtAnyCallTheNextRunConverges(t *testing.T) {
	binary := build(t)
	steps := 14
	if testing.Short() || underRace {
		steps = 3
	}
	undisturbed, url := serveWorld(t, nil)
	reportOf(t, quickstart(t, binary, url)("reconcile", "-o", "json"))
	want := dump(undisturbed.Snapshot())
	for _, after := range []bool{false, true} {
		for n := range steps {
			t.Run(fmt.Sprintf("call %d, effect %v", n+1, after), func(t *testing.T) {
				t.Parallel()
				wire := &tripwire{after: after, until: n, sprung: make(chan struct{})}
				cloud, url := serveWorld(t, wire)
				run := quickstart(t, binary, url)

				first := run("reconcile")
				if err := first.Start(); err != nil {
					t.Fatal(err)
				}
				<-wire.sprung
				if err := first.Process.Kill(); err != nil { // SIGKILL
					t.Fatal(err)
				}
				_ = first.Wait()

				second := reportOf(t, run("reconcile", "-o", "json"))
				if second.Recovered == "" {
					t.Error("the report does not say that an earlier run was stopped")
				}
				if second.Summary.Gaps != 0 || second.Summary.Decisions != 63 {
					t.Errorf("after the crash: %+v", second.Summary)
				}
				if third := reportOf(t, run("reconcile", "-o", "json")); third.Summary.Writes != 0 {
					t.Errorf("a third run still writes: %+v", third.Summary)
				}
				if err := cloud.Check(); err != nil {
					t.Error(err)
				}
				if got := dump(cloud.Snapshot()); got != want {
					t.Errorf("the cloud ends up as\n%s\nwant\n%s", got, want)
				}
			})
		}
	}
}

// serveWorld serves a default world, through the wire if there is one.
func serveWorld(t *testing.T, wire *tripwire) (*simulator.Cloud, string) {
	t.Helper()
	return serveBehind(t, func(cloud http.Handler) http.Handler {
		if wire == nil {
			return cloud
		}
		wire.cloud = cloud
		return wire
	})
}

// serveBehind serves a default world behind another handler.
func serveBehind(t *testing.T, front func(cloud http.Handler) http.Handler) (*simulator.Cloud, string) {
	t.Helper()
	world := simulator.DefaultWorld()
	cloud, err := simulator.New(simulator.Options{World: &world})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(front(cloud.Handler()))
	t.Cleanup(server.Close)
	return cloud, server.URL
}

// builtIn is where the program is that the tests share; TestMain removes it.
var (
	builtIn   string
	buildOnce = sync.OnceValue(func() (err error) {
		if builtIn, err = os.MkdirTemp("", "fwsync-test-"); err != nil {
			return err
		}
		if out, err := exec.Command("go", "build", "-o", builtIn, ".").CombinedOutput(); err != nil {
			return fmt.Errorf("building: %w\n%s", err, out)
		}
		return nil
	})
)

func build(t *testing.T) string {
	t.Helper()
	if err := buildOnce(); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(builtIn, "fwsync")
}

// quickstart lays out the repository's own configuration in a folder and returns
// how to run fwsync there, against the simulator at the URL.
func quickstart(t *testing.T, binary, url string) func(args ...string) *exec.Cmd {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"fwsync.yaml", "policies/smtp.yaml", "examples/postfix.log"} {
		data, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return func(args ...string) *exec.Cmd {
		cmd := exec.Command(binary, args...)
		cmd.Dir = dir
		cmd.Env = []string{
			"HOME=" + dir, "PATH=" + os.Getenv("PATH"), "FWSYNC_CLOUD=alibaba", "FWSYNC_ALIBABA_REGION=cn-hangzhou", "FWSYNC_ALIBABA_INSECURE=true",
			"FWSYNC_ALIBABA_ENDPOINT=" + strings.TrimPrefix(url, "http://"),
			"ALIBABA_CLOUD_ACCESS_KEY_ID=" + simulator.DefaultKey, "ALIBABA_CLOUD_ACCESS_KEY_SECRET=" + simulator.DefaultSecret,
		}
		return cmd
	}
}

func reportOf(t *testing.T, cmd *exec.Cmd) reconcile.Report {
	t.Helper()
	out, err := cmd.Output()
	if err != nil {
		if exit, ok := err.(*exec.ExitError); ok {
			t.Fatalf("%v: %v\n%s", cmd.Args, err, exit.Stderr)
		}
		t.Fatal(err)
	}
	var r reconcile.Report
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatal(err)
	}
	return r
}
