package postgres

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	osexec "os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"fwsync/ledger"
	"fwsync/ledger/postgres/pgtest"
	"fwsync/ledger/storetest"

	"github.com/jackc/pgx/v5"
)

// The test binary run again with this variable set plays another host.
const roleVariable = "FWSYNC_TEST_ROLE"

// busy is what a machine that is busy may add to a takeover.
const busy = 10 * time.Second

// childTTL is that of every lease of a child.
const childTTL = 400 * time.Millisecond

func play(role, address string) error {
	ctx := context.Background()
	s, err := Open(ctx, address, Options{Instance: role})
	if err != nil {
		return err
	}
	defer s.Close()
	claim := ledger.Claim{Holder: fmt.Sprintf("pid %d on %s", os.Getpid(), role), TTL: childTTL}
	if role == "contender" {
		return contend(ctx, s, claim)
	}
	lease, err := s.Acquire(ctx, claim)
	if err != nil {
		return err
	}
	fmt.Println("held")
	orders := bufio.NewScanner(os.Stdin)
	for orders.Scan() {
		switch orders.Text() {
		case "ask":
			err = lease.Held(ctx)
		case "record":
			err = lease.Store().Record(ctx, storetest.Entry("child", 1, ledger.Started))
		case "record slowly": // between the last look at the lease and the commit
			held := lease.Store().(*Store)
			err = held.change(ctx, "testing", func(ctx context.Context, tx pgx.Tx) error {
				if _, err := tx.Exec(ctx, `INSERT INTO journal (`+entryColumns+`, open) VALUES ('child', 1, 1, '', '', 'started', '', true)`); err != nil {
					return err
				}
				if err := held.fence.check(ctx, tx); err != nil {
					return err
				}
				fmt.Println("in the middle")
				if !orders.Scan() {
					return io.ErrUnexpectedEOF
				}
				return nil
			})
		}
		switch {
		case err == nil:
			fmt.Println("yes")
		case errors.Is(err, ledger.ErrFenced):
			fmt.Println("fenced")
		default:
			fmt.Println("no:", err)
		}
	}
	return nil
}

// contend takes the lease whenever it can and writes its token down as long as it may.
func contend(ctx context.Context, s *Store, claim ledger.Claim) error {
	for {
		lease, err := s.Acquire(ctx, claim)
		if held := new(ledger.HeldError); errors.As(err, &held) {
			continue
		}
		if err != nil {
			return err
		}
		for n := 0; err == nil && n < 50; n++ {
			if err = lease.Held(ctx); err == nil {
				err = lease.Store().Record(ctx, storetest.Entry("tokens", int(lease.Token()), ledger.Started))
			}
		}
		if closed := lease.Close(); err == nil {
			err = closed
		}
		if err != nil && !errors.Is(err, ledger.ErrFenced) && !errors.Is(err, ledger.ErrUnreachable) {
			return err
		}
	}
}

// child is another host.
type child struct {
	*osexec.Cmd
	t    *testing.T
	in   io.Writer
	says *bufio.Scanner
}

func start(t *testing.T, role, address string) *child {
	t.Helper()
	cmd := osexec.CommandContext(t.Context(), os.Args[0], address)
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.Stderr = os.Stderr
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill() // also one that is stopped
		cmd.Wait()
	})
	return &child{cmd, t, in, bufio.NewScanner(out)}
}

func (c *child) order(text string) {
	c.t.Helper()
	if _, err := fmt.Fprintln(c.in, text); err != nil {
		c.t.Fatal(err)
	}
}

func (c *child) want(text string) {
	c.t.Helper()
	if !c.says.Scan() || c.says.Text() != text {
		c.t.Fatalf("the child says %q (error %v), want %q", c.says.Text(), c.says.Err(), text)
	}
}

// signal sends it and waits until the kernel has stopped the process, or let it go on.
func (c *child) signal(s syscall.Signal) {
	c.t.Helper()
	if err := c.Process.Signal(s); err != nil {
		c.t.Fatal(err)
	}
	for {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", c.Process.Pid))
		if err != nil {
			c.t.Skipf("NOT TESTED: no /proc to see that a process is stopped: %v", err)
		}
		_, state, _ := strings.Cut(string(stat), ") ")
		if strings.HasPrefix(state, "T") == (s == syscall.SIGSTOP) {
			return
		}
	}
}

