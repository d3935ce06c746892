package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"fwsync/cloudfw/simulator"
	"fwsync/ledger"
	"fwsync/ledger/postgres/pgtest"
)

// counted are the failed logins that each decision counts, as the ledger has them.
func (s *service) counted(place string) map[string]int {
	s.t.Helper()
	store, err := openLedger(s.t.Context(), &Config{Ledger: place, Instance: "check"})
	if err != nil {
		s.t.Fatal(err)
	}
	defer store.Close()
	decisions, err := store.Decisions(s.t.Context(), time.Time{})
	if err != nil {
		s.t.Fatal(err)
	}
	all := map[string]int{}
	for _, d := range decisions {
		if _, twice := all[d.Prefix.Addr().String()]; twice {
			s.t.Errorf("two decisions about %s", d.Prefix)
		}
		all[d.Prefix.Addr().String()] = d.Count
	}
	return all
}

func (s *service) expectReady(code int, words ...string) {
	s.t.Helper()
	got, text := s.get("/readyz")
	for _, w := range words {
		if !strings.Contains(text, w) {
			s.t.Errorf("/readyz does not say %q: %s", w, text)
		}
	}
	if got != code {
		s.t.Errorf("/readyz: %d %s, want %d", got, text, code)
	}
}

// limitFiles lets a process write no file beyond so many bytes.
func limitFiles(t *testing.T, pid int, most uint64) {
	t.Helper()
	limit := syscall.Rlimit{Cur: most, Max: ^uint64(0)}
	const fileSize = 1 // RLIMIT_FSIZE
	if _, _, failed := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(pid), fileSize, uintptr(unsafe.Pointer(&limit)), 0, 0, 0); failed != 0 {
		t.Fatal(failed)
	}
}

// outage is what each way to lose the ledger must come to: what is found meanwhile is
// kept, said, and stored afterwards, counted once.
func (s *service) outage(place, words string, breaks, mends func()) {
	s.t.Helper()
	s.until("msg=pass", "why=[start]")
	s.fails("198.51.100.77", 3)
	s.fails("198.51.100.78", 5)
	s.until("msg=pass", "decisions=1", "gaps=0")
	breaks()
	s.fails("198.51.100.77", 2)
	s.fails("198.51.100.79", 4)
	s.until("the ledger cannot be written: going on, and trying again", words)
	s.expectReady(http.StatusServiceUnavailable, "ledger: ", words)
	s.expectBlocked("198.51.100.78")
	mends()
	s.until("the ledger can be written again")
	s.until("msg=pass", "decisions=2", "gaps=0")
	s.expectBlocked("198.51.100.77", "198.51.100.78")
	s.expectReady(http.StatusOK)
	s.stop()
	if got := s.counted(place); len(got) != 2 || got["198.51.100.77"] != 5 || got["198.51.100.78"] != 5 {
		s.t.Errorf("the ledger counts %v, want 5 of each", got)
	}
}

func TestRunGoesOnWhileTheDiskIsFull(t *testing.T) {
	t.Parallel()
	s := newService(t, build(t))
	s.run()
	s.outage(filepath.Join(s.dir, ".fwsync", "ledger.db"), "look at its free space",
		func() { limitFiles(t, s.cmd.Process.Pid, 1) }, func() { limitFiles(t, s.cmd.Process.Pid, ^uint64(0)) })
}

func TestRunSaysThatItsLedgerFileIsGone(t *testing.T) {
	t.Parallel()
	s := newService(t, build(t))
	place := filepath.Join(s.dir, ".fwsync", "ledger.db")
	move := func(from, to string) func() {
		return func() {
			if err := os.Rename(from, to); err != nil {
				t.Error(err)
			}
		}
	}
	s.run()
	s.outage(place, "was removed or replaced while it was open", move(place, place+".away"), move(place+".away", place))
}

func TestRunGoesOnWhileTheDatabaseIsGone(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	s := newService(t, build(t))
	place := server.Fresh()
	s.write("fwsync.yaml", "policies: policies\nlisten: 127.0.0.1:0\ninstance: mx\nledger: \""+place+"\"\nsources:\n  - { name: mail, file: mail.log }\n")
	s.run()
	s.outage(place, ledger.ErrUnreachable.Error(), server.Halt, func() {
		if err := server.Resume(); err != nil {
			t.Error(err)
		}
	})
}

// The cloud cannot be reached: the passes fail with clear words, decisions are made all
// the same, and it is made good once the cloud is back.
func TestRunGoesOnWhileTheCloudIsGone(t *testing.T) {
	t.Parallel()
	world := simulator.DefaultWorld()
	cloud, err := simulator.New(simulator.Options{World: &world})
	if err != nil {
		t.Fatal(err)
	}
	server, err := simulator.Listen("127.0.0.1:0", cloud.Handler())
	if err != nil {
		t.Fatal(err)
	}
	address := server.Addr()
	s := &service{t: t, start: quickstart(t, build(t), "http://"+address), cloud: cloud}
	s.dir = s.start().Dir
	s.write("fwsync.yaml", "policies: policies\nlisten: 127.0.0.1:0\nalibaba: { call_timeout: 1s }\nsources:\n  - { name: mail, file: mail.log }\n")
	s.write("mail.log", "")
	s.run()
	s.until("msg=pass", "why=[start]", "gaps=0")
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	s.fails("198.51.100.78", 5)
	s.until("msg=decided")
	s.until("msg=pass", "level=WARN", "observing the cloud", "unavailable", "connection refused")
	s.expectReady(http.StatusServiceUnavailable, "the last pass failed: ", "connection refused")
	if _, err := net.Dial("tcp", address); err == nil {
		t.Error("the cloud is not gone")
	}
	if server, err = simulator.Listen(address, cloud.Handler()); err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	s.until("msg=pass", "decisions=1", "gaps=0")
	s.expectReady(http.StatusOK)
	s.expectBlocked("198.51.100.78")
	s.stop()
}

