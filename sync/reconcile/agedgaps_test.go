package reconcile_test

import (
	"context"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"fwsync/cloudfw"
	"fwsync/ledger"
	"fwsync/ledger/sqlite"
	"fwsync/policies"
	"fwsync/sync/gates"
	"fwsync/sync/reconcile"
)

// refusing is an empty account that may be read and refuses every change.
type refusing struct{}

func (r *refusing) Observe(context.Context, cloudfw.Scope) (cloudfw.Snapshot, error) {
	return cloudfw.Snapshot{}, nil
}

func (r *refusing) Execute(context.Context, cloudfw.Step) error {
	return &cloudfw.Error{Op: "AddControlPolicy", Kind: cloudfw.Denied}
}

// Promise P5: a gap has an age, counted from the run that first found it. Looking does
// not start the clock; a gap that is gone is forgotten.
func TestP5GapsHaveAnAge(t *testing.T) {
	ctx := t.Context()
	store, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	policy, err := policies.Parse([]policies.File{{Name: "p.yaml", Data: []byte(`
rules:
  - { name: drop-attackers, from: $blocked, to: any, action: drop }
targets:
  - internet-firewall: { rules: all }
`)}}, policies.Options{})
	if err != nil {
		t.Fatal(err)
	}
	prefix, _ := cloudfw.ParsePrefix("198.51.100.7")
	block := func() {
		t.Helper()
		if _, err := store.Add(ctx, []ledger.Decision{{Verdict: ledger.Block, Prefix: prefix, Start: start, Reason: "test", Author: "test", Attempt: 1}}); err != nil {
			t.Fatal(err)
		}
	}
	block()
	now := start
	account := &refusing{}
	c := reconcile.Controller{
		Look: reconcile.Look{
			Policy: policy, Owner: "edge", Ledger: store, Gates: gates.DefaultLimits(), Now: func() time.Time { return now },
			Clouds: []reconcile.Cloud{{
				Title: "refusing", Reader: account, Limits: cloudfw.DefaultLimits(),
				Traffic: func() cloudfw.Traffic { return cloudfw.Traffic{} }, Calls: func() []reconcile.Call { return nil },
			}},
		},
		Accounts: []cloudfw.Account{account}, Author: "test",
	}
	look := func(after time.Duration, name string, since time.Time, age int64) {
		t.Helper()
		now = start.Add(after)
		r, err := c.Standing(ctx)
		if err != nil {
			t.Fatal(err)
		}
		judge(t, name, r, since, age)
	}
	run := func(after time.Duration, name string, since time.Time, age int64) {
		t.Helper()
		now = start.Add(after)
		r, err := c.RunOnce(ctx)
		if err == nil {
			t.Fatalf("%s: the refusal is no error", name)
		}
		judge(t, name, r, since, age)
	}
	look(time.Minute, "looking before any run", time.Time{}, 0)
	run(2*time.Minute, "the first run", start.Add(2*time.Minute), 0)
	look(3*time.Minute, "looking", start.Add(2*time.Minute), 60)
	run(132*time.Minute, "a later run", start.Add(2*time.Minute), 130*60)

	// The decision is taken back: nothing is missing any more, and nothing is kept.
	// Given again, the gap is a new one.
	revocation := ledger.Revocation{Prefixes: []netip.Prefix{prefix}, Verdict: ledger.Block, At: now, By: "test", Reason: "test"}
	if _, err := store.Revoke(ctx, revocation); err != nil {
		t.Fatal(err)
	}
	if r, err := c.RunOnce(ctx); err != nil || len(r.Verification.Gaps) != 0 {
		t.Fatalf("without a block: %v, %+v", err, r.CloudReport)
	}
	if kept, err := store.Gaps(ctx, ""); err != nil || len(kept) != 0 {
		t.Errorf("kept %v, %v", kept, err)
	}
	block()
	run(200*time.Minute, "blocked again", start.Add(200*time.Minute), 0)
}

func judge(t *testing.T, name string, r reconcile.Report, since time.Time, age int64) {
	t.Helper()
	if r.Verification == nil || len(r.Verification.Gaps) == 0 {
		t.Fatalf("%s: no gap in %+v", name, r.CloudReport)
	}
	for _, g := range r.Verification.Gaps {
		if !g.Since.Equal(since) || g.AgeSeconds != age {
			t.Errorf("%s: %+v, want since %s and %d s", name, g, since, age)
		}
	}
}
