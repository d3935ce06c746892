package alibaba

import (
	"context"
	"slices"
	"sync"

	"fwsync/cloudfw"
)

// observers is how many reads of one observation run at the same time.
const observers = 4

// Observe implements cloudfw.Reader. TakenAt is when the reading began, so the
// snapshot is at least as fresh as it says.
func (a *Account) Observe(ctx context.Context, scope cloudfw.Scope) (cloudfw.Snapshot, error) {
	snap := cloudfw.Snapshot{TakenAt: a.pace.now().UTC()}
	ids := slices.Clone(scope.Groups)
	slices.Sort(ids)
	ids = slices.Compact(ids)

	rules := make([][]cloudfw.FirewallRule, len(cloudfw.ListKeys))
	books := make([][]cloudfw.AddressBook, len(cloudfw.Families))
	inGroups := make([]groupRules, len(ids))
	var heads map[string]groupHead

	var tasks []func(context.Context) error
	for i, family := range cloudfw.Families {
		tasks = append(tasks, into(&books[i], func(ctx context.Context) ([]cloudfw.AddressBook, error) { return a.readBooks(ctx, family) }))
	}
	for i, key := range cloudfw.ListKeys {
		tasks = append(tasks, into(&rules[i], func(ctx context.Context) ([]cloudfw.FirewallRule, error) { return a.readPolicies(ctx, key) }))
	}
	tasks = append(tasks, into(&snap.Assets, a.readAssets), into(&snap.Lists, a.readLists))
	if len(ids) > 0 {
		tasks = append(tasks, into(&heads, func(ctx context.Context) (map[string]groupHead, error) { return a.readGroupHeads(ctx, ids) }))
	}
	for i, id := range ids {
		tasks = append(tasks, into(&inGroups[i], func(ctx context.Context) (groupRules, error) { return a.readGroupRules(ctx, id) }))
	}
	if err := together(ctx, observers, tasks); err != nil {
		return cloudfw.Snapshot{}, err
	}

	snap.Books = append([]cloudfw.AddressBook{}, slices.Concat(books...)...)
	snap.Rules = append([]cloudfw.FirewallRule{}, slices.Concat(rules...)...)
	snap.Groups = make([]cloudfw.SecurityGroup, 0, len(ids))
	for i, id := range ids {
		head := heads[id]
		if err := agree(head, inGroups[i], snap.Lists); err != nil {
			return cloudfw.Snapshot{}, err
		}
		snap.Groups = append(snap.Groups, cloudfw.SecurityGroup{
			ID: id, Name: string(head.SecurityGroupName), VPC: string(head.VpcId), Managed: head.ServiceManaged == "true", Rules: inGroups[i].rules,
		})
	}
	snap.Sort()
	a.learn(snap)
	return snap, nil
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
