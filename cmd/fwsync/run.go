package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"

	"fwsync/ledger"
	"fwsync/sync/daemon"
	"fwsync/sync/reconcile"
)

func newRun(g *global) *cobra.Command {
	var detectOnly, logJSON bool
	cmd := &cobra.Command{
		Use:   "run",
		Short: "stay: follow the logs, decide while it happens, and keep the cloud as it must be",
		Long: `Follows every source and stores each decision as soon as it is made. Whenever
something has changed (a decision, the policy files, a decision that ends), and every
five minutes anyhow, it does what reconcile does. What a gate refuses stays
undone until a person has looked; the next pass asks again.

An interrupt or SIGTERM stops it between two steps; nothing is lost. SIGHUP, and any
change of the policy files, loads them again; files with an error are refused,
and the policies before go on. The configuration is read at the start only.

It answers on the address "listen" of fwsync.yaml (127.0.0.1:9477): /healthz, /readyz,
/metrics; POST /-/reconcile asks for a pass.

--detect-only stores decisions and leaves the cloud to another host, which shares the
ledger.`,
		Example: `  fwsync run
  fwsync run --detect-only
  curl -s http://127.0.0.1:9477/metrics`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			level := slog.LevelInfo
			if g.verbose {
				level = slog.LevelDebug
			}
			slog.SetDefault(newLog(cmd.ErrOrStderr(), level, logJSON))
			w, err := open(cmd.Context(), g, false)
			if err != nil {
				return err
			}
			defer w.close()
			w.protection, w.stays = true, true
			alone, err := w.runAlone()
			if err != nil {
				return err
			}
			defer alone()
			r, err := newRunner(cmd.Context(), w, slog.Default(), detectOnly)
			if err != nil {
				return err
			}
			return r.run(cmd.Context())
		},
	}
	cmd.Flags().BoolVar(&detectOnly, "detect-only", false, "follow and decide only; another host enforces")
	cmd.Flags().BoolVar(&logJSON, "log-json", false, "log JSON lines instead of text")
	return cmd
}

// runner is what fwsync run keeps: a watch that decides, a loop that enforces, and
// what the world is told about both.
type runner struct {
	w          *work
	log        *slog.Logger
	watch      *reconcile.Watch
	loop       *daemon.Loop
	detectOnly bool
	health     *daemon.Health
	metrics    *metrics
	look       reconcile.Look // of the start: the ledger and the feeds
	notices    *teller

	memory    *reconcile.Memory
	compacted time.Time
	token     int64        // of the lease of the last pass
	waiting   bool         // the last pass found that another fwsync has the lease
	newest    atomic.Int64 // the latest decision that a pass was wished for

	policies sync.Mutex // guards w.policy
	read     string     // the mark of the policy files that were read last
}

const (
	heldAgain        = time.Second     // when a lease that another fwsync has is asked for again
	unreachableAgain = 5 * time.Second // when a ledger that cannot be reached is
)

func newRunner(ctx context.Context, w *work, log *slog.Logger, detectOnly bool) (*runner, error) {
	r := &runner{w: w, log: log, health: daemon.NewHealth(), metrics: newMetrics(), detectOnly: detectOnly, memory: &reconcile.Memory{Lasts: 3 * time.Second}, notices: newTeller(w.config, log), read: markOf(w.config.Policies)}
	r.metrics.watched()
	r.metrics.loaded(w.policy.Hash())
	r.metrics.leaseHeld.set(0)
	r.metrics.trouble.set(0, "policies")
	r.metrics.trouble.set(0, "ledger")
	look, err := w.look(new(limitFlags).limits(w.config.Limits))
	if err != nil {
		return nil, err
	}
	r.look = look
	if r.watch, err = reconcile.NewWatch(ctx, look); err != nil {
		return nil, err
	}
	if detectOnly {
		r.loop = daemon.New(r.tell)
		r.loop.Resync = 15 * time.Second // it costs nothing
	} else {
		r.loop = daemon.New(r.pass)
		r.metrics.lastSuccess.set(0)
	}
	r.watch.Decided = func(stored []ledger.Decision) {
		log.Info("decided", "decisions", len(stored))
		for _, d := range stored {
			r.newest.Store(max(r.newest.Load(), d.ID))
		}
		r.loop.Wish("decisions")
	}
	r.watch.Trouble = r.ledgerTrouble
	r.watch.Turned = func(source string, is reconcile.Health) {
		if is.OK {
			log.Info("a source is well again", "source", source)
		} else {
			log.Warn("a source is sick: the others go on", "source", source, "why", strings.Join(is.Notes, "; "))
		}
	}
	return r, nil
}

