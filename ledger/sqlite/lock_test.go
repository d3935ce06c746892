package sqlite

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fwsync/ledger"
)

func TestP10OneWriterAndTheLoserIsToldWho(t *testing.T) {
	path := newPath(t)
	begin := time.Now().UTC().Truncate(time.Second)
	first, err := TakeLock(path)
	if err != nil {
		t.Fatal(err)
	}
	second, err := TakeLock(path)
	var held *ledger.HeldError
	if second != nil || !errors.As(err, &held) {
		t.Fatalf("lease %v, error %v, want a HeldError", second, err)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	who, since, found := strings.Cut(held.Holder, " since ")
	if want := fmt.Sprintf("pid %d on %s", os.Getpid(), host); !found || who != want {
		t.Errorf("holder %q, want %q since a time", held.Holder, want)
	}
	if at, err := time.Parse(time.RFC3339, since); err != nil || at.Before(begin) || at.After(time.Now()) {
		t.Errorf("held since %q (error %v), want a time from %s on", since, err, begin)
	}
	if !strings.Contains(held.Error(), held.Holder) || !strings.Contains(held.Error(), path+".lock") {
		t.Errorf("message %q lacks the holder or the file", held)
	}
	if info, err := os.Stat(path + ".lock"); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("lock file %v, error %v, want mode 0600", info, err)
	}

	for range 2 {
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if note, err := os.ReadFile(path + ".lock"); err != nil || len(note) != 0 {
		t.Errorf("the lease given back still names %q, error %v", note, err)
	}
	third, err := TakeLock(path)
	if err != nil {
		t.Fatalf("a lease given back is still held: %v", err)
	}
	if err := first.Close(); err != nil { // an old lease has no power over the new one
		t.Fatal(err)
	}
	if _, err := TakeLock(path); !errors.As(err, &held) || !strings.HasPrefix(held.Holder, "pid ") {
		t.Errorf("error %v, want the lease held with its note", err)
	}
	if err := third.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestP10OfManyOnlyOneGetsTheLease(t *testing.T) {
	path := newPath(t)
	var won atomic.Int64
	leases := make(chan *Lock, 20)
	var running sync.WaitGroup
	for range 20 {
		running.Go(func() {
			lease, err := TakeLock(path)
			var held *ledger.HeldError
			switch {
			case err == nil:
				won.Add(1)
				leases <- lease
			case !errors.As(err, &held):
				t.Error(err)
			}
		})
	}
	running.Wait()
	if won.Load() != 1 {
		t.Fatalf("%d hold the lease", won.Load())
	}
	if err := (<-leases).Close(); err != nil {
		t.Fatal(err)
	}
}

func TestP10AKilledProcessLeavesNoLeaseBehind(t *testing.T) {
	path := newPath(t)
	cmd := process(t, "holder", path)
	in, inErr := cmd.StdinPipe()
	out, outErr := cmd.StdoutPipe()
	if err := errors.Join(inErr, outErr, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatalf("the holder says %q, error %v", line, err)
	}
	var held *ledger.HeldError
	if _, err := TakeLock(path); !errors.As(err, &held) || !strings.HasPrefix(held.Holder, fmt.Sprintf("pid %d on ", cmd.Process.Pid)) {
		t.Errorf("error %v, want the lease held by pid %d", err, cmd.Process.Pid)
	}
	cmd.Process.Kill()
	cmd.Wait()
	lease, err := TakeLock(path)
	if err != nil {
		t.Fatalf("the lease outlived its process: %v", err)
	}
	if err := lease.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAHoldersNoteIsShownSafely(t *testing.T) {
	for _, tc := range []struct{ name, note, want string }{
		{"an empty note", "", "an unknown process"},
		{"control characters", "pid 1\x1b[2J\n\x7f on a", "pid 1[2J on a"},
		{"bytes that are not UTF-8", "pid 1 on \xff", "pid 1 on \uFFFD"},
		{"a long note", strings.Repeat("x", 5000), strings.Repeat("x", maxHolder)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			path := newPath(t)
			lease, err := TakeLock(path)
			if err != nil {
				t.Fatal(err)
			}
			defer lease.Close()
			if err := os.WriteFile(path+".lock", []byte(tc.note), 0o600); err != nil {
				t.Fatal(err)
			}
			var held *ledger.HeldError
			if _, err := TakeLock(path); !errors.As(err, &held) || held.Holder != tc.want {
				t.Errorf("holder %q, want %q", held.Holder, tc.want)
			}
		})
	}
}

func TestALeaseThatCannotBeWrittenIsAnErrorNotALease(t *testing.T) {
	path := newPath(t)
	if err := os.Mkdir(path+".lock", 0o700); err != nil {
		t.Fatal(err)
	}
	lease, err := TakeLock(path)
	if lease != nil || err == nil || !strings.Contains(err.Error(), path+".lock") {
		t.Errorf("lease %v, error %v, want an error with the path", lease, err)
	}
	if _, err := TakeLock(""); err == nil {
		t.Error("an empty path was accepted")
	}
}
