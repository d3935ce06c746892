package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fwsync/ledger"
)

// Writes calls every method that writes.
func Writes(ctx context.Context, s ledger.Store) map[string]error {
	results := map[string]error{}
	_, results["Add"] = s.Add(ctx, []ledger.Decision{Block("192.0.2.1")})
	_, results["Revoke"] = s.Revoke(ctx, ledger.Revocation{
		Prefixes: []netip.Prefix{Block("192.0.2.9").Prefix}, Verdict: ledger.Block, At: Noon,
	})
	_, results["TakeIn"] = s.TakeIn(ctx, ledger.Intake{Positions: map[string]json.RawMessage{"a": json.RawMessage(`1`)}})
	_, results["UsePlan"] = s.UsePlan(ctx, ledger.AppliedPlan{ID: "p1"})
	results["Record"] = s.Record(ctx, Entry("p1", 1, "done"))
	results["Settle"] = s.Settle(ctx, Noon)
	_, results["Compact"] = s.Compact(ctx, Noon.AddDate(-1, 0, 0))
	results["KeepGaps"] = s.KeepGaps(ctx, "", nil)
	over := Incident("storm")
	over.EndedAt, over.Ending = Noon, ledger.Stopped
	_, results["StartIncident"] = s.StartIncident(ctx, over)
	return results
}

// Reads calls every method that only reads.
func Reads(ctx context.Context, s ledger.Store) map[string]error {
	results := map[string]error{}
	_, results["Decisions"] = s.Decisions(ctx, time.Time{})
	_, results["Positions"] = s.Positions(ctx)
	_, results["Windows"] = s.Windows(ctx)
	_, results["Journal"] = s.Journal(ctx, "p1")
	_, results["Unfinished"] = s.Unfinished(ctx)
	_, results["PastDecisions"] = s.PastDecisions(ctx, ledger.Past{})
	_, results["PastPlans"] = s.PastPlans(ctx, ledger.Past{})
	_, results["PastEntries"] = s.PastEntries(ctx, ledger.Past{})
	_, results["Incidents"] = s.Incidents(ctx, time.Time{})
	_, results["Gaps"] = s.Gaps(ctx, "")
	return results
}

func cancelledChangesNothing(t *testing.T, fresh func(testing.TB) Opener) {
	s := fresh(t)(t, "a")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, calls := range []func(context.Context, ledger.Store) map[string]error{Writes, Reads} {
		for method, err := range calls(ctx, s) {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("%s: error %v, want the cancellation", method, err)
			}
		}
	}
	CheckIntake(t, s, nil, map[string]json.RawMessage{}, nil)
}

func intakeCancelledHalfWay(t *testing.T, fresh func(testing.TB) Opener) {
	s := fresh(t)(t, "a")
	in := ledger.Intake{Decisions: Many(20_000), Windows: []byte("new")}
	for i := range 10 {
		ctx, cancel := context.WithCancel(t.Context())
		stop := time.AfterFunc(time.Duration(i)*20*time.Millisecond, cancel)
		_, err := s.TakeIn(ctx, in)
		stop.Stop()
		cancel()
		all, readErr := s.Decisions(t.Context(), time.Time{})
		if readErr != nil {
			t.Fatal(readErr)
		}
		if err == nil { // it was faster than the cancellation
			if len(all) != len(in.Decisions) {
				t.Errorf("%d decisions, want all", len(all))
			}
			return
		}
		if !errors.Is(err, context.Canceled) || len(all) != 0 {
			t.Fatalf("error %v, %d decisions stored, want the cancellation and nothing", err, len(all))
		}
	}
}

func goroutinesShare(t *testing.T, fresh func(testing.TB) Opener) {
	open := fresh(t)
	stores := []ledger.Store{open(t, "a"), open(t, "a")}
	const workers, rounds = 8, 15
	var used atomic.Int64
	var running sync.WaitGroup
	for worker := range workers {
		s := stores[worker%len(stores)]
		running.Go(func() {
			for i := range rounds {
				d := Block(fmt.Sprintf("192.0.2.%d", worker))
				added, err := s.Add(t.Context(), []ledger.Decision{d, Block("198.51.100.1")})
				if err != nil {
					t.Error(err)
					return
				}
				added[0].Count = i
				_, err = s.TakeIn(t.Context(), ledger.Intake{Decisions: added[:1], Windows: []byte{byte(worker)}})
				first, planErr := s.UsePlan(t.Context(), ledger.AppliedPlan{ID: strconv.Itoa(i)})
				if first {
					used.Add(1)
				}
				recordErr := s.Record(t.Context(), Entry(strconv.Itoa(worker), i+1, "started"))
				if err := errors.Join(err, planErr, recordErr); err != nil {
					t.Error(err)
				}
				for method, err := range Reads(t.Context(), s) {
					if err != nil {
						t.Errorf("%s: %v", method, err)
					}
				}
			}
		})
	}
	running.Wait()
	all, err := stores[0].Decisions(t.Context(), time.Time{})
	if err != nil || len(all) != 2*workers*rounds {
		t.Errorf("%d decisions (error %v), want %d", len(all), err, 2*workers*rounds)
	}
	if unfinished, err := stores[1].Unfinished(t.Context()); err != nil || len(unfinished) != workers*rounds {
		t.Errorf("%d unfinished calls (error %v), want %d", len(unfinished), err, workers*rounds)
	}
	if used.Load() != rounds {
		t.Errorf("%d plans were used %d times", rounds, used.Load())
	}
}