func (r *runner) ledgerTrouble(err error) {
	r.metrics.trouble.set(truth(err != nil), "ledger")
	if r.health.Trouble("ledger", err) {
		if err != nil {
			r.log.Error("the ledger cannot be written: going on, and trying again", "error", err)
		} else {
			r.log.Info("the ledger can be written again")
		}
	}
}

// run goes on until ctx ends or the watch fails.
func (r *runner) run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	listener, err := r.listen()
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	if listener != nil {
		server := &http.Server{Handler: r.handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second}
		if err := os.WriteFile(addressFile(r.w.config), []byte(listener.Addr().String()+"\n"), 0o600); err != nil {
			return fmt.Errorf("saying where to ask: %w", err)
		}
		defer os.Remove(addressFile(r.w.config))
		all.Go(func() { _ = server.Serve(listener) })
		all.Go(func() {
			<-ctx.Done()
			_ = server.Close()
		})
		r.log.Info("answering", "address", listener.Addr().String())
	}
	all.Go(func() {
		if err := r.watch.Run(ctx); err != nil {
			stop(fmt.Errorf("following the sources: %w", err))
		}
	})
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP) // before anybody is told that it is ready for one
	defer signal.Stop(hangups)
	all.Go(func() { r.followPolicies(ctx, hangups) })
	if !r.detectOnly {
		r.newer(ctx) // what comes after this and before the first pass is seen twice, never missed
		all.Go(func() { r.followLedger(ctx) })
	}
	for _, feed := range r.look.Feeds {
		all.Go(func() { r.followFeed(ctx, &r.look, feed) })
	}
	all.Go(func() { r.tellSystemd(ctx) })
	r.loop.Run(ctx)
	<-ctx.Done()
	_, _ = systemd.SdNotify(false, systemd.SdNotifyStopping)
	r.log.Info("stopping")
	all.Wait()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.w.config.Notify.Wait)
	defer cancel()
	r.notices.close(last)
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// tellSystemd says that the service is up, and keeps its watchdog calm for as long
// as it is well.
func (r *runner) tellSystemd(ctx context.Context) {
	_, _ = systemd.SdNotify(false, systemd.SdNotifyReady)
	every, err := systemd.SdWatchdogEnabled(false)
	if err != nil || every == 0 {
		return
	}
	tick := time.NewTicker(every / 2)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if r.health.Alive() == nil {
				_, _ = systemd.SdNotify(false, systemd.SdNotifyWatchdog)
			}
		}
	}
}

func (r *runner) listen() (net.Listener, error) {
	if r.w.config.Listen == "off" {
		return nil, nil
	}
	listener, err := net.Listen("tcp", r.w.config.Listen)
	if err != nil {
		return nil, withHint(fmt.Errorf("listening: %w", err), "choose another address in listen (fwsync.yaml), or off")
	}
	if host, _, _ := net.SplitHostPort(r.w.config.Listen); !loopback(net.JoinHostPort(host, "1")) {
		r.log.Warn("listen is no loopback address: whoever reaches it sees the figures and can ask for passes", "address", r.w.config.Listen)
	}
	return listener, nil
}
