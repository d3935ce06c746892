package maillog_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"fwsync/detect"
	"fwsync/detect/maillog"
)

func declared(t testing.TB, list ...maillog.Declaration) *maillog.Declared {
	t.Helper()
	d, err := maillog.Declare(list)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func declaration(name, program, pattern string) maillog.Declaration {
	return maillog.Declaration{Declaration: detect.Declaration{Name: name}, Program: program, Pattern: pattern}
}

func TestDeclaredSignalsAreReadBehindEveryPrefix(t *testing.T) {
	d := declared(t,
		declaration("web.login_failed", "myapp", "login failed for <account> from <address>"),
		declaration("web.denied", "", "denied <address>, <text>"),
		declaration("web.refused", "", "[error] <number>#<number>: *<number> access forbidden by rule, client: <address>, server: <text>"),
		declaration("mail.greylisted", "postfix/smtpd", "NOQUEUE: filter: RCPT from <name>[<address>]: <text>"),
	)
	const failed, denied, refused, mail, none, malformed, bad = "web.login_failed", "web.denied", "web.refused", "mail.greylisted", "none", "malformed", "bad address"
	for line, want := range map[string]string{
		"Nov 23 20:17:43 web myapp[17]: login failed for bob from 192.0.2.1":                                                                   failed,
		"Nov 23 20:17:43 web myapp: login failed for bob from 192.0.2.1":                                                                       failed,
		"Nov 23 20:17:43 myapp[17]: login failed for bob from 192.0.2.1":                                                                       failed,
		"Nov 23 20:17:43 web myapp[17]: message repeated 3 times: [ login failed for bob from 192.0.2.1]":                                      failed,
		"2026-11-23T20:17:43.123+01:00 web myapp[17]: login failed for bob from 192.0.2.1":                                                     failed,
		"2026-11-23 20:17:43 web myapp[17]: login failed for bob from 192.0.2.1":                                                               failed,
		"Nov 23 2026 20:17:43 web myapp[17]: login failed for bob from 192.0.2.1":                                                              failed,
		"<38>Nov 23 20:17:43 web myapp[17]: login failed for bob from 192.0.2.1":                                                               failed,
		"<38>1 2026-11-23T20:17:43Z web myapp 17 - - login failed for bob from 192.0.2.1":                                                      failed,
		"<38>1 2026-11-23T20:17:43Z web other 17 - - login failed for bob from 192.0.2.1":                                                      none,
		`{"MESSAGE":"login failed for b\"b from 192.0.2.1","SYSLOG_IDENTIFIER":"myapp","_PID":"17","__REALTIME_TIMESTAMP":"1795465063000000"}`: failed,
		`{"MESSAGE":"login failed for bob from 192.0.2.1","SYSLOG_IDENTIFIER":"other","_PID":"17","__REALTIME_TIMESTAMP":"1795465063000000"}`:  none,
		`{"log":"Nov 23 20:17:43 web myapp[17]: login failed for bob from 192.0.2.1\n","stream":"stdout","time":"2026-11-23T20:17:43.1Z"}`:     failed,
		`{"log":"myapp[17]: login failed for bob from 192.0.2.1\n","stream":"stdout","time":"2026-11-23T20:17:43.1Z"}`:                         failed,
		"2026-11-23T20:17:43Z stdout F myapp[17]: login failed for bob from 192.0.2.1":                                                         failed,
		"myapp[17]: login failed for bob from 192.0.2.1":                                                                                       failed,
		"Nov 23 20:17:43 web other[17]: login failed for bob from 192.0.2.1":                                                                   none,
		"Nov 23 20:17:43 web myapp2[17]: login failed for bob from 192.0.2.1":                                                                  none,
		"Nov 23 20:17:43 web other[17]: x web myapp[17]: login failed for bob from 192.0.2.1":                                                  none,
		"2026-11-23T20:17:43Z stdout F user myapp[17]: login failed for bob from 192.0.2.1":                                                    none,
		`{"log":"user myapp[17]: login failed for bob from 192.0.2.1\n","stream":"stdout","time":"2026-11-23T20:17:43.1Z"}`:                    none,
		"Nov 23 20:17:43 web myapp[17]: login failed for bob from nowhere":                                                                     bad,
		"Nov 23 20:17:43 web myapp[17]: ":                                                                                                      none,
		"login failed for bob from 192.0.2.1":                                                                                                  malformed,
		"2026-11-23T20:17:43Z denied 192.0.2.1, sorry":                                                                                         denied,
		"2026-11-23 20:17:43 denied 192.0.2.1, sorry":                                                                                          denied,
		"2026-11-23T20:17:43Z stderr F denied 192.0.2.1, sorry":                                                                                denied,
		`{"log":"denied 192.0.2.1, sorry\n","stream":"stdout","time":"2026-11-23T20:17:43.1Z"}`:                                                denied,
		"denied 192.0.2.1, sorry":                                denied,
		"Nov 23 20:17:43 web myapp[17]: denied 192.0.2.1, sorry": none,
		`2026/11/23 20:17:43 [error] 1#2: *3 access forbidden by rule, client: 192.0.2.1, server: x, request: "GET /, client: 198.51.100.77, server: y"`: refused,
		"2026/11/23 20:17:43.123456 denied 192.0.2.1, sorry":                                                                                                                              denied,
		"2026/11/23 20:17:43 web myapp[17]: login failed for bob from 198.51.100.77":                                                                                                      none,
		"2026/11/23 20:17:43 web postfix/smtpd[1]: warning: unknown[198.51.100.77]: SASL LOGIN authentication failed: x":                                                                  none,
		"2026/13/23 20:17:43 denied 192.0.2.1, sorry":                                                                                                                                     malformed,
		"Nov 23 20:17:43 web other: denied 192.0.2.1, sorry":                                                                                                                              none,
		"Nov 23 20:17:43 mx postfix/smtpd[1]: NOQUEUE: filter: RCPT from unknown[192.0.2.1]: <x>: y":                                                                                      mail,
		"Nov 23 20:17:43 mx postfix/smtpd[1]: connect from unknown[192.0.2.1]":                                                                                                            none,
		"Nov 23 20:17:43 mx postfix/submission/smtpd[1]: NOQUEUE: filter: RCPT from unknown[192.0.2.1]: <x>: y":                                                                           none,
		"Nov 23 20:17:43 mx postfix/smtpd[1]: warning: unknown[192.0.2.1]: SASL LOGIN authentication failed: x":                                                                           "smtp.auth_failed",
		"Nov 23 20:17:43 mx postfix/smtpd[1]: warning: non-SMTP command from unknown[192.0.2.1]: web myapp[17]: login failed for bob from 198.51.100.77":                                  "smtp.non_smtp_command",
		"Nov 23 20:17:43 mx postfix/qmgr[1]: 47548B63D7: from=<denied 198.51.100.77, x>, size=331, nrcpt=1 (queue active)":                                                                none,
		"Nov 23 20:17:43 mx dovecot: auth: login(?,192.0.2.1): Username character disallowed by auth_username_chars: 0x0a (username: myapp[17]: login failed for bob from 198.51.100.77)": none,
	} {
		s, v := maillog.New(maillog.Options{Reference: reference, Declared: d}).Parse([]byte(line))
		got := map[maillog.Verdict]string{maillog.Uninteresting: none, maillog.Malformed: malformed, maillog.BadAddress: bad, maillog.Signal: d.Catalogue().Name(s.Kind)}[v]
		if v == maillog.Signal && !s.Time.IsZero() && s.Time.Format("2006-01-02 04") != "2026-11-23 17" {
			t.Errorf("%s is of %s", line, s.Time)
		}
		if got != want || v == maillog.Signal && s.Addr.String() != "192.0.2.1" {
			t.Errorf("%s\n got %s of %s\nwant %s", line, got, s.Addr, want)
		}
		// Without declarations nothing is different from before.
		if _, plain := maillog.New(maillog.Options{Reference: reference}).Parse([]byte(line)); plain == maillog.Signal && want != "smtp.auth_failed" && want != "smtp.non_smtp_command" {
			t.Errorf("%s is a signal by itself", line)
		}
	}
	var s detect.Signal
	p := maillog.New(maillog.Options{Declared: d})
	if v := p.Message([]byte("myapp"), nil, []byte("login failed for bob from 192.0.2.1"), time.Time{}, &s); v != maillog.Signal || string(s.Account) != "bob" || d.Catalogue().Name(s.Kind) != failed {
		t.Errorf("a message that came apart: %d, %+v", v, s)
	}
}

// A container runtime breaks long lines, and the client may choose where the next part
// begins.
func TestTheRestOfABrokenLineIsNoLine(t *testing.T) {
	d := declared(t, declaration("web.denied", "", "denied <address>, <text>"))
	const cri, docker = "2026-11-23T20:17:43Z stdout ", `{"log":"`
	whole := `\n","stream":"stdout","time":"2026-11-23T20:17:43.1Z"}`
	part := `","stream":"stdout","time":"2026-11-23T20:17:43.1Z"}`
	long := strings.Repeat("x", 16<<10)
	for name, lines := range map[string][]string{
		"CRI":                {cri + "P user " + long, cri + "F denied 198.51.100.77, x", cri + "F denied 192.0.2.1, x"},
		"CRI, several parts": {cri + "P user " + long, cri + "P denied 198.51.100.77, x", cri + "F denied 198.51.100.77, x", cri + "F denied 192.0.2.1, x"},
		"CRI, built in":      {cri + "P user " + long, cri + "F postfix/smtpd[1]: warning: unknown[198.51.100.77]: SASL LOGIN authentication failed: x", cri + "F denied 192.0.2.1, x"},
		"Docker":             {docker + long + part, docker + "denied 198.51.100.77, x" + whole, docker + "denied 192.0.2.1, x" + whole},
		"Docker, unbroken":   {docker + "a short one without an end" + part, docker + "denied 192.0.2.1, x" + whole},
	} {
		p := maillog.New(maillog.Options{Reference: reference, Declared: d})
		signals := 0
		for _, line := range lines {
			if s, v := p.Parse([]byte(line)); v == maillog.Signal {
				if signals++; s.Addr.String() != "192.0.2.1" {
					t.Errorf("%s: %s is blamed: %.100s", name, s.Addr, line)
				}
			}
		}
		if signals != 1 {
			t.Errorf("%s: %d signals", name, signals)
		}
	}
}

func TestRepeatedLinesOfADeclaredSignalCount(t *testing.T) {
	d := declared(t, declaration("web.login_failed", "myapp", "login failed for <account> from <address>"))
	s, v := maillog.New(maillog.Options{Reference: reference, Declared: d}).Parse([]byte("Nov 23 20:17:43 web myapp[17]: message repeated 3 times: [ login failed for bob from 192.0.2.1]"))
	if v != maillog.Signal || s.Times() != 3 || string(s.Account) != "bob" {
		t.Errorf("%d, %+v", v, s)
	}
}

func TestWrongDeclarationsAreRefused(t *testing.T) {
	good := declaration("web.login_failed", "myapp", "login failed from <address>")
	many := make([]maillog.Declaration, detect.MaxDeclared+1)
	for i := range many {
		many[i] = declaration(fmt.Sprintf("web.kind%d", i), "myapp", "login failed from <address>")
	}
	for name, list := range map[string][]maillog.Declaration{
		"built in":      {declaration("smtp.auth_failed", "", "denied <address>")},
		"no dot":        {declaration("web", "", "denied <address>")},
		"twice":         {good, good},
		"program":       {declaration("web.x", "my app", "denied <address>")},
		"program's tag": {declaration("web.x", "myapp[1]", "denied <address>")},
		"pattern":       {good, declaration("web.x", "myapp", "denied <account> <address> <text>")},
		"too many":      many,
	} {
		if d, err := maillog.Declare(list); err == nil || d != nil {
			t.Errorf("%s: %v, %v", name, d, err)
		}
	}
	if d, err := maillog.Declare(nil); d != nil || err != nil || d.Catalogue().Name(detect.SMTPScan) != "smtp.scan" {
		t.Errorf("none: %v, %v", d, err)
	}
}

// ten are declared signals of each sort: of a program that is not in the mail log, of
// one that is, of one that writes much of it, and of none.
func ten(t testing.TB) *maillog.Declared { return declared(t, tenDeclarations...) }

var tenDeclarations = []maillog.Declaration{
	declaration("a.failed", "myapp", "login failed for <account> from <address> port <number>"),
	declaration("b.failed", "myapp", "invalid token from <address>"),
	declaration("c.failed", "webmail", "bad password for <account> (<address>)"),
	declaration("d.failed", "webmail", "session of <account:word> from <address> was refused: <text>"),
	declaration("e.failed", "openvpn", "<address:port> TLS Error: TLS handshake failed"),
	declaration("f.failed", "", "denied <address>, <text>"),
	declaration("g.failed", "", "<address> - <account> [<text>] \"POST /login <text>\" 401 <number>"),
	declaration("h.failed", "postfix/smtpd", "NOQUEUE: filter: RCPT from <name>[<address>]: <text>"),
	declaration("i.failed", "postfix/anvil", "statistics: max connection rate <number>/<number>s for (smtp:<address>) at <text>"),
	declaration("j.failed", "dovecot", "managesieve-login: Error: <text>, rip=<address>, lip=<word>"),
}

func TestDeclaredSignalsCostNoAllocation(t *testing.T) {
	log, err := os.ReadFile("testdata/prefixes/lines.log")
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(log, []byte("\n"))
	for range 20 {
		lines = append(lines, []byte("Nov 23 20:17:43 web myapp[17]: login failed for bob from 192.0.2.1 port 41"), []byte("Nov 23 20:17:43 web myapp[17]: invalid token from 192.0.2.1"))
	}
	p := maillog.New(maillog.Options{Reference: reference, Declared: ten(t)})
	var s detect.Signal
	signals := 0
	all := func() {
		signals = 0
		for _, l := range lines {
			if p.ParseInto(l, &s) == maillog.Signal {
				signals++
			}
		}
	}
	all()
	if n := testing.AllocsPerRun(20, all); n > 1 || signals < 40 { // accounts out of JSON lines are kept in blocks
		t.Errorf("%g allocations for %d signals", n, signals)
	}
}

// BenchmarkParseDeclared is the lab's log with no declared signals, with five of programs
// that do not write it, and with these and five that are looked for in many of its lines.
func BenchmarkParseDeclared(b *testing.B) {
	log := unpacked(b, "postfix-real.log")
	var ends []int32
	for i, c := range log {
		if c == '\n' {
			ends = append(ends, int32(i))
		}
	}
	for _, c := range []struct {
		name string
		d    *maillog.Declared
	}{{"none", nil}, {"five", declared(b, tenDeclarations[:5]...)}, {"ten", ten(b)}} {
		b.Run(c.name, func(b *testing.B) {
			p := maillog.New(maillog.Options{Reference: reference, Declared: c.d})
			var s detect.Signal
			kept := p.Sift(log, ends, nil)
			b.SetBytes(int64(len(log)))
			b.ReportAllocs()
			for b.Loop() {
				kept = p.Sift(log, ends, kept[:0])
				for _, k := range kept {
					start := int32(0)
					if k.Line > 0 {
						start = ends[k.Line-1] + 1
					}
					p.ParseKept(log[start:ends[k.Line]:ends[k.Line]], k, &s)
				}
			}
		})
	}
}
