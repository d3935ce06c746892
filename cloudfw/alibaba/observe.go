package alibaba

import (
	"context"
	"errors"
	"slices"
	"sync"

	"fwsync/cloudfw"
)

// observers is how many reads of one observation run at the same time.
const observers = 4

// Observe implements cloudfw.Reader. TakenAt is when the reading began, so the
// snapshot is at least as fresh as it says. It makes as few calls as the page sizes
// allow; parts that do not fit together, as something was deleted between two calls,
// are all read once more.
func (a *Account) Observe(ctx context.Context, scope cloudfw.Scope) (cloudfw.Snapshot, error) {
	for again := false; ; again = true {
		snap, err := a.observe(ctx, scope)
		torn, ok := errors.AsType[*inconsistent](err)
		switch {
		case err == nil:
			return snap, nil
		case !ok:
			return cloudfw.Snapshot{}, err
		case again:
			return cloudfw.Snapshot{}, torn.cause
		}
	}
}

func (a *Account) observe(ctx context.Context, scope cloudfw.Scope) (cloudfw.Snapshot, error) {
	snap := cloudfw.Snapshot{TakenAt: a.pace.now().UTC()}
	ids := slices.Clone(scope.Groups)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	keys := distinct(scope.Keys())

	// An unknown group is told by one call, not by one of hundreds for its rules.
	heads, err := a.readGroupHeads(ctx, ids)
	if err != nil {
		return cloudfw.Snapshot{}, err
	}
	rules := make([][]cloudfw.FirewallRule, len(keys))
	inGroups := make([]groupRules, len(ids))
	tasks := []func(context.Context) error{
		into(&snap.Books, a.readBooks), into(&snap.Assets, a.readAssets), into(&snap.Lists, a.readLists), into(&snap.Strict, a.readStrict),
	}
	for i, key := range keys {
		tasks = append(tasks, into(&rules[i], func(ctx context.Context) ([]cloudfw.FirewallRule, error) { return a.readPolicies(ctx, key) }))
	}
	for i, id := range ids {
		tasks = append(tasks, into(&inGroups[i], func(ctx context.Context) (groupRules, error) { return a.readGroupRules(ctx, id) }))
	}
	if err := together(ctx, observers, tasks); err != nil {
		return cloudfw.Snapshot{}, err
	}

	snap.Rules = append([]cloudfw.FirewallRule{}, slices.Concat(rules...)...)
	snap.Groups = make([]cloudfw.SecurityGroup, 0, len(ids))
	for i, id := range ids {
		if err := agree(heads[id], inGroups[i], snap.Lists); err != nil {
			return cloudfw.Snapshot{}, err
		}
		snap.Groups = append(snap.Groups, heads[id].group(inGroups[i]))
	}
	snap.Sort()
	a.learn(snap)
	return snap, nil
}

// distinct drops the lists that a scope names twice.
func distinct(keys []cloudfw.ListKey) []cloudfw.ListKey {
	var once []cloudfw.ListKey
	for _, key := range keys {
		if !slices.Contains(once, key) {
			once = append(once, key)
		}
	}
	return once
}

func (a *Account) learn(snap cloudfw.Snapshot) {
	books, lists := map[string]string{}, map[string]string{}
	for _, b := range snap.Books {
		books[b.Name] = b.ID
	}
	for _, l := range snap.Lists {
		lists[l.Name] = l.ID
	}
	a.names.learn(books, lists)
}

// into makes a task that keeps its result in the given place.
func into[T any](place *T, read func(context.Context) (T, error)) func(context.Context) error {
	return func(ctx context.Context) (err error) {
		*place, err = read(ctx)
		return err
	}
}

// together runs tasks, so many at a time, and returns the first error. The first
// error ends the others, which it waits for.
func together(ctx context.Context, workers int, tasks []func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	seats := make(chan struct{}, workers)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var first error
	for _, task := range tasks {
		seats <- struct{}{}
		wg.Go(func() {
			defer func() { <-seats }()
			if err := task(ctx); err != nil {
				mu.Lock()
				defer mu.Unlock()
				if first == nil {
					first = err
				}
				cancel()
			}
		})
	}
	wg.Wait()
	return first
}
