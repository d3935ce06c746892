// Package pgtest starts a real PostgreSQL for tests: a server of its own in a
// temporary folder, on a socket there and a free port of loopback, gone when the
// tests are. It is imported by tests only.
package pgtest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Admin is the superuser of the servers: without a password on the socket, with
// Password over TCP.
const Admin = "admin"

// Server is one PostgreSQL. It trusts whoever is on its socket and asks for a password
// (SCRAM) over TCP.
type Server struct {
	Password string // of Admin

	programs string // folder of initdb and postgres
	folder   string
	port     int
	schemas  atomic.Int64
	process  *process
}

// process is a running postmaster.
type process struct {
	*os.Process
	ended chan struct{}
	said  *log // what it wrote
}

var shared struct {
	once   sync.Once
	server *Server
	err    error
}

// Shared returns the one server of the test binary, started when first asked for. The
// package's TestMain must call Stop. Without PostgreSQL the test is skipped, or fails
// where CI=true: there nothing may go untested.
func Shared(t testing.TB) *Server {
	t.Helper()
	shared.once.Do(func() { shared.server, shared.err = start() })
	return usable(t, shared.server, shared.err)
}

// Stop ends the shared server, if there is one.
func Stop() {
	if shared.server != nil {
		shared.server.remove()
	}
}

// Start returns a server that is the test's alone, to be halted and resumed at will.
func Start(t testing.TB) *Server {
	t.Helper()
	s, err := start()
	s = usable(t, s, err)
	t.Cleanup(s.remove)
	return s
}

var errMissing = errors.New("PostgreSQL is not installed: neither PATH nor /usr/lib/postgresql/*/bin has initdb and postgres (Debian: apt-get install postgresql)")

func usable(t testing.TB, s *Server, err error) *Server {
	t.Helper()
	switch {
	case errors.Is(err, errMissing) && os.Getenv("CI") != "true":
		t.Skipf("NOT TESTED: %v", err)
	case err != nil:
		t.Fatal(err)
	}
	return s
}

// URL leads to the socket, and there to a schema that may not exist yet.
func (s *Server) URL(schema string) string {
	query := url.Values{"host": {s.folder}, "port": {strconv.Itoa(s.port)}, "user": {Admin}, "search_path": {schema}}
	return "postgres:///postgres?" + query.Encode()
}

// Fresh is the URL of a schema that no other test uses.
func (s *Server) Fresh() string {
	return s.URL(fmt.Sprintf("fresh_%d", s.schemas.Add(1)))
}

// TCP leads to the port of loopback.
func (s *Server) TCP(name, password, database string) *url.URL {
	return &url.URL{
		Scheme: "postgres", User: url.UserPassword(name, password),
		Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)), Path: "/" + database,
	}
}

