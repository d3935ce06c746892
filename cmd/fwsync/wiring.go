package main

import (
	"context"
	"log/slog"
	"net/netip"
	"os"
	"os/user"
	"strconv"
	"strings"
	"time"

	"fwsync/cloudfw"
	"fwsync/detect"
	"fwsync/detect/sources"
	"fwsync/ledger"
	"fwsync/policies"
	"fwsync/sync/decide"
	"fwsync/sync/gates"
	"fwsync/sync/reconcile"
)

// policyOptions tell the policies which signals and clouds there are.
func policyOptions(clouds ...string) policies.Options {
	o := policies.Options{Clouds: clouds, CheckSignals: reconcile.CheckSignals}
	for _, k := range detect.Kinds() {
		o.Signals = append(o.Signals, k.String())
		if k.Success() {
			o.Successes = append(o.Successes, k.String())
		}
	}
	return o
}

func loadPolicy(path string, clouds ...string) (*policies.Policy, error) {
	return policies.Load(path, policyOptions(clouds...))
}

// work is an opened installation: policies, ledger and cloud.
type work struct {
	config *Config
	policy *policies.Policy
	store  ledger.Store
	clouds []*cloud
	lease  ledger.Lease
	stays  bool // a fwsync run, which has the lease during a pass only
	// protection is demanded by commands that plan changes: a feed of protected ranges
	// that cannot be believed ends them. Others go on without it.
	protection bool
	// protected are the ranges that a bundle has instead of feeds; beside gives back the
	// lease of the installation that the bundle is of. May be nil.
	protected []cloudfw.Exempt
	beside    func()
}

// open opens everything that a command about the cloud needs. A command that may
// write takes the writer lease first (promise P10).
func open(ctx context.Context, g *global, writer bool) (w *work, err error) {
	w = &work{}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	if w.config, err = loadConfig(g.config); err != nil {
		return w, err
	}
	if w.policy, err = loadPolicy(w.config.Policies, w.config.cloudNames()...); err != nil {
		return w, err
	}
	if w.store, err = openLedger(ctx, w.config); err != nil {
		return w, err
	}
	if writer {
		if err = w.acquireBesideRun(ctx); err != nil {
			return w, err
		}
	}
	w.clouds, err = openClouds(ctx, w.config, lease{w.held, w.token})
	return w, err
}

// acquire takes the writer lease (promise P10).
func (w *work) acquire(ctx context.Context) (err error) {
	w.lease, err = w.store.Acquire(ctx, ledger.Claim{Holder: holder(), TTL: w.config.LeaseTTL})
	return err
}

// release gives the lease back, if it was taken.
func (w *work) release() {
	if w.lease != nil {
		_ = w.lease.Close()
		w.lease = nil
	}
}

// held asks before each change of a cloud whether the lease is still ours. A command
// that took none makes no changes but those that doctor tries out.
func (w *work) held(ctx context.Context) error {
	switch {
	case w.lease != nil:
		return w.lease.Held(ctx)
	case w.stays:
		return ledger.ErrFenced
	}
	return nil
}

// token is the fencing token of the lease, 0 without one.
func (w *work) token() int64 {
	if w.lease == nil {
		return 0
	}
	return w.lease.Token()
}

// acquireBesideRun takes the writer lease. Beside a fwsync run, which holds it for one
// pass at a time, it waits for the end of the pass.
func (w *work) acquireBesideRun(ctx context.Context) (err error) {
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for patience := 300; ; patience-- {
		if err = w.acquire(ctx); !leaseHeld(err) || patience == 0 {
			return err
		}
		if _, missing := os.Stat(addressFile(w.config)); missing != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-again.C:
		}
	}
}

func (w *work) close() {
	for _, c := range w.clouds {
		c.close()
	}
	w.release()
	if w.store != nil {
		_ = w.store.Close()
	}
	if w.beside != nil {
		w.beside()
	}
}

// compact forgets what was over before history.keep, but nothing that the policies may
// still count. What cannot be forgotten now is so another time.
func (w *work) compact(ctx context.Context, p *policies.Policy) {
	keep := max(w.config.History.Keep, decide.Memory(p.Detections))
	gone, err := w.view().Compact(ctx, time.Now().Add(-keep))
	if err != nil {
		slog.WarnContext(ctx, "compacting the ledger", "error", err)
	}
	if gone != (ledger.Compacted{}) {
		slog.InfoContext(ctx, "compacted the ledger", "decisions", gone.Decisions, "plans", gone.Plans, "entries", gone.Entries)
	}
}

// view is the ledger: of a writer, as the holder of the lease.
func (w *work) view() ledger.Store {
	if w.lease != nil {
		return w.lease.Store()
	}
	return w.store
}

// look builds what reconcile needs to look around.
func (w *work) look(limits gates.Limits) (reconcile.Look, error) {
	owner, err := cloudfw.ParseOwner(w.config.Owner)
	if err != nil {
		return reconcile.Look{}, err
	}
	l := reconcile.Look{
		Policy: w.policy, Owner: owner, Ledger: w.view(), Gates: limits, Operator: operator(w.config), Now: time.Now,
		Reading: w.config.reading(false),
	}
	if l.Providers, err = protectedRanges(w.config.Protect, w.protection); err != nil {
		return l, err
	}
	l.Feeds = w.config.feeds(w.stays)
	l.Providers = append(l.Providers, w.protected...)
	for _, c := range w.clouds {
		l.Clouds = append(l.Clouds, c.seen())
	}
	declared, err := reconcile.Declared(w.policy)
	if err != nil {
		return l, err
	}
	for _, s := range w.config.Sources {
		zone, err := time.LoadLocation(s.Zone)
		if err != nil {
			return l, err
		}
		l.Sources = append(l.Sources, reconcile.Source{Name: s.Name, Log: sources.Source{Path: s.File, Location: zone, Declared: declared}, LastLineIsNow: s.Clock == "last-line"})
	}
	return l, nil
}

func (w *work) controller(limits gates.Limits) (*reconcile.Controller, error) {
	look, err := w.look(limits)
	c := &reconcile.Controller{Look: look, Author: author()}
	for _, opened := range w.clouds {
		c.Accounts = append(c.Accounts, opened.account)
	}
	return c, err
}

// author is who runs the command, for the record.
func author() string {
	if name := os.Getenv("SUDO_USER"); name != "" {
		return name
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "unknown"
}

// operator is where the person comes from: the addresses of the configuration and
// the SSH connection that the command was started from.
func operator(c *Config) gates.Operator {
	var o gates.Operator
	for _, text := range c.Operator {
		if p, err := cloudfw.ParsePrefix(text); err == nil && p.IsSingleIP() {
			o.Addresses = append(o.Addresses, p.Addr())
		}
	}
	fields := strings.Fields(os.Getenv("SSH_CONNECTION"))
	if len(fields) != 4 {
		return o
	}
	client, err1 := netip.ParseAddr(fields[0])
	server, err2 := netip.ParseAddr(fields[2])
	port, err3 := strconv.ParseUint(fields[3], 10, 16)
	if err1 != nil || err2 != nil || err3 != nil {
		return o
	}
	o.Client, o.Server, o.Port = client.Unmap().WithZone(""), server.Unmap().WithZone(""), uint16(port)
	o.Addresses = append(o.Addresses, o.Client)
	return o
}