// A log that cannot be read is a sick source; the rest goes on, and so does the log once
// it is there again.
func TestRunGoesOnWhenALogCannotBeRead(t *testing.T) {
	t.Parallel()
	s := newService(t, build(t))
	s.write("fwsync.yaml", "policies: policies\nlisten: 127.0.0.1:0\nsources:\n  - { name: mail, file: mail.log }\n  - { name: other, file: other.log }\n")
	s.write("other.log", "")
	s.run()
	s.until("msg=pass", "why=[start]")
	s.fails("198.51.100.77", 3)
	// Permissions do not stop root: a folder in its place is as unreadable for everybody.
	away := func(from, to string) {
		t.Helper()
		if err := os.Rename(filepath.Join(s.dir, from), filepath.Join(s.dir, to)); err != nil {
			t.Fatal(err)
		}
	}
	away("other.log", "other.away")
	if err := os.Mkdir(filepath.Join(s.dir, "other.log"), 0o700); err != nil {
		t.Fatal(err)
	}
	s.until("a source is sick: the others go on", "source=other", "directory")
	s.fails("198.51.100.77", 2)
	s.until("msg=pass", "decisions=1", "gaps=0")
	s.expectBlocked("198.51.100.77")
	if err := os.Remove(filepath.Join(s.dir, "other.log")); err != nil {
		t.Fatal(err)
	}
	away("other.away", "other.log")
	text := strings.Repeat(time.Now().UTC().Format(time.Stamp)+" mx postfix/smtpd[7]: warning: unknown[198.51.100.78]: SASL LOGIN authentication failed: UGFzc3dvcmQ6, sasl_username=bob\n", 5)
	s.write("other.log", text)
	s.until("a source is well again", "source=other")
	s.until("msg=pass", "decisions=2", "gaps=0")
	s.expectBlocked("198.51.100.77", "198.51.100.78")
	s.stop()
}

// A ledger that was restored from a backup: what the logs said since then is read again
// and decided again, and nobody is let go but whom people blocked since.
func TestRunAfterItsLedgerWasRestored(t *testing.T) {
	t.Parallel()
	s := newService(t, build(t))
	place := filepath.Join(s.dir, ".fwsync", "ledger.db")
	s.run()
	s.fails("198.51.100.77", 5)
	s.until("msg=pass", "decisions=1", "gaps=0")
	s.stop()
	backup, err := os.ReadFile(place)
	if err != nil {
		t.Fatal(err)
	}
	s.run()
	s.fails("198.51.100.78", 5)
	s.fails("198.51.100.79", 3)
	if out, err := s.start("block", "192.0.2.200", "--for", "1h", "--reason", "test").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s.until("msg=pass", "decisions=3", "gaps=0")
	s.expectBlocked("198.51.100.77", "198.51.100.78", "192.0.2.200")
	s.stop()
	if err := os.WriteFile(place, backup, 0o600); err != nil {
		t.Fatal(err)
	}
	s.run()
	s.fails("198.51.100.79", 2)
	s.until("msg=pass", "decisions=3", "gaps=0")
	s.expectBlocked("198.51.100.77", "198.51.100.78", "198.51.100.79")
	s.stop()
	if got := s.counted(place); len(got) != 3 || got["198.51.100.78"] != 5 || got["198.51.100.79"] != 5 {
		t.Errorf("the ledger counts %v, want 5 of each", got)
	}
}

// peak is the most memory that its process has had, in kB.
func (s *service) peak() (most int) {
	s.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		s.t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "VmHWM:")
	if _, err := fmt.Sscan(after, &most); err != nil {
		s.t.Fatal(err)
	}
	return most
}

// A log that grows by 60 MB at once waits in its file, not in memory.
func TestRunReadsABurstWithoutHoldingIt(t *testing.T) {
	t.Parallel()
	s := newService(t, build(t))
	s.run()
	s.until("msg=pass", "why=[start]")
	before := s.peak()
	var burst strings.Builder
	attack := func(n int) string { return fmt.Sprintf("198.51.100.%d", 10+n) }
	var want []string
	for n := range 20 {
		stamp := time.Now().UTC().Format(time.Stamp)
		for i := range 40_000 {
			fmt.Fprintf(&burst, "%s mx postfix/smtpd[%d]: connect from unknown[203.0.113.%d]\n", stamp, i, i%200)
		}
		burst.WriteString(strings.Repeat(fmt.Sprintf("%s mx postfix/smtpd[7]: warning: unknown[%s]: SASL LOGIN authentication failed: UGFzc3dvcmQ6, sasl_username=bob\n", stamp, attack(n)), 5))
		want = append(want, attack(n))
	}
	s.log(burst.String())
	s.until("msg=pass", "decisions=20", "gaps=0")
	s.expectBlocked(want...)
	grown, size := s.peak()-before, burst.Len()/1000
	t.Logf("grown by %d kB over %d kB, for a burst of %d kB", grown, before, size)
	if grown > size/2 {
		t.Errorf("it holds what it has not read yet")
	}
	s.stop()
}