// Exec runs statements as Admin, one by one, outside any store.
func (s *Server) Exec(t testing.TB, statements ...string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // also from a cleanup
	conn, err := pgx.Connect(ctx, s.URL("public"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	for _, statement := range statements {
		if _, err := conn.Exec(ctx, statement); err != nil {
			t.Fatalf("running %s: %v", statement, err)
		}
	}
}

func start() (*Server, error) {
	programs, err := find()
	if err != nil {
		return nil, err
	}
	s := &Server{programs: programs, Password: "s3cret&/%" + strconv.Itoa(os.Getpid())}
	if s.folder, err = os.MkdirTemp("", "fwsync-pg-"); err != nil {
		return nil, err
	}
	if err := s.begin(); err != nil {
		s.remove()
		return nil, fmt.Errorf("starting PostgreSQL of %s: %w", programs, err)
	}
	return s, nil
}

func (s *Server) begin() error {
	secret := filepath.Join(s.folder, "secret")
	if err := os.WriteFile(secret, []byte(s.Password), 0o600); err != nil {
		return err
	}
	who, err := servant()
	if err != nil {
		return err
	}
	if who != nil {
		for _, path := range []string{s.folder, secret} {
			if err := os.Chown(path, int(who.Uid), int(who.Gid)); err != nil {
				return err
			}
		}
	}
	initdb := s.command(who, "initdb", "-D", s.data(), "-U", Admin, "--pwfile", secret, "-E", "UTF8", "--locale=C",
		"--auth-local=trust", "--auth-host=scram-sha-256", "--no-sync", "--no-instructions")
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.port = free.Addr().(*net.TCPAddr).Port
	if err := free.Close(); err != nil {
		return err
	}
	return s.Resume()
}

func (s *Server) data() string { return filepath.Join(s.folder, "data") }

// Resume starts a server that was halted, and waits until it answers.
func (s *Server) Resume() error {
	who, err := servant()
	if err != nil {
		return err
	}
	cmd := s.command(who, "postgres", "-D", s.data(), "-p", strconv.Itoa(s.port), "-k", s.folder, "-h", "127.0.0.1",
		"-c", "fsync=off", "-c", "full_page_writes=off", "-c", "logging_collector=off", "-c", "log_destination=stderr")
	out, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	p := &process{ended: make(chan struct{}), said: &log{}}
	begun := make(chan error)
	go func() {
		// The kernel ends the server with the thread that started it.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		p.Process = cmd.Process
		begun <- err
		if err == nil {
			<-p.said.closed()
			_ = cmd.Wait()
			close(p.ended)
		}
	}()
	ready := make(chan struct{})
	p.said.follow(out, "ready to accept connections", ready)
	if err := <-begun; err != nil {
		return err
	}
	select {
	case <-ready:
		s.process = p
		return nil
	case <-p.ended:
		return fmt.Errorf("it ended at once:\n%s", p.said)
	}
}

// Halt ends the server like a crash: whoever is connected is cut off.
func (s *Server) Halt() { s.end(syscall.SIGQUIT) }

func (s *Server) end(signal os.Signal) {
	if s.process == nil {
		return
	}
	_ = s.process.Signal(signal)
	<-s.process.ended
	s.process = nil
}

func (s *Server) remove() {
	s.end(syscall.SIGQUIT)
	_ = os.RemoveAll(s.folder)
}

func (s *Server) command(who *syscall.Credential, program string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.programs, program), args...)
	cmd.Dir = s.folder
	cmd.Env = []string{"LC_ALL=C", "TZ=UTC", "PATH=" + s.programs + ":/usr/bin:/bin"}
	cmd.SysProcAttr = attributes(who)
	return cmd
}

// find looks for the newest server that is installed.
func find() (folder string, err error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil && exists(filepath.Join(filepath.Dir(path), "postgres")) {
			return filepath.Dir(path), nil
		}
	}
	folders, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	version := func(folder string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(folder))) // 0 is behind all others
		return n
	}
	slices.SortFunc(folders, func(a, b string) int { return version(b) - version(a) })
	for _, folder := range folders {
		if exists(filepath.Join(folder, "initdb")) && exists(filepath.Join(folder, "postgres")) {
			return folder, nil
		}
	}
	return "", errMissing
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// servant is whom the server runs as when the tests run as root, whom PostgreSQL
// refuses to serve; nil otherwise.
func servant() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, errors.Join(err1, err2)
	}
	return nil, errors.New("there is neither a user postgres nor nobody to run it as, and it does not run as root")
}

// log keeps what a server writes.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
	end  chan struct{}
}

func (l *log) closed() <-chan struct{} { return l.end }

// follow reads until the writer is gone, and closes found at the line that has the words.
func (l *log) follow(r io.Reader, words string, found chan<- struct{}) {
	l.end = make(chan struct{})
	go func() {
		defer close(l.end)
		lines := bufio.NewScanner(r)
		for seen := false; lines.Scan(); {
			l.mu.Lock()
			l.text.WriteString(lines.Text() + "\n")
			l.mu.Unlock()
			if !seen && strings.Contains(lines.Text(), words) {
				seen = true
				close(found)
			}
		}
	}()
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
