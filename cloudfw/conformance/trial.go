package conformance

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"fwsync/cloudfw"
)

// trial is one run of the suite.
type trial struct {
	Subject
	account cloudfw.Account
	owner   cloudfw.Owner
	scope   cloudfw.Scope
	keys    []cloudfw.ListKey // the lists that are edited
	foreign []string          // what was there before
}

// patience is how long clearing up may take.
const patience = 5 * time.Minute

// begin opens the account, removes leftovers and arranges for the end.
func begin(t *testing.T, s Subject) *trial {
	t.Helper()
	owner, err := s.owner()
	if err != nil {
		t.Fatal(err)
	}
	account, err := s.Open(t.Context())
	if err != nil {
		t.Fatalf("opening the account: %v", err)
	}
	if s.Close != nil {
		t.Cleanup(func() { s.Close(account) })
	}
	r := &trial{Subject: s, account: account, owner: owner, scope: cloudfw.Scope{Borders: s.Borders}}
	if s.Group != "" {
		r.scope.Groups = []string{s.Group}
	}
	for _, b := range s.Borders {
		r.keys = append(r.keys, b.Keys()...)
	}
	before, err := r.sweep(t.Context())
	if err != nil {
		t.Fatalf("removing what an earlier run left behind: %v", err)
	}
	r.foreign = r.inventory(before)
	t.Cleanup(func() {
		after := r.clearUp(t)
		if before.Fingerprint() != after.Fingerprint() && !t.Failed() {
			t.Errorf("the account is not as it was before: another fingerprint\nbefore: %s\nafter:  %s", plain(before), plain(after))
		}
	})
	return r
}

// clearUp removes what the suite made and compares the rest with what was there
// before. The test's own context has ended by then.
func (r *trial) clearUp(t *testing.T) cloudfw.Snapshot {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
	defer cancel()
	live, err := r.sweep(ctx)
	if err != nil {
		t.Errorf("clearing up, to be finished by hand: %v", err)
		return live
	}
	for _, line := range difference(r.foreign, r.inventory(live)) {
		t.Errorf("changed although it is not the suite's: %s", line)
	}
	return live
}

// sweep removes everything that bears the owner's marker and returns what is live
// then. Some removals only work after others, so it goes several rounds. A slow
// account has to be clean twice, as the first look may be an old one.
func (r *trial) sweep(ctx context.Context) (cloudfw.Snapshot, error) {
	const rounds = 5
	var live cloudfw.Snapshot
	var trouble []error
	clean := 0
	for range rounds {
		seen, err := r.account.Observe(ctx, r.scope)
		if kind := cloudfw.KindOf(err); kind == cloudfw.Unavailable || kind == cloudfw.Throttled {
			trouble = append(trouble, err)
			r.pause(ctx)
			continue
		}
		if err != nil {
			return live, errors.Join(append(trouble, err)...)
		}
		live = seen
		steps := r.removals(live)
		if len(steps) == 0 {
			if clean++; clean == 2 || !r.Slow {
				return live, nil
			}
		}
		for _, step := range steps {
			clean = 0
			if err := r.account.Execute(ctx, step); err != nil && cloudfw.KindOf(err) != cloudfw.NotFound {
				trouble = append(trouble, err)
			}
		}
		r.pause(ctx)
	}
	for _, step := range r.removals(live) {
		trouble = append(trouble, fmt.Errorf("%s is still there after %d rounds", describe(step), rounds))
	}
	return live, errors.Join(trouble...)
}

// removals are the steps that remove what bears the owner's marker, the whole of
// it: rules before the books and lists that they refer to.
func (r *trial) removals(live cloudfw.Snapshot) []cloudfw.Step {
	var steps []cloudfw.Step
	for _, g := range live.Groups {
		for _, direction := range []cloudfw.Direction{cloudfw.In, cloudfw.Out} {
			ours := slices.DeleteFunc(slices.Clone(g.Rules), func(rule cloudfw.GroupRule) bool {
				return rule.Direction != direction || !r.owner.Owns("rule", rule.Description)
			})
			for some := range slices.Chunk(ours, 100) {
				steps = append(steps, cloudfw.Step{Op: cloudfw.RevokeRules, GroupID: g.ID, GroupRules: some})
			}
		}
	}
	for _, rule := range slices.Backward(live.Rules) {
		if r.owner.Owns("rule", rule.Description) {
			steps = append(steps, cloudfw.Step{Op: cloudfw.DeleteRule, Rule: &rule})
		}
	}
	for _, b := range live.Books {
		if r.owner.OwnsBook(b) {
			steps = append(steps, cloudfw.Step{Op: cloudfw.DeleteBook, Book: &b})
		}
	}
	for _, l := range live.Lists {
		if r.owner.OwnsList(l) {
			steps = append(steps, cloudfw.Step{Op: cloudfw.DeleteList, List: &l})
		}
	}
	return steps
}

func plain(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// pause gives a slow account the time to show what was written.
func (r *trial) pause(ctx context.Context) {
	if !r.Slow {
		return
	}
	timer := time.NewTimer(cmp.Or(r.rest, 2*time.Second))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
