package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// postfixServer is a real Postfix of the test's own on a loopback port, with its
// configuration, queue and log in a folder of the test. Clients say in a PROXY header
// from where they come, since nobody may block loopback addresses.
type postfixServer struct {
	t       *testing.T
	address string
	log     string
}

func startPostfix(t *testing.T) *postfixServer {
	t.Helper()
	binary, err := exec.LookPath("postfix")
	if err != nil || os.Getuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatalf("this test needs Postfix and root: %v", err)
		}
		t.Skip("SKIPPED: the test with a real Postfix needs the Debian package postfix, and root")
	}
	dir := t.TempDir()
	// Postfix runs as a user of its own.
	for at := dir; len(at) > len(os.TempDir()); at = filepath.Dir(at) {
		if err := os.Chmod(at, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &postfixServer{t: t, address: free.Addr().String(), log: filepath.Join(dir, "mail.log")}
	free.Close()
	authenticate(t, filepath.Join(dir, "auth"))
	etc := filepath.Join(dir, "etc")
	for _, sub := range []string{"etc", "spool", "lib"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	main := strings.ReplaceAll(`compatibility_level = 3.6
queue_directory = DIR/spool
data_directory = DIR/lib
maillog_file = DIR/mail.log
maillog_file_prefixes = DIR
myhostname = mail.example.com
mydestination = mail.example.com, example.com
mynetworks = 127.0.0.1/32
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
local_transport = discard:
default_transport = discard:
smtpd_upstream_proxy_protocol = haproxy
smtpd_peername_lookup = no
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = DIR/auth
smtpd_relay_restrictions = permit_sasl_authenticated, reject_unauth_destination
smtpd_forbidden_commands = CONNECT GET POST
smtpd_error_sleep_time = 0
smtpd_client_connection_rate_limit = 0
`, "DIR", dir)
	var master strings.Builder
	fmt.Fprintf(&master, "%s inet n - n - 20 smtpd\n", p.address)
	for _, line := range []string{
		"pickup unix n - n 60 1 pickup", "cleanup unix n - n - 0 cleanup", "qmgr unix n - n 300 1 qmgr", "rewrite unix - - n - - trivial-rewrite",
		"bounce unix - - n - 0 bounce", "defer unix - - n - 0 bounce", "trace unix - - n - 0 bounce", "verify unix - - n - 1 verify",
		"proxymap unix - - n - - proxymap", "error unix - - n - - error", "retry unix - - n - - error", "discard unix - - n - - discard",
		"anvil unix - - n - 1 anvil", "postlog unix-dgram n - n - 1 postlogd",
	} {
		master.WriteString(line + "\n")
	}
	for name, text := range map[string]string{"main.cf": main, "master.cf": master.String()} {
		if err := os.WriteFile(filepath.Join(etc, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command("chown", "postfix", filepath.Join(dir, "lib")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if out, err := exec.Command(binary, "-c", etc, "start").CombinedOutput(); err != nil {
		log, _ := os.ReadFile(p.log)
		t.Fatalf("starting Postfix: %v\n%s%s", err, out, log)
	}
	t.Cleanup(func() {
		if out, err := exec.Command(binary, "-c", etc, "stop").CombinedOutput(); err != nil {
			t.Errorf("stopping Postfix: %v\n%s", err, out)
		}
	})
	return p
}

// authenticate answers Postfix as Dovecot's authentication server does: the password is
// "right" or wrong.
func authenticate(t *testing.T, path string) {
	t.Helper()
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer client.Close()
				fmt.Fprint(client, "VERSION\t1\t1\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t00\nDONE\n")
				for lines := bufio.NewScanner(client); lines.Scan(); {
					fields := strings.Split(lines.Text(), "\t")
					if fields[0] != "AUTH" {
						continue
					}
					answer := "FAIL\t" + fields[1] + "\tuser=bob\n"
					if response, ok := strings.CutPrefix(fields[len(fields)-1], "resp="); ok {
						if plain, _ := base64.StdEncoding.DecodeString(response); bytes.HasSuffix(plain, []byte("\x00right")) {
							answer = "OK\t" + fields[1] + "\tuser=bob\n"
						}
					}
					fmt.Fprint(client, answer)
				}
			}()
		}
	}()
}

// session talks to the server as a client of this address: each command is sent when the
// one before it was answered. It returns when the last answer had come.
func (p *postfixServer) session(client string, commands ...string) time.Time {
	p.t.Helper()
	conn, err := net.Dial("tcp", p.address)
	if err != nil {
		p.t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	fmt.Fprintf(conn, "PROXY TCP4 %s 192.0.2.25 40000 25\r\n", client)
	answers := bufio.NewReader(conn)
	answered := func() {
		for {
			line, err := answers.ReadString('\n')
			if err != nil || len(line) < 4 || line[3] != '-' {
				return
			}
		}
	}
	answered()
	for _, c := range append([]string{"EHLO client.example.net"}, commands...) {
		fmt.Fprintf(conn, "%s\r\n", c)
		answered()
	}
	at := time.Now()
	fmt.Fprint(conn, "QUIT\r\n")
	answered()
	return at
}

func login(password string) string {
	return "AUTH PLAIN " + base64.StdEncoding.EncodeToString([]byte("\x00bob\x00"+password))
}

// watcher notes when an address first stood in a call that changes the cloud.
type watcher struct {
	http.Handler
	mu   sync.Mutex
	seen map[string]time.Time
}

func (w *watcher) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	form, _ := url.ParseQuery(string(body) + "&" + r.URL.RawQuery)
	for _, a := range strings.Split(form.Get("AddressList"), ",") {
		w.mu.Lock()
		if a = strings.TrimSuffix(a, "/32"); w.seen[a].IsZero() {
			w.seen[a] = time.Now()
		}
		w.mu.Unlock()
	}
	w.Handler.ServeHTTP(rw, r)
}

// A real Postfix on loopback is attacked while fwsync run follows its log; the
// simulated cloud ends with exactly the attackers blocked.
func TestARealPostfixUnderAttack(t *testing.T) {
	mail := startPostfix(t)
	calls := &watcher{seen: map[string]time.Time{}}
	cloud, url := serveBehind(t, func(cloud http.Handler) http.Handler { calls.Handler = cloud; return calls })
	s := &service{t: t, start: quickstart(t, build(t), url), cloud: cloud}
	s.dir = s.start().Dir
	s.write("fwsync.yaml", "policies: policies\nlisten: 127.0.0.1:0\nsources:\n  - { name: mail, file: "+mail.log+", zone: "+zoneName()+" }\n")
	s.run()
	s.until("msg=pass", "why=[start]", "gaps=0")

	var attackers []string
	fifth := map[string]time.Time{}
	for i := range 8 { // they guess passwords, one try in each session
		client := fmt.Sprintf("203.0.113.%d", 10+i)
		attackers = append(attackers, client)
		for n := range 6 {
			if at := mail.session(client, login("wrong")); n == 4 {
				fifth[client] = at
			}
		}
		mail.session("203.0.113.100", login("right"), "MAIL FROM:<bob@example.com>", "RCPT TO:<someone@example.org>") // a customer meanwhile
	}
	for i := range 3 { // they try to relay, with a victim's address wherever they may write one
		client := fmt.Sprintf("203.0.113.%d", 30+i)
		attackers = append(attackers, client)
		mail.session(client, "MAIL FROM:<x@[203.0.113.99]>", "RCPT TO:<a@victim.example>", "RCPT TO:<203.0.113.99@victim.example>", "RCPT TO:<c@victim.example>")
	}
	for i := range 2 { // they are no mail clients at all
		client := fmt.Sprintf("203.0.113.%d", 50+i)
		attackers = append(attackers, client)
		for range 3 {
			mail.session(client, "GET / HTTP/1.1 unknown[203.0.113.99]: SASL LOGIN authentication failed")
		}
	}
	for range 4 { // a customer with a typo, and a stranger who writes a letter
		mail.session("203.0.113.101", login("wrong"))
	}
	mail.session("203.0.113.101", login("right"))
	mail.session("203.0.113.102", "MAIL FROM:<aunt@example.org>", "RCPT TO:<bob@example.com>", "DATA", "Subject: hello\r\n\r\n203.0.113.99\r\n.")

	s.until("msg=pass", fmt.Sprintf("decisions=%d", len(attackers)), "gaps=0")
	s.expectBlocked(attackers...)
	s.stop()
	calls.mu.Lock()
	defer calls.mu.Unlock()
	for client, at := range fifth {
		t.Logf("%s: %s from the answer to the fifth wrong password to the call that blocks it", client, calls.seen[client].Sub(at).Round(time.Millisecond))
	}
}

// zoneName is the zone in which this machine's programs write their logs.
func zoneName() string {
	if target, err := os.Readlink("/etc/localtime"); err == nil {
		if _, name, ok := strings.Cut(target, "zoneinfo/"); ok {
			return strings.TrimPrefix(name, "Etc/")
		}
	}
	return "UTC"
}
