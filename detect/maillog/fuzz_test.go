package maillog_test

import (
	"bytes"
	"net/netip"
	"os"
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
	for _, daemon := range []string{"smtpd", "postscreen", "dovecot", "exim", "sendmail", "sshd", "prefixes"} {
		log, err := os.ReadFile("testdata/" + daemon + "/lines.log")
		if err != nil {
			f.Fatal(err)
		}
		for line := range bytes.Lines(log) {
			f.Add(bytes.TrimSuffix(line, []byte("\n")))
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
		if !s.Kind.Valid() || !s.Addr.IsValid() || s.Addr.Zone() != "" || s.Addr.Is4In6() || s.Count < 0 {
			t.Fatalf("%q: %+v", line, s)
		}
	})
}

// daemon is a line as the daemon writes it, C standing for the client
// address and each T for text that the client chose: blanks are allowed in the
// fields where Postfix and Dovecot keep them, line ends nowhere.
type daemonLine struct {
	format string
	blanks bool
}

var daemonLines = []daemonLine{
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
	{"postfix/cleanup[1]: 47548B63D7: reject: header Subject: T from unknown[C]; from=<T> to=<b> proto=ESMTP helo=<x>: 5.7.1 no", true},
	{"postfix/smtpd[1]: 47548B63D7: milter-reject: END-OF-MESSAGE from unknown[C]: 5.7.1 Spam; from=<T> to=<b> proto=ESMTP helo=<T>", true},
	{"postfix/smtpd[1]: warning: Illegal address syntax from unknown[C] in MAIL command: T", true},
	{"postfix/postscreen[1]: NOQUEUE: reject: RCPT from [C]:41: 550 5.7.1 Service unavailable; client [C] blocked using x; from=<T>, to=<T>, proto=ESMTP, helo=<T>", true},
	{"dovecot: imap-login: Login aborted: Logged out (auth failed, 1 attempts in 2 secs) (auth_failed): user=<T>, method=PLAIN, rip=C, lip=192.0.2.25, session=<3HnH>", true},
	{"dovecot: pop3-login: Disconnected (no auth attempts in 2 secs): user=<T>, rip=C, lip=192.0.2.25, session=<3HnH>", true},

	{"exim[1]: H=(T) [C] F=<s@example.net> rejected RCPT <v@remote.example.org>: relay not permitted", true},
	{"exim[1]: H=unknown (x) [C]:41 I=[192.0.2.25]:25 F=<T> rejected RCPT <T>: T", true},
	{"exim[1]: login authenticator failed for (x) [C]: 535 Incorrect authentication data (set_id=T)", true},
	{"exim[1]: login authenticator failed for (T) [C]: 535 Incorrect authentication data (set_id=x)", true},
	{`exim[1]: SMTP syntax error in "T" H=[C] unrecognized command`, true},
	{`exim[1]: SMTP protocol synchronization error (x): rejected "T" H=[C] next input="T"`, true},
	{`exim[1]: SMTP call from (x) [C] dropped: too many nonmail commands (last was "T")`, true},
	{"exim[1]: rejected EHLO from [C]: syntactically invalid argument(s): T", true},
	{`exim[1]: 1rABCD-0001Zx-2Y <= x@T H=mx.example.net [C] P=esmtp S=1 id=T`, false},
	{"exim[1]: refused relay (host) to <T> from <T> H=unknown (x) [C]", true},
	{"exim[1]: sender rejected: <T> H=(x) [C]", true},
	{"exim[1]: rejected MAIL FROM:<T> H=(x) [C] cannot route to sender address", true},
	{"exim[1]: verify failed for SMTP recipient T from <T> H=(x) [C]", true},
	{"exim[1]: recipients refused from <T> H=(x) [C]", true},
	{"exim[1]: VRFY failed for T H=(x) [C]", true},
	{"exim[1]: Authentication failed for (T) [C]: 535 Incorrect authentication data", true},
	{"sm-mta[1]: 5ANKHh12000104: AUTH failure (LOGIN): authentication failure (-13) SASL(-13), user=T, relay=unknown [C]", true},
	{"sm-mta[1]: 5ANKHh12000108: ruleset=check_rcpt, arg1=<T>, relay=unknown [C], reject=550 5.7.1 <T>... Relaying denied", true},
	{"sm-mta[1]: 5ANKHh12000100: from=<T>, size=1, class=0, nrcpts=1, msgid=<T>, proto=ESMTP, daemon=MTA, relay=unknown [C]", true},
	{"sm-mta[1]: 5ANKHh12000114: unknown [C]: probable open proxy: command=T", true},
	{"sm-mta[1]: 5ANKHh12000114: unknown [C]: T [rejected]", true},
	{"sshd[1]: Failed password for invalid user T from C port 41 ssh2", true},
	{"sshd-session[1]: Invalid user T from C port 41", true},
	{"sshd[1]: Connection closed by invalid user T C port 41 [preauth]", true},
	{"sshd[1]: Disconnecting authenticating user T C port 41: Too many authentication failures [preauth]", true},
	{"sshd[1]: Failed publickey for invalid user T from C port 41 ssh2: RSA-CERT SHA256:x ID T (serial 1) CA RSA SHA256:y", true},
	{"sshd[1]: Bad protocol version identification 'T' from C port 41", true},
	{"sshd[1]: Received disconnect from C port 41:11: T [preauth]", true},
	{"sshd[1]: Disconnecting invalid user T C port 41: Change of username or service not allowed: (T,T) -> (T,T) [preauth]", true},
	{"sshd-session[1]: Disconnecting authenticating user T C port 41: bad service request T [preauth]", true},
	{"sshd[1]: error: PAM: Authentication failure for T from C", true},
	{"sshd[1]: error: PAM: authentication error for illegal user T from C via 192.0.2.25", true},
	{"sshd[1]: Failed password for T from C port 41 ssh1: ruser T", true},
	{"sshd[1]: Failed password for invalid user T from C port 41", true},
	{"sshd[1]: refused connect from T@host.example.net (C)", false},
	{"sshd[1]: scanned from C port 41 with T.  Don't panic.", true},
	{"sshd[1]: Protocol major versions differ for C port 41: SSH-2.0-x vs. T", true},
	{"dovecot: pop3-login: Disconnected (auth failed, 1 attempts): method=T, rip=C, lip=192.0.2.25, TLS: Disconnected", false},
	{"dovecot: pop3-login: Aborted login (auth failed, 1 attempts in 2 secs): user=<T>, method=PLAIN, rip=C", true},
	{"exim[1]: 1rABCD-0001Zx-2Y F=x@T H=mx.example.net [C] P=esmtp rejected by local_scan(): T", false},
	{"exim[1]: SMTP connection from (x) [C]:41 I=[192.0.2.25]:25 U=T closed by DROP in ACL", false},
	{"sm-mta[1]: unauthorized PIPELINING, sleeping, relay=unknown [C]", true},
	{"mail.info postfix/smtpd[1]: warning: unknown[C]: SASL LOGIN authentication failed: x, sasl_username=T", true},
	{"postfix/smtpd[1]: warning: unknown[C] sent non-SMTP command: T", true},
	{"postfix/smtpd[1]: 47548B63D7: reject: RCPT from unknown[C]: 550 <T>: User unknown in local recipient table; from=<T> to=<T> proto=SMTP helo=<x>", true},
	{"postfix/smtpd[1]: [ID 197553 mail.info] warning: unknown[C]: SASL LOGIN authentication failed: x, sasl_username=T", true},
	{"dovecot: imap-login: proxy(T): disconnecting C (Disconnected by client): user=<T>, method=PLAIN, rip=C, lip=192.0.2.25", true},
	{"dovecot: imap-login: proxy(T): Login failed to 192.0.2.26:143: x: user=<T>, method=PLAIN, rip=C, lip=192.0.2.25", true},
	{"sm-mta[1]: NOQUEUE: invalid domain name (T) from unknown [C]", true},
	{"sm-mta[1]: NOQUEUE: tcpwrappers (unknown, C) rejection", true},
	{"sm-mta[1]: 5ANKHh12000143: Milter: connect: host=unknown, addr=C, rejecting commands", true},
	{"sshd[1]: ssh_dispatch_run_fatal: Connection from invalid user T C port 41: Broken pipe [preauth]", true},
	{`exim[1]: H=(T) [C] temporarily rejected connection in "connect" ACL: ratelimit`, true},
}

