package reconcile_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fwsync/cloudfw"
	"fwsync/detect"
	"fwsync/detect/sources"
	"fwsync/ledger"
	"fwsync/ledger/sqlite"
	"fwsync/policies"
	"fwsync/sync/daemon"
	"fwsync/sync/gates"
	"fwsync/sync/reconcile"
)

// replayed is an account in memory, which does what a plan expects of one.
type replayed struct {
	mu   sync.Mutex
	live cloudfw.Snapshot
}

func (r *replayed) Observe(context.Context, cloudfw.Scope) (cloudfw.Snapshot, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.live, nil
}

func (r *replayed) Execute(_ context.Context, step cloudfw.Step) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.live = cloudfw.After(r.live, []cloudfw.Step{step})
	return nil
}

// blocked counts the addresses in its books.
func (r *replayed) blocked() (n int) {
	for _, b := range r.live.Books {
		n += len(b.Prefixes)
	}
	return n
}

// ailing is a ledger that can be out of order.
type ailing struct {
	ledger.Store
	ill atomic.Bool
}

var errIll = errors.New("the disk is full")

func (a *ailing) TakeIn(ctx context.Context, in ledger.Intake) ([]ledger.Decision, error) {
	if a.ill.Load() {
		return nil, errIll
	}
	return a.Store.TakeIn(ctx, in)
}

func soakPolicy(t *testing.T, threshold int) *policies.Policy {
	t.Helper()
	p, err := policies.Parse([]policies.File{{Name: "p.yaml", Data: fmt.Appendf(nil, `
detections:
  - { name: bruteforce, signal: smtp.auth_failed, threshold: %d, within: 10m, block: { for: 1h, escalate: [1h, 2h, 4h] } }
rules:
  - { name: drop-attackers, from: $blocked, to: any, action: drop }
targets:
  - internet-firewall: { rules: all }
`, threshold)}}, policies.Options{Signals: []string{"smtp.auth_failed"}, CheckSignals: reconcile.CheckSignals})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// attackers come in waves from as many addresses as there are in a few networks, each
// address now and then.
func wave(hour, size int) (from []netip.Addr) {
	for i := range size {
		n := (hour*size + i) % 5000
		from = append(from, netip.AddrFrom4([4]byte{198, 18, byte(n / 250), byte(1 + n%250)}))
	}
	return from
}

// A week of waves of attacks, blocks that end, policies that are loaded again and a
// ledger that is out of order for some minutes a day: every attacker is blocked in his
// hour, nobody for longer than decided, and neither memory nor goroutines grow.
func TestAWeekLeavesMemoryFlat(t *testing.T) {
	days, size := 7, 8
	if testing.Short() || underRace {
		days = 1
	}
	var heap []uint64 // after every four hours
	var goroutines []int
	path := filepath.Join(t.TempDir(), "ledger.db")
	passes, waves := 0, 0
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		store, err := sqlite.Open(ctx, path, sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		kept := &ailing{Store: store}
		account := &replayed{}
		look := reconcile.Look{
			Policy: soakPolicy(t, 5), Owner: "edge", Ledger: kept, Gates: gates.DefaultLimits(), Now: time.Now,
			Sources: []reconcile.Source{{Name: "mail", Log: sources.Source{Path: "mail.log"}}},
			Clouds: []reconcile.Cloud{{
				Title: "memory", Reader: account, Limits: cloudfw.DefaultLimits(),
				Traffic: func() cloudfw.Traffic { return cloudfw.Traffic{} }, Calls: func() []reconcile.Call { return nil },
			}},
		}
		watch, err := reconcile.NewWatch(ctx, look)
		if err != nil {
			t.Fatal(err)
		}
		var policy atomic.Pointer[policies.Policy]
		policy.Store(look.Policy)
		loop := daemon.New(func(ctx context.Context, _ []string) daemon.Outcome {
			passes++
			c := reconcile.Controller{Look: look, Accounts: []cloudfw.Account{account}, Author: "test"}
			c.Policy = policy.Load()
			r, err := c.Enforce(ctx, watch.Gathered())
			if err != nil || r.Summary.Gaps > 0 || len(r.Refusals) > 0 {
				t.Errorf("%s: %v, %d gaps, refusals %v", time.Now(), err, r.Summary.Gaps, r.Refusals)
			}
			outcome := daemon.Outcome{Failed: err != nil}
			if !r.NextEnd.IsZero() {
				outcome.NextAt = time.Now().Add(max(time.Until(r.NextEnd.Add(time.Second)), 30*time.Second))
			}
			return outcome
		})
		watch.Decided = func([]ledger.Decision) { loop.Wish("decisions") }
		troubles := 0
		watch.Trouble = func(err error) {
			if err != nil {
				troubles++
			}
		}
		stop := watch.Tick(ctx, 5*time.Minute)
		var all sync.WaitGroup
		all.Go(func() { loop.Run(ctx) })

		line, began := int64(0), time.Now()
		for hour := range days * 24 {
			kept.ill.Store(hour%24 == 9)
			from := wave(hour, size)
			for range 5 {
				for _, a := range from {
					line++
					watch.Take(sources.Batch{
						Source: "mail.log", Stats: sources.Stats{Lines: 1, Bytes: 100, Signals: 1}, Health: sources.Health{OK: true},
						Position: sources.Position{Offset: line * 100, Line: line},
						Signals:  []detect.Signal{{Kind: detect.SMTPAuthFailed, Addr: a, Time: time.Now().UTC(), Line: line, Raw: []byte("a line")}},
					})
				}
				time.Sleep(10 * time.Second)
			}
			waves++
			time.Sleep(6 * time.Minute)
			kept.ill.Store(false)
			if hour%6 == 3 {
				next := soakPolicy(t, 4+hour/6%2)
				if err := watch.Adopt(next); err != nil {
					t.Fatal(err)
				}
				policy.Store(next)
				loop.Wish("policies")
			}
			time.Sleep(10 * time.Minute)
			synctest.Wait()
			if n := account.blocked(); n != size {
				t.Fatalf("hour %d: %d addresses are blocked, want the %d of the last wave", hour, n, size)
			}
			time.Sleep(time.Duration(hour+1)*time.Hour - time.Since(began))
			if hour%4 == 3 {
				if _, err := store.Compact(ctx, time.Now().Add(-6*time.Hour)); err != nil {
					t.Fatal(err)
				}
				synctest.Wait()
				var m runtime.MemStats
				runtime.GC()
				runtime.GC() // what pools hold goes with the second
				runtime.ReadMemStats(&m)
				heap, goroutines = append(heap, m.HeapAlloc), append(goroutines, runtime.NumGoroutine())
			}
		}
		if troubles == 0 {
			t.Error("the ledger was never in trouble: the test guards less than it says")
		}
		cancel()
		stop()
		all.Wait()
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Logf("%d waves, %d passes; heap after every four hours %d, goroutines %d", waves, passes, heap, goroutines)
	middle := len(heap) / 2
	warm, last := heap[middle-1], heap[len(heap)-1]
	if last > warm+warm/8+256<<10 {
		t.Errorf("the heap grew from %d to %d bytes", warm, last)
	}
	if goroutines[middle-1] < goroutines[len(goroutines)-1] {
		t.Errorf("goroutines after every four hours: %d", goroutines)
	}
}
