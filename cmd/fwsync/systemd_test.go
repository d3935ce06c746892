package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// manager is what systemd is to a service: it hears what the service says of itself.
type manager struct {
	t     *testing.T
	heard *net.UnixConn
}

// manage makes the service one of a manager that wants to hear of it each so often.
func manage(t *testing.T, s *service, watchdog time.Duration) *manager {
	t.Helper()
	dir, err := os.MkdirTemp("", "fwsync") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	start := s.start
	s.start = func(args ...string) *exec.Cmd {
		cmd := start(args...)
		cmd.Env = append(cmd.Env, "NOTIFY_SOCKET="+path, "WATCHDOG_USEC="+strconv.FormatInt(watchdog.Microseconds(), 10))
		return cmd
	}
	return &manager{t, conn}
}

// until returns the messages up to the one that begins with the given line.
func (m *manager) until(line string) (all []string) {
	m.t.Helper()
	if err := m.heard.SetReadDeadline(time.Now().Add(60 * time.Second)); err != nil {
		m.t.Fatal(err)
	}
	message := make([]byte, 4096)
	for {
		n, err := m.heard.Read(message)
		if err != nil {
			m.t.Fatalf("waiting for %s: %v, after %q", line, err, all)
		}
		all = append(all, string(message[:n]))
		if strings.HasPrefix(string(message[:n]), line) {
			return all
		}
	}
}

func TestSystemdHearsWhatRunIsAt(t *testing.T) {
	t.Parallel()
	s := newService(t, build(t))
	m := manage(t, s, 400*time.Millisecond)
	s.run()
	if first := m.until("READY=1")[0]; first != "READY=1" {
		t.Errorf("at first it said %q", first)
	}
	m.until("STATUS=0 blocks, 0 gaps, as of ")
	m.until("WATCHDOG=1")

	// A reload says when it began, by the clock of systemd, and when it is over, whether
	// or not the policies are good.
	for _, policies := range []string{"policies/smtp.yaml", "policies/broken.yaml"} {
		if policies == "policies/broken.yaml" {
			s.write(policies, "x: [\n")
		}
		before := monotonic(t)
		s.signal(syscall.SIGHUP)
		said := m.until("RELOADING=1\n")
		_, usec, _ := strings.Cut(said[len(said)-1], "MONOTONIC_USEC=")
		at, err := strconv.ParseInt(strings.TrimSpace(usec), 10, 64)
		if after := monotonic(t); err != nil || at < before || at > after+10_000 { // /proc/uptime is in hundredths
			t.Errorf("%q, between %d and %d", said[len(said)-1], before, after)
		}
		m.until("READY=1")
	}
	s.stop()
	m.until("STOPPING=1")
}

// monotonic is the system's monotonic clock, in microseconds.
func monotonic(t *testing.T) int64 {
	t.Helper()
	uptime, err := os.ReadFile("/proc/uptime") // counts also the time asleep, which a test has none of
	if err != nil {
		t.Skip("no /proc/uptime here")
	}
	text, _, _ := strings.Cut(string(uptime), " ")
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return int64(seconds * 1e6)
}

// The unit files are ones that systemd takes without a word, and leave a service little
// to do harm with.
func TestSystemdTakesTheUnits(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("SKIPPED, NOT CHECKED: no systemd-analyze in PATH (Debian's package systemd has it)")
	}
	units, err := filepath.Glob("../../examples/systemd/fwsync*")
	if err != nil || len(units) != 3 {
		t.Fatalf("found %v, %v", units, err)
	}
	dir := t.TempDir()
	for i, unit := range units {
		text, err := os.ReadFile(unit)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if command, ok := strings.CutPrefix(strings.TrimSpace(line), "ExecStart=/usr/local/bin/fwsync "); ok {
				if cmd, _, err := newRoot().Find(strings.Fields(command)); err != nil || cmd.Name() != strings.Fields(command)[0] {
					t.Errorf("%s: %s", unit, line)
				}
			}
		}
		units[i] = filepath.Join(dir, filepath.Base(unit))
		if err := os.WriteFile(units[i], []byte(strings.ReplaceAll(string(text), "/usr/local/bin/fwsync", "/bin/true")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command(analyze, append([]string{"verify", "--man=no"}, units...)...).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
	for _, unit := range units {
		if !strings.HasSuffix(unit, ".service") {
			continue
		}
		if out, err := exec.Command(analyze, "security", "--offline=true", "--threshold=20", "--no-pager", unit).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}
