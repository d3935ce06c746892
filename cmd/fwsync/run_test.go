package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"fwsync/cloudfw/simulator"
	"fwsync/ledger/postgres/pgtest"
)

// service is a fwsync run with a mail log of its own.
type service struct {
	t     *testing.T
	dir   string
	start func(args ...string) *exec.Cmd
	cloud *simulator.Cloud

	cmd   *exec.Cmd
	lines chan string // of its log
	url   string
}

func newService(t *testing.T, binary string) *service {
	t.Helper()
	cloud, url := serveWorld(t, nil)
	s := &service{t: t, start: quickstart(t, binary, url), cloud: cloud}
	s.dir = s.start().Dir
	s.write("fwsync.yaml", "policies: policies\nlisten: 127.0.0.1:0\nsources:\n  - { name: mail, file: mail.log }\n")
	s.write("mail.log", "")
	return s
}

func (s *service) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// fails writes failed logins of an address into the log, as they happen now.
func (s *service) fails(address string, times int) {
	s.t.Helper()
	s.log(strings.Repeat(fmt.Sprintf("%s mx postfix/smtpd[7]: warning: unknown[%s]: SASL LOGIN authentication failed: UGFzc3dvcmQ6, sasl_username=bob\n", time.Now().UTC().Format(time.Stamp), address), times))
}