func TestP10AStoppedProcessLearnsThatItIsLate(t *testing.T) {
	address := pgtest.Shared(t).Fresh()
	s := open(t, address)
	c := start(t, "leader", address)
	c.want("held")
	c.order("ask")
	c.want("yes")
	c.order("record")
	c.want("yes")

	c.signal(syscall.SIGSTOP)
	next, took := takeover(t, s, 0)
	if took > childTTL+busy {
		t.Errorf("the takeover from a stopped process took %s, want its TTL %s", took, childTTL)
	}
	c.signal(syscall.SIGCONT)
	c.order("ask")
	c.want("fenced")
	c.order("record")
	c.want("fenced")
	if entries, err := s.Journal(t.Context(), "child"); err != nil || len(entries) != 1 {
		t.Errorf("journal %v, error %v, want what the child wrote while it held the lease", entries, err)
	}
	if err := next.Held(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestP10AProcessThatIsKilledIsFollowedAfterItsTTL(t *testing.T) {
	address := pgtest.Shared(t).Fresh()
	s := open(t, address)
	c := start(t, "leader", address)
	c.want("held")
	c.Process.Kill()
	if _, took := takeover(t, s, 0); took > childTTL+busy {
		t.Errorf("the takeover took %s, want the TTL %s", took, childTTL)
	}
}

// Stopped between its last look at the lease and the commit, a process holds the row:
// the server ends it, and the write with it.
func TestP10AProcessStoppedInATransactionHoldsNobodyUp(t *testing.T) {
	address := pgtest.Shared(t).Fresh()
	s := open(t, address)
	c := start(t, "leader", address+"&idle_in_transaction_session_timeout=500")
	c.want("held")
	c.order("record slowly")
	c.want("in the middle")
	c.signal(syscall.SIGSTOP)
	if _, took := takeover(t, s, 0); took > childTTL+500*time.Millisecond+time.Second {
		t.Errorf("the takeover took %s", took)
	}
	c.signal(syscall.SIGCONT)
	c.order("go on")
	if !c.says.Scan() || c.says.Text() == "yes" {
		t.Errorf("the child says %q, want that its write failed", c.says.Text())
	}
	if entries, err := s.Journal(t.Context(), "child"); err != nil || len(entries) != 0 {
		t.Errorf("journal %v, error %v, want nothing", entries, err)
	}
}

// Three hosts want the lease all the time and are stopped at any moment, for longer
// than it lasts. What they wrote is in the order of their tokens: at no time did two.
func TestP10StoppedAtAnyMomentTwoNeverWrite(t *testing.T) {
	address := pgtest.Shared(t).Fresh()
	s := open(t, address)
	var children []*child
	for range 3 {
		children = append(children, start(t, "contender", address+"&idle_in_transaction_session_timeout=500"))
	}
	random := rand.New(rand.NewPCG(1, 2))
	written := func() int {
		entries, err := s.Journal(t.Context(), "tokens")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	for round := range 6 {
		// Whoever holds it is stopped in the middle of its writing; another must go on.
		for before := written(); written() < before+20+random.IntN(30); {
		}
		var pid int
		var host string
		if err := s.pool.QueryRow(t.Context(), `SELECT holder FROM lease`).Scan(&host); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Sscanf(host, "pid %d", &pid); err != nil {
			t.Fatalf("round %d: holder %q: %v", round, host, err)
		}
		for _, c := range children {
			if c.Process.Pid != pid {
				continue
			}
			c.signal(syscall.SIGSTOP)
			var token, now int64
			if err := s.pool.QueryRow(t.Context(), `SELECT token FROM lease`).Scan(&token); err != nil {
				t.Fatal(err)
			}
			for deadline := time.Now().Add(20 * time.Second); now <= token; {
				if err := s.pool.QueryRow(t.Context(), `SELECT token FROM lease`).Scan(&now); err != nil || time.Now().After(deadline) {
					t.Fatalf("round %d: nobody followed (error %v)", round, err)
				}
			}
			c.signal(syscall.SIGCONT)
		}
	}
	entries, err := s.Journal(t.Context(), "tokens")
	if err != nil {
		t.Fatal(err)
	}
	holders := 1
	for i := 1; i < len(entries); i++ {
		if entries[i].Step < entries[i-1].Step {
			t.Fatalf("entry %d has token %d, the one before it %d", i, entries[i].Step, entries[i-1].Step)
		}
		if entries[i].Step > entries[i-1].Step {
			holders++
		}
	}
	if holders < 6 {
		t.Errorf("only %d holders wrote: the test shows nothing", holders)
	}
	t.Logf("%d entries by %d holders", len(entries), holders)
}
