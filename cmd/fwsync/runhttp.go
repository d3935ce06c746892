package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"fwsync/ledger"
	"fwsync/ledger/sqlite"
)

// handler answers what others ask fwsync run.
func (r *runner) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(r.metrics, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(rw http.ResponseWriter, _ *http.Request) { answerHealth(rw, r.health.Alive()) })
	mux.HandleFunc("GET /readyz", func(rw http.ResponseWriter, _ *http.Request) { answerHealth(rw, r.health.Ready()) })
	mux.HandleFunc("POST /-/reconcile", func(rw http.ResponseWriter, _ *http.Request) {
		r.loop.Wish("asked")
		rw.WriteHeader(http.StatusAccepted)
	})
	return mux
}

func answerHealth(rw http.ResponseWriter, err error) {
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if err != nil {
		rw.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintln(rw, err)
		return
	}
	fmt.Fprintln(rw, "ok")
}

// markOf is different when policy files are, by names, sizes and times; it is empty
// where nothing can be read.
func markOf(path string) string {
	var mark strings.Builder
	_ = filepath.WalkDir(path, func(p string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return nil //nolint:nilerr // what cannot be read is as if it were not there
		}
		if info, err := os.Stat(p); err == nil {
			fmt.Fprintln(&mark, p, info.Size(), info.ModTime().UnixNano())
		}
		return nil
	})
	return mark.String()
}

// addressFile tells the commands beside it where a fwsync run answers.
func addressFile(c *Config) string { return filepath.Join(c.State, "run.address") }

// tellRun asks the fwsync run of this installation, if there is one, for a pass: what a
// person has decided is to be enforced now. Without one the next reconcile does it.
func tellRun(ctx context.Context, c *Config) {
	address, err := os.ReadFile(addressFile(c))
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+strings.TrimSpace(string(address))+"/-/reconcile", nil)
	if err != nil {
		return
	}
	direct := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // through no proxy
	if answer, err := direct.Do(request); err == nil {
		_ = answer.Body.Close()
	}
}

func leaseHeld(err error) bool {
	_, ok := errors.AsType[*ledger.HeldError](err)
	return ok
}

// lookAgain opens the embedded simulators anew: their world is a file, which other commands
// may have changed meanwhile.
func (w *work) lookAgain(ctx context.Context) error {
	for i, c := range w.clouds {
		if c.config.Cloud != "simulator" {
			continue
		}
		c.close()
		opened, err := openCloud(ctx, w.config, c.config, &paces{lease: lease{w.held, w.token}})
		w.clouds[i] = opened
		if err != nil {
			return err
		}
	}
	return nil
}

// runAlone makes sure that no other fwsync run follows the sources into this ledger.
func (w *work) runAlone() (release func(), err error) {
	lease, err := sqlite.TakeLock(filepath.Join(w.config.State, "run"))
	if err != nil {
		return nil, withHint(err, "fwsync run is at work already")
	}
	return func() { _ = lease.Close() }, nil
}