func (s *service) log(text string) {
	s.t.Helper()
	f, err := os.OpenFile(filepath.Join(s.dir, "mail.log"), os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	f.Close()
}

func (s *service) run(args ...string) {
	s.t.Helper()
	s.cmd, s.lines, s.url = s.start(append([]string{"run"}, args...)...), make(chan string, 1000), ""
	stderr, err := s.cmd.StderrPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	cmd, lines := s.cmd, s.lines
	s.t.Cleanup(func() { _ = cmd.Process.Kill() })
	go func() {
		defer close(lines)
		for scan := bufio.NewScanner(stderr); scan.Scan(); {
			lines <- scan.Text()
		}
	}()
	_, address, _ := strings.Cut(s.until("msg=answering"), "address=")
	s.url = "http://" + address
}

// until returns the next line of its log that holds all the words.
func (s *service) until(words ...string) string {
	s.t.Helper()
	var before []string
	late := time.After(60 * time.Second)
	for {
		select {
		case line, more := <-s.lines:
			if !more {
				s.t.Fatalf("it ended before it logged %q, after\n%s", words, strings.Join(before, "\n"))
			}
			found := true
			for _, w := range words {
				found = found && strings.Contains(line, w)
			}
			if found {
				return line
			}
			before = append(before, line)
		case <-late:
			s.t.Fatalf("no line with %q, but\n%s", words, strings.Join(before, "\n"))
		}
	}
}

func (s *service) signal(sig os.Signal) {
	s.t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

func (s *service) stop() {
	s.t.Helper()
	s.signal(syscall.SIGTERM)
	for range s.lines { // it has ended when its log has
	}
	if err := s.cmd.Wait(); err != nil {
		s.t.Fatalf("stopping: %v", err)
	}
}

func (s *service) get(path string) (int, string) {
	s.t.Helper()
	answer, err := http.Get(s.url + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// blocked are the addresses in the cloud's books of blocked ones.
func (s *service) blocked() map[string]bool {
	all := map[string]bool{}
	for _, b := range s.cloud.Snapshot().AddressBooks {
		if strings.Contains(b.Name, "-blocked") {
			for _, a := range b.Addresses {
				all[a] = true
			}
		}
	}
	return all
}

func (s *service) expectBlocked(addresses ...string) {
	s.t.Helper()
	got := s.blocked()
	for _, a := range addresses {
		if !got[a+"/32"] && !got[a] {
			s.t.Errorf("%s is not blocked: %v", a, got)
		}
	}
	if len(got) != len(addresses) {
		s.t.Errorf("blocked are %v, want only %v", got, addresses)
	}
}

func TestRunBlocksWhatHappensWhileItRuns(t *testing.T) {
	t.Parallel()
	s := newService(t, build(t))
	s.run()
	s.until("msg=pass", "why=[start]", "gaps=0")
	if code, text := s.get("/readyz"); code != 200 {
		t.Errorf("/readyz: %d %s", code, text)
	}
	s.fails("198.51.100.77", 4)
	s.fails("198.51.100.78", 9)
	s.until("msg=block", "198.51.100.78")
	s.until("msg=pass", "decisions=1", "gaps=0")
	s.expectBlocked("198.51.100.78")

	// The fifth failure counts with the four of before a restart.
	s.stop()
	s.fails("198.51.100.77", 1)
	s.run()
	s.until("msg=block", "198.51.100.77")
	s.until("msg=pass", "decisions=2", "gaps=0")
	s.expectBlocked("198.51.100.77", "198.51.100.78")
	if _, text := s.get("/metrics"); !strings.Contains(text, "fwsync_active_blocks 2\n") || !strings.Contains(text, `fwsync_decisions_total{kind="new"} 1`) {
		t.Errorf("/metrics:\n%s", text)
	}

	// Killed, it reads again what it had not saved, and decides the same.
	s.fails("198.51.100.79", 5)
	s.until("msg=block", "198.51.100.79")
	s.signal(os.Kill)
	_ = s.cmd.Wait()
	s.run()
	s.until("msg=pass", "decisions=3", "gaps=0")
	s.expectBlocked("198.51.100.77", "198.51.100.78", "198.51.100.79")
	if out := reportOf(t, s.start("plan", "-o", "json")); out.Summary.Decisions != 3 || out.Changes() {
		t.Errorf("afterwards a plan says %+v", out.Summary)
	}
	s.stop()
}

func TestRunGoesOnWithTheOldPoliciesUntilTheNewOnesAreGood(t *testing.T) {
	t.Parallel()
	s := newService(t, build(t))
	s.run()
	s.until("msg=pass", "why=[start]")
	good, err := os.ReadFile(filepath.Join(s.dir, "policies/smtp.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s.write("policies/smtp.yaml", string(good)+"\nx: [\n")
	s.until("msg=\"the new policies are refused", "policies/smtp.yaml:")
	if code, text := s.get("/readyz"); code != 503 || !strings.Contains(text, "policies") {
		t.Errorf("/readyz: %d %s", code, text)
	}
	s.fails("198.51.100.78", 5)
	s.until("msg=pass", "decisions=1", "gaps=0")

	s.write("policies/smtp.yaml", strings.Replace(string(good), "threshold: 5\n", "threshold: 2\n", 1))
	s.until("msg=\"policies loaded")
	if code, text := s.get("/readyz"); code != 200 {
		t.Errorf("/readyz: %d %s", code, text)
	}
	s.fails("198.51.100.79", 2)
	s.until("msg=pass", "decisions=2", "gaps=0")
	s.expectBlocked("198.51.100.78", "198.51.100.79")

	s.write("policies/shop.yaml", `signals:
  - name: shop.login_failed
    program: shop
    pattern: "login failed from <address>"
    tests:
      - { line: "Mar  1 10:00:00 web shop[1]: login failed from 192.0.2.7", address: 192.0.2.7 }
      - { line: "Mar  1 10:00:00 web shop[1]: login of 192.0.2.7", none: true }
detections:
  - { name: shop, signal: shop.login_failed, threshold: 2, within: 1m, block: { for: 1h } }
`)
	s.signal(syscall.SIGHUP)
	s.until("msg=\"policies loaded", "why=SIGHUP")
	now := time.Now().UTC().Format(time.Stamp)
	s.log(fmt.Sprintf("%s web shop[1]: login failed from 198.51.100.80\n%[1]s web shop[1]: login failed from 198.51.100.80\n", now))
	s.until("msg=pass", "decisions=3", "gaps=0")
	if err := os.Remove(filepath.Join(s.dir, "policies/smtp.yaml")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(s.dir, "policies/shop.yaml")); err != nil {
		t.Fatal(err)
	}
	s.until("msg=\"the new policies are refused")
	s.expectBlocked("198.51.100.78", "198.51.100.79", "198.51.100.80")
	s.stop()
}

func TestASecondRunOnOneLedgerIsTurnedAway(t *testing.T) {
	t.Parallel()
	s := newService(t, build(t))
	s.run()
	s.until("msg=pass", "why=[start]")
	out, err := s.start("run").CombinedOutput()
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != exitHeld || !strings.Contains(string(out), fmt.Sprintf("pid %d", s.cmd.Process.Pid)) {
		t.Errorf("%v\n%s", err, out)
	}
	// A person at a terminal gets the lease between two passes, and is heard at once.
	if out, err := s.start("block", "192.0.2.200", "--for", "1h", "--reason", "test").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s.until("msg=pass", "asked", "decisions=1", "gaps=0")
	s.expectBlocked("192.0.2.200")
	if r := reportOf(t, s.start("reconcile", "-o", "json")); r.Summary.Writes != 0 || r.Summary.Decisions != 1 {
		t.Errorf("reconcile beside it: %+v", r.Summary)
	}
	s.stop()
}

func TestRunTellsTheChatWithoutWaitingForIt(t *testing.T) {
	t.Parallel()
	notices, release := make(chan string, 10), make(chan struct{})
	chat := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		notices <- string(body)
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer chat.Close()
	defer close(release)
	s := newService(t, build(t))
	s.write("hook", chat.URL)
	s.write("fwsync.yaml", "policies: policies\nlisten: 127.0.0.1:0\nsources:\n  - { name: mail, file: mail.log }\nnotify: { wait: 1s }\nnotices:\n  - { name: ops, kind: slack, url_file: hook }\n")
	s.run()
	s.until("msg=pass", "why=[start]")
	s.fails("198.51.100.78", 5)
	s.until("msg=pass", "decisions=1", "gaps=0") // though the chat never answers
	if text := <-notices; !strings.Contains(text, "step") {
		t.Errorf("the notice says %s", text)
	}
	s.stop()
}

// One host follows a log and only decides; another, which shares its ledger, enforces.
// When that one dies a third takes over.
func TestOneHostDetectsAndAnotherEnforces(t *testing.T) {
	t.Parallel()
	binary, ledger := build(t), pgtest.Shared(t).Fresh()
	mail := newService(t, binary)
	host := func(name, sources string) *service {
		s := newService(t, binary)
		s.cloud, s.start = mail.cloud, inFolder(mail.start, s.dir)
		s.write("fwsync.yaml", "policies: policies\nlisten: 127.0.0.1:0\ninstance: "+name+"\nledger: "+ledger+"\n"+sources)
		return s
	}
	detector := host("mx1", "sources:\n  - { name: mail, file: mail.log }\n")
	first, second := host("edge1", ""), host("edge2", "")
	detector.run("--detect-only")
	first.run()
	first.until("msg=pass", "why=[start]", "gaps=0")
	detector.fails("198.51.100.78", 5)
	first.until("msg=pass", "ledger", "decisions=1", "gaps=0")
	first.expectBlocked("198.51.100.78")
	first.signal(os.Kill)
	_ = first.cmd.Wait()
	detector.fails("198.51.100.79", 5)
	second.run()
	second.until("msg=pass", "decisions=2", "gaps=0")
	second.expectBlocked("198.51.100.78", "198.51.100.79")
	second.stop()
	detector.stop()
}

// inFolder is how to run fwsync in another folder.
func inFolder(start func(args ...string) *exec.Cmd, dir string) func(args ...string) *exec.Cmd {
	return func(args ...string) *exec.Cmd {
		cmd := start(args...)
		cmd.Dir = dir
		return cmd
	}
}