// planted is the line with the client's address and text in their places.
func (d *daemonLine) planted(text string) string {
	var out strings.Builder
	for i, c := range []byte(d.format) {
		alone := (i == 0 || !letter(d.format[i-1])) && (i+1 == len(d.format) || !letter(d.format[i+1]))
		switch {
		case c == 'C' && alone:
			out.WriteString("192.0.2.1")
		case c == 'T' && alone:
			out.WriteString(text)
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}

func letter(c byte) bool {
	return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-'
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
		"x from unknown[198.51.100.77]; from=<a> to=<b>",
		"x) [198.51.100.77]", "[198.51.100.77]", `"x" H=y [198.51.100.77] P=esmtp`,
		`x" H=[198.51.100.77] next input="`,
		"x, relay=y [198.51.100.77]", "x, relay=y [198.51.100.77], reject=550 5.7.1 z... Relaying denied",
		" from 198.51.100.77 port 22 ssh2", "x 198.51.100.77 port 22", "x' from 198.51.100.77 port 22", "x from 198.51.100.77 port 22 ssh2: y",
		"EXPN x [198.51.100.77]: EXPN root", "198.51.100.77",
		" 198.51.100.77 port 22: Too many authentication failures", "x from 198.51.100.77 via", "x port 22: y", "x from 198.51.100.77 port 22 ssh1",
		"x 198.51.100.77 port 22: bad service request y", "x>, method=PLAIN, rip=198.51.100.77",
		"x myapp[1]: invalid token from 198.51.100.77", "denied 198.51.100.77, x", "managesieve-login: Error: x, rip=198.51.100.77, lip=x",
		"x): started proxying to y: user=<x>, method=PLAIN, rip=198.51.100.77, lip=z",
		"x) from y [198.51.100.77]",
		"x, 198.51.100.77) rejection",
		"x, addr=198.51.100.77, rejecting commands",
		"NOQUEUE: filter: RCPT from x[198.51.100.77]: x", `198.51.100.77 - x [x] "POST /login x" 401 1`,
	} {
		f.Add(text)
	}
	client := netip.MustParseAddr("192.0.2.1") // C
	declared := ten(f)
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7f {
				return '?' // as Postfix, Dovecot and rsyslog do
			}
			return r
		}, text)
		p := maillog.New(maillog.Options{Reference: reference, Declared: declared})
		for i := range daemonLines {
			d := &daemonLines[i]
			planted := text
			if !d.blanks {
				planted = strings.ReplaceAll(planted, " ", "?")
			}
			for _, line := range []string{
				d.planted(planted),
				strings.ReplaceAll(d.planted("x"), "unknown", asName(text)),
			} {
				s, v := p.Parse([]byte(header + line))
				if v == maillog.Signal && s.Addr != client {
					t.Fatalf("%s is blamed for what %s wrote: %s", s.Addr, client, line)
				}
				if v == maillog.Signal && s.Kind.Success() && !strings.Contains(d.format, ": client=") && !strings.Contains(d.format, "Login: ") && !strings.Contains(d.format, "nrcpts=1") && !strings.Contains(d.format, " <= ") {
					t.Fatalf("%s became a success: %s", s.Kind, line)
				}
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	benchmarkLines(b, unpacked(b, "postfix-real.log"))
}

func BenchmarkParseOtherDaemons(b *testing.B) {
	for _, daemon := range []string{"dovecot", "exim", "sendmail", "sshd", "prefixes"} {
		b.Run(daemon, func(b *testing.B) {
			log, err := os.ReadFile("testdata/" + daemon + "/lines.log")
			if err != nil {
				b.Fatal(err)
			}
			benchmarkLines(b, log)
		})
	}
}

func benchmarkLines(b *testing.B, log []byte) {
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
