package main

import (
	"context"
	"os"
	"time"

	systemd "github.com/coreos/go-systemd/v22/daemon"

	"fwsync/ledger"
)

// followPolicies loads the policies again on SIGHUP and whenever their files change.
func (r *runner) followPolicies(ctx context.Context, hangups <-chan os.Signal) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	seen := r.read
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangups:
			r.reload("SIGHUP")
			seen = r.read
		case <-tick.C:
			// Files that are being written are read once they come to rest.
			now := markOf(r.w.config.Policies)
			if now == seen && now != r.read {
				r.reload("the files changed")
			}
			seen = now
		}
	}
}

// followLedger asks for a pass when somebody else has added decisions: another host, or a
// person there. What is taken back or prolonged elsewhere is seen by the next pass.
func (r *runner) followLedger(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if r.newer(ctx) {
				r.loop.Wish("ledger")
			}
		}
	}
}

// newer reports whether there are decisions that no pass was wished for.
func (r *runner) newer(ctx context.Context) bool {
	newest, err := r.w.store.PastDecisions(ctx, ledger.Past{Limit: 1})
	if err != nil || len(newest) == 0 || newest[0].ID <= r.newest.Load() {
		return false
	}
	r.newest.Store(newest[0].ID)
	return true
}

// reload goes on with the policies as they are now, or with those before.
func (r *runner) reload(why string) {
	_, _ = systemd.SdNotify(false, systemd.SdNotifyReloading+"\n"+systemd.SdNotifyMonotonicUsec())
	defer func() { _, _ = systemd.SdNotify(false, systemd.SdNotifyReady) }()
	r.read = markOf(r.w.config.Policies)
	policy, err := loadPolicy(r.w.config.Policies, r.w.config.cloudNames()...)
	if err == nil {
		err = r.watch.Adopt(policy)
	}
	r.health.Trouble("policies", err)
	r.metrics.trouble.set(truth(err != nil), "policies")
	if err != nil {
		r.metrics.reloads.add(1, "refused")
		r.log.Error("the new policies are refused: those before go on", "why", why, "error", err)
		return
	}
	r.policies.Lock()
	r.w.policy = policy
	r.memory.Forget() // there may be other targets
	r.policies.Unlock()
	r.metrics.reloads.add(1, "loaded")
	r.metrics.loaded(policy.Hash())
	r.log.Info("policies loaded", "why", why, "hash", policy.Hash())
	r.loop.Wish("policies")
}
