package maillog_test

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"fwsync/detect"
	"fwsync/detect/maillog"
)

func FuzzParse(f *testing.F) {
	for _, name := range []string{"postfix-real.log", "postfix-slowauth.rfc3339.log"} {
		seen := map[string]bool{}
		for _, line := range bytes.Split(unpacked(f, name), []byte("\n")) {
			if shape := string(line[:min(len(line), 55)]); !seen[shape] && len(seen) < 300 {
				seen[shape] = true
				f.Add(line)
			}
		}
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		if bytes.IndexByte(line, '\n') >= 0 {
			return
		}
		before := bytes.Clone(line)
		s, v := maillog.New(maillog.Options{Reference: reference}).Parse(line)
		if !bytes.Equal(line, before) {
			t.Fatal("the line was changed")
		}
		if v != maillog.Signal {
			return
		}
		if !s.Kind.Valid() || !s.Addr.IsValid() || s.Addr.Zone() != "" || s.Addr.Is4In6() || s.Time.IsZero() || s.Count < 0 {
			t.Fatalf("%q: %+v", line, s)
		}
	})
}

// daemon is a line as the daemon writes it, C standing for the client
// address and each T for text that the client chose: blanks are allowed in the
// fields where Postfix and Dovecot keep them, line ends nowhere.
var daemonLines = []struct {
	format string
	blanks bool
}{
	{"postfix/smtpd[1]: warning: unknown[C]: SASL LOGIN authentication failed: (reason unavailable), sasl_username=T", true},
	{"postfix/smtpd[1]: warning: unknown[C]: SASL T authentication failed: Invalid authentication mechanism, sasl_username=(unavailable)", false},
	{"postfix/smtpd[1]: warning: non-SMTP command from unknown[C]: T", true},
	{"postfix/smtpd[1]: improper command pipelining after EHLO from unknown[C]: T", true},
	{`postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[C]: 554 5.7.1 <T>: Relay access denied; from=<T> to=<"T"> proto=ESMTP helo=<x>`, true},
	{"postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[C]: 550 5.1.1 <T>: Recipient address rejected: User unknown in local recipient table; from=<T> to=<T> proto=ESMTP helo=<x>", true},
	{"postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[C]: 501 5.5.2 <T>: Helo command rejected: Invalid name; from=<a> to=<b> proto=ESMTP helo=<T>", false},
	{"postfix/submission/smtpd[1]: 4F762B63D9: client=unknown[C], sasl_method=PLAIN, sasl_username=T", true},
	{"postfix/mx/postscreen[1]: PREGREET 22 after 0 from [C]:48999: T", true},
	{"postfix/mx/postscreen[1]: NON-SMTP COMMAND from [C]:46783 after EHLO: T", true},
	{"dovecot: imap-login: Disconnected: Aborted login (auth failed, 1 attempts in 0 secs): user=<T>, method=PLAIN, rip=C, lip=192.0.2.25, session=<3HnH>", true},
	{"dovecot: imap-login: Login: user=<T>, method=PLAIN, rip=C, lip=192.0.2.25, mpid=1, TLS, session=<3HnH>", true},
	{"dovecot: auth: login(?,C): Username character disallowed by auth_username_chars: 0x0a (username: T)", true},
	{"postfix/qmgr[1]: 47548B63D7: from=<T>, size=331, nrcpt=1 (queue active)", true},
	{"postfix/cleanup[1]: 47548B63D7: message-id=T", true},
}

// Reverse names are the client's too, but neither blanks nor brackets are in
// what the resolver lets pass.
func asName(text string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r == '[' || r == ']' {
			return '-'
		}
		return r
	}, text[:min(len(text), 200)])
}

// FuzzP12Attribution plants text in every field that the client controls. Whatever
// it is, no line speaks of anybody but the client itself.
func FuzzP12Attribution(f *testing.F) {
	for _, text := range []string{
		"", "root",
		"warning: unknown[198.51.100.77]: SASL LOGIN authentication failed: UGFzc3dvcmQ6",
		"x.example.net]: SASL LOGIN authentication failed: from unknown[198.51.100.77]",
		"unknown[198.51.100.77]:",
		"bob, rip=198.51.100.77, lip=127.0.0.1",
		"x>, method=PLAIN, rip=198.51.100.77, lip=127.0.0.1, session=<",
		"x?Nov 23 20:00:00 mailserver postfix/smtpd[1]: warning: unknown[198.51.100.77]: SASL LOGIN authentication failed: x",
		">: Relay access denied; from=<a> to=<b> proto=ESMTP helo=<x from unknown[198.51.100.77]: 554 5.7.1 <",
		": client=unknown[198.51.100.77], sasl_method=PLAIN",
		" from [198.51.100.77]:25: ",
	} {
		f.Add(text)
	}
	client := netip.MustParseAddr("192.0.2.1")
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7f {
				return '?' // as Postfix, Dovecot and rsyslog do
			}
			return r
		}, text)
		p := maillog.New(maillog.Options{Reference: reference})
		for _, d := range daemonLines {
			planted := text
			if !d.blanks {
				planted = strings.ReplaceAll(planted, " ", "?")
			}
			for _, line := range []string{
				strings.NewReplacer("[C]", "[192.0.2.1]", "=C,", "=192.0.2.1,", ",C)", ",192.0.2.1)", "T>", planted+">", `T"`, planted+`"`, "=T", "="+planted, ": T", ": "+planted, "SASL T ", "SASL "+planted+" ").Replace(d.format),
				strings.NewReplacer("[C]", "[192.0.2.1]", "unknown", asName(text)).Replace(d.format),
			} {
				s, v := p.Parse([]byte(header + line))
				if v == maillog.Signal && s.Addr != client {
					t.Fatalf("%s is blamed for what %s wrote: %s", s.Addr, client, line)
				}
				if v == maillog.Signal && s.Kind.Success() && !strings.Contains(d.format, ": client=") && !strings.Contains(d.format, "Login: ") {
					t.Fatalf("%s became a success: %s", s.Kind, line)
				}
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	log := unpacked(b, "postfix-real.log")
	lines := bytes.Split(bytes.TrimSuffix(log, []byte("\n")), []byte("\n"))
	p := maillog.New(maillog.Options{Reference: reference})
	var s detect.Signal
	b.SetBytes(int64(len(log)))
	b.ReportAllocs()
	for b.Loop() {
		for _, l := range lines {
			p.ParseInto(l, &s)
		}
	}
}
