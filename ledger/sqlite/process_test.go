package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fwsync/ledger"
	"fwsync/ledger/storetest"
)

// The test binary run again with this variable set plays another process.
const roleVariable = "FWSYNC_TEST_ROLE"

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		if err := play(role, os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func play(role, path string) error {
	ctx := context.Background()
	if role == "holder" {
		lease, err := TakeLock(path)
		if err != nil {
			return err
		}
		defer lease.Close()
		fmt.Println("held")
		_, err = io.Copy(io.Discard, os.Stdin)
		return err
	}
	s, err := Open(ctx, path, Options{BusyTimeout: time.Minute})
	if err != nil {
		return err
	}
	defer s.Close()
	switch role {
	case "writer": // 100 decisions, one by one, and the number of plans it was first to use
		used := 0
		for i := range 100 {
			if _, err := s.Add(ctx, []ledger.Decision{storetest.Block("192.0.2.1")}); err != nil {
				return err
			}
			fresh, err := s.UsePlan(ctx, ledger.AppliedPlan{ID: strconv.Itoa(i)})
			if err != nil {
				return err
			}
			if fresh {
				used++
			}
		}
		fmt.Println(used)
	case "endless": // intakes of five until somebody ends it; says when each is saved
		for i := 1; ; i++ {
			_, err := s.TakeIn(ctx, ledger.Intake{
				Decisions: storetest.Many(5),
				Positions: map[string]json.RawMessage{"log": json.RawMessage(strconv.Itoa(i))},
				Windows:   []byte(strconv.Itoa(i)),
			})
			if err != nil {
				return err
			}
			fmt.Println(i)
		}
	}
	return nil
}

func process(t *testing.T, role, path string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], path)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.Stderr = os.Stderr
	return cmd
}

func TestProcessesWriteToANewLedgerAtTheSameTime(t *testing.T) {
	path := newPath(t)
	var used atomic.Int64
	var running sync.WaitGroup
	for range 3 {
		cmd := process(t, "writer", path)
		running.Go(func() {
			out, err := cmd.Output()
			n, numberErr := strconv.Atoi(strings.TrimSpace(string(out)))
			if err := errors.Join(err, numberErr); err != nil {
				t.Error(err)
			}
			used.Add(int64(n))
		})
	}
	running.Wait()
	all, err := open(t, path).Decisions(t.Context(), time.Time{})
	if err != nil || len(all) != 300 {
		t.Errorf("%d decisions (error %v), want 300", len(all), err)
	}
	if used.Load() != 100 {
		t.Errorf("the 100 plans were used %d times", used.Load())
	}
}

func TestOpeningANewLedgerAtTheSameTimeGivesOneLedger(t *testing.T) {
	path := newPath(t)
	var running sync.WaitGroup
	for range 8 {
		running.Go(func() {
			s, err := Open(t.Context(), path, Options{})
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close()
			if _, err := s.Add(t.Context(), []ledger.Decision{storetest.Block("192.0.2.1")}); err != nil {
				t.Error(err)
			}
		})
	}
	running.Wait()
	all, err := open(t, path).Decisions(t.Context(), time.Time{})
	if err != nil || len(all) != 8 {
		t.Errorf("%d decisions (error %v), want 8", len(all), err)
	}
	if entries, err := filepath.Glob(path + ".new-*"); err != nil || len(entries) != 0 {
		t.Errorf("drafts %v (error %v) were left behind", entries, err)
	}
}
