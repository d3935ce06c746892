package maillog_test

import (
	"bytes"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"fwsync/detect"
	"fwsync/detect/maillog"
)

const header = "Nov 23 20:17:43 mailserver "

func TestEachShapeOfLineIsTheSignalItShouldBe(t *testing.T) {
	const none = maillog.Uninteresting
	type want struct {
		kind  detect.Kind
		addr  string
		count int
	}
	for _, c := range []struct {
		name, line string
		verdict    maillog.Verdict
		want
	}{
		{"a SASL failure", "postfix/smtpd[1]: warning: unknown[192.0.2.1]: SASL LOGIN authentication failed: UGFzc3dvcmQ6", maillog.Signal, want{detect.SMTPAuthFailed, "192.0.2.1", 0}},
		{"… with the user name that Postfix 3.7 adds", "postfix/smtpd[22247]: warning: unknown[192.0.2.1]: SASL LOGIN authentication failed: (reason unavailable), sasl_username=root", maillog.Signal, want{detect.SMTPAuthFailed, "192.0.2.1", 0}},
		{"… on submission", "postfix/submission/smtpd[1]: warning: unknown[192.0.2.1]: SASL PLAIN authentication failed: x", maillog.Signal, want{detect.SMTPAuthFailed, "192.0.2.1", 0}},
		{"… on smtps, in lower case, as the client wrote it", "postfix/smtps/smtpd[1]: warning: unknown[192.0.2.1]: SASL login authentication failed: x", maillog.Signal, want{detect.SMTPAuthFailed, "192.0.2.1", 0}},
		{"… of another instance", "postfix-out/submission/smtpd[1]: warning: unknown[192.0.2.1]: SASL CRAM-MD5 authentication failed: x", maillog.Signal, want{detect.SMTPAuthFailed, "192.0.2.1", 0}},
		{"… without a reason", "postfix/smtpd[1]: warning: unknown[192.0.2.1]: SASL PLAIN authentication failed", maillog.Signal, want{detect.SMTPAuthFailed, "192.0.2.1", 0}},
		{"… with a known mechanism that is not offered", "postfix/smtpd[1]: warning: unknown[192.0.2.1]: SASL CRAM-MD5 authentication failed: Invalid authentication mechanism", maillog.Signal, want{detect.SMTPAuthFailed, "192.0.2.1", 0}},
		{"… with the client's port", "postfix/smtpd[1]: warning: unknown[192.0.2.1]:50123: SASL LOGIN authentication failed: x", maillog.Signal, want{detect.SMTPAuthFailed, "192.0.2.1", 0}},
		{"… from IPv6", "postfix/smtpd[1]: warning: unknown[2001:db8:bad::1]: SASL LOGIN authentication failed: x", maillog.Signal, want{detect.SMTPAuthFailed, "2001:db8:bad::1", 0}},
		{"… from a mapped IPv4 address", "postfix/smtpd[1]: warning: unknown[::ffff:192.0.2.1]: SASL LOGIN authentication failed: x", maillog.Signal, want{detect.SMTPAuthFailed, "192.0.2.1", 0}},
		{"… from a named host", "postfix/smtpd[1]: warning: dsl-5-0-10-127.dyn.isp.example.net[192.0.2.1]: SASL LOGIN authentication failed: x", maillog.Signal, want{detect.SMTPAuthFailed, "192.0.2.1", 0}},
		{"… that rsyslog folded", "postfix/smtpd[1]: message repeated 3 times: [ warning: unknown[192.0.2.1]: SASL LOGIN authentication failed: x]", maillog.Signal, want{detect.SMTPAuthFailed, "192.0.2.1", 3}},
		{"the password service is down", "postfix/smtpd[1]: warning: unknown[192.0.2.1]: SASL LOGIN authentication failed: Connection lost to authentication server, sasl_username=u2", none, want{}},
		{"Cyrus cannot reach its service", "postfix/smtpd[1]: warning: unknown[192.0.2.1]: SASL LOGIN authentication failed: generic failure", none, want{}},
		{"a mechanism that is none", "postfix/smtpd[1]: warning: unknown[192.0.2.1]: SASL unknown[198.51.100.77]: authentication failed: Invalid authentication mechanism, sasl_username=(unavailable)", none, want{}},
		{"no mechanism at all", "postfix/smtpd[1]: warning: unknown[192.0.2.1]: SASL  authentication failed: x", none, want{}},
		{"a mechanism longer than any", "postfix/smtpd[1]: warning: unknown[192.0.2.1]: SASL AAAAAAAAAAAAAAAAAAAAA authentication failed: Invalid authentication mechanism", none, want{}},
		{"Dovecot's detail of a failure that smtpd reports", "dovecot: auth: passwd-file(root,192.0.2.1): unknown user", none, want{}},
		{"failures that only smtpd's summary tells", "postfix/submission/smtpd[1]: disconnect from unknown[192.0.2.1] ehlo=1 auth=1/3 quit=1 commands=3/5", maillog.Signal, want{detect.SMTPAuthFailed, "192.0.2.1", 2}},
		{"a summary without failures", "postfix/smtpd[1]: disconnect from unknown[192.0.2.1] ehlo=1 auth=1 rcpt=0/1 quit=1 commands=3/4", none, want{}},
		{"a summary of Postfix 2", "postfix/smtpd[1]: disconnect from unknown[192.0.2.1]", none, want{}},
		{"a summary of nothing", "postfix/smtpd[1]: disconnect from ", none, want{}},

		{"a relay refused", "postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 554 5.7.1 <v@remote.example.org>: Relay access denied; from=<p@spammer.example.net> to=<v@remote.example.org> proto=ESMTP helo=<x>", maillog.Signal, want{detect.SMTPRelayDenied, "192.0.2.1", 0}},
		{"… for now", "postfix/submission/smtpd[1]: NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 454 4.7.1 <v@remote.example.org>: Relay access denied; from=<p@spammer.example.net> to=<v@remote.example.org> proto=ESMTP helo=<x>", maillog.Signal, want{detect.SMTPRelayDenied, "192.0.2.1", 0}},
		{"… after another recipient was accepted", "postfix/smtpd[1]: 47548B63D7: reject: RCPT from unknown[192.0.2.1]: 554 5.7.1 <v@remote.example.org>: Relay access denied; from=<p@spammer.example.net> to=<v@remote.example.org> proto=ESMTP helo=<x>", maillog.Signal, want{detect.SMTPRelayDenied, "192.0.2.1", 0}},
		{"… of a recipient that imitates log lines", `postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 554 5.7.1 <a]: SASL LOGIN authentication failed: b unknown[198.51.100.77]@remote.example.org>: Relay access denied; from=<"x from unknown[198.51.100.77]: 554 5.7.1 Relay access denied"@example.net> to=<"a]: SASL LOGIN authentication failed: b unknown[198.51.100.77]"@remote.example.org> proto=ESMTP helo=<x.example.net>`, maillog.Signal, want{detect.SMTPRelayDenied, "192.0.2.1", 0}},
		{"an unknown user whose name says relay", `postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 550 5.1.1 <x>: Relay access denied; from=<a> to=<b@example.com>: Recipient address rejected: User unknown in local recipient table; from=<a@example.net> to=<"x>: Relay access denied; from=<a> to=<b"@example.com> proto=ESMTP helo=<x>`, maillog.Signal, want{detect.SMTPRejectedRecipient, "192.0.2.1", 0}},
		{"a relay whose recipient says unknown user", `postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 554 5.7.1 <x>: Recipient address rejected: User unknown @remote.example.org>: Relay access denied; from=<a@example.net> to=<"x>: Recipient address rejected: User unknown "@remote.example.org> proto=ESMTP helo=<x>`, maillog.Signal, want{detect.SMTPRelayDenied, "192.0.2.1", 0}},
		{"a refused sender who says relay", `postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 550 5.1.8 <a@example.net>: Sender address rejected: Domain not found; from=<a@example.net> to=<alice@example.com> proto=ESMTP helo=<x>`, maillog.Signal, want{detect.SMTPRejectedSender, "192.0.2.1", 0}},
		{"an unknown user", "postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 550 5.1.1 <user1@example.com>: Recipient address rejected: User unknown in virtual mailbox table; from=<h@example.net> to=<user1@example.com> proto=ESMTP helo=<x>", maillog.Signal, want{detect.SMTPRejectedRecipient, "192.0.2.1", 0}},
		{"… asked for by VRFY", "postfix/smtpd[1]: NOQUEUE: reject: VRFY from unknown[192.0.2.1]: 550 5.1.1 <user0>: Recipient address rejected: User unknown in local recipient table; to=<user0> proto=ESMTP helo=<x>", maillog.Signal, want{detect.SMTPRejectedRecipient, "192.0.2.1", 0}},
		{"a recipient refused by policy", "postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 554 5.7.1 <alice@example.com>: Recipient address rejected: Access denied; from=<a> to=<alice@example.com> proto=ESMTP helo=<x>", maillog.Signal, want{detect.SMTPRejectedRecipient, "192.0.2.1", 0}},
		{"a HELO refused", "postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 504 5.5.2 <localhost-pc>: Helo command rejected: need fully-qualified hostname; from=<x> to=<a> proto=ESMTP helo=<localhost-pc>", maillog.Signal, want{detect.SMTPRejectedHelo, "192.0.2.1", 0}},
		{"… that imitates a log line", "postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 501 5.5.2 <x.example.net]:?SASL?LOGIN?authentication?failed:?from?unknown[198.51.100.77]>: Helo command rejected: Invalid name; from=<a> to=<v> proto=ESMTP helo=<x.example.net]:?SASL>", maillog.Signal, want{detect.SMTPRejectedHelo, "192.0.2.1", 0}},
		{"a warning that would have been a refusal", "postfix/smtpd[1]: NOQUEUE: reject_warning: RCPT from unknown[192.0.2.1]: 554 5.7.1 <v>: Relay access denied; from=<p> to=<v> proto=ESMTP helo=<x>", none, want{}},
		{"a client refused for pipelining, which has its own line", "postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 503 5.5.0 <unknown[192.0.2.1]>: Client host rejected: Improper use of SMTP command pipelining; from=<a> to=<b> proto=ESMTP helo=<x>", none, want{}},

		{"pipelining", `postfix/smtpd[1]: improper command pipelining after EHLO from unknown[192.0.2.1]: MAIL FROM:<a@example.net>\r\n`, maillog.Signal, want{detect.SMTPPipelining, "192.0.2.1", 0}},
		{"… inside DATA", `postfix/smtpd[1]: improper command pipelining after DATA (12 bytes) from unknown[192.0.2.1]: x`, maillog.Signal, want{detect.SMTPPipelining, "192.0.2.1", 0}},
		{"HTTP", "postfix/smtpd[1]: warning: non-SMTP command from unknown[192.0.2.1]: GET / HTTP/1.1", maillog.Signal, want{detect.SMTPNonSMTPCommand, "192.0.2.1", 0}},
		{"a command that imitates a log line", "postfix/smtpd[1]: warning: non-SMTP command from unknown[192.0.2.1]: warning: unknown[198.51.100.77]: SASL LOGIN authentication failed: UGFzc3dvcmQ6", maillog.Signal, want{detect.SMTPNonSMTPCommand, "192.0.2.1", 0}},
		{"too many errors", "postfix/smtpd[1]: too many errors after AUTH from unknown[192.0.2.1]", maillog.Signal, want{detect.SMTPTooManyErrors, "192.0.2.1", 0}},
		{"… in DATA", "postfix/smtpd[1]: too many errors after DATA (0 bytes) from unknown[192.0.2.1]", maillog.Signal, want{detect.SMTPTooManyErrors, "192.0.2.1", 0}},
		{"connections above the rate", "postfix/smtpd[1]: warning: Connection rate limit exceeded: 61 from unknown[192.0.2.1] for service smtp", maillog.Signal, want{detect.SMTPRateLimited, "192.0.2.1", 0}},
		{"AUTH above the rate", "postfix/smtpd[1]: warning: AUTH command rate limit exceeded: 26 from unknown[192.0.2.1] for service smtp", maillog.Signal, want{detect.SMTPRateLimited, "192.0.2.1", 0}},
		{"a scan", "postfix/smtpd[1]: lost connection after CONNECT from unknown[192.0.2.1]", maillog.Signal, want{detect.SMTPScan, "192.0.2.1", 0}},
		{"a connection lost in DATA", "postfix/smtpd[1]: lost connection after DATA (0 bytes) from unknown[192.0.2.1]", none, want{}},
		{"a connection lost after RCPT", "postfix/smtpd[1]: lost connection after RCPT from unknown[192.0.2.1]", none, want{}},
		{"a failed handshake", "postfix/smtpd[1]: SSL_accept error from unknown[192.0.2.1]: -1", maillog.Signal, want{detect.SMTPTLSFailed, "192.0.2.1", 0}},
		{"a message accepted", "postfix/smtpd[1]: 47548B63D7: client=mx1.partner.example.net[192.0.2.1]", maillog.Signal, want{detect.SMTPDelivered, "192.0.2.1", 0}},
		{"… under a long queue id that begins like a message", "postfix/smtpd[1]: connectBCDFGHJ: client=unknown[192.0.2.1]", maillog.Signal, want{detect.SMTPDelivered, "192.0.2.1", 0}},
		{"… from a user", "postfix/submission/smtpd[1]: 4F762B63D9: client=unknown[192.0.2.1], sasl_method=PLAIN, sasl_username=bob", maillog.Signal, want{detect.SMTPAuthOK, "192.0.2.1", 0}},
		{"… relayed by our own proxy", "postfix/smtpd[1]: 4F762B63D9: client=localhost[192.0.2.1], orig_client=unknown[198.51.100.77]", maillog.Signal, want{detect.SMTPDelivered, "192.0.2.1", 0}},
		{"a name that does not resolve", "postfix/smtpd[1]: warning: hostname x.example.net does not resolve to address 192.0.2.1: Name or service not known", none, want{}},
		{"a queue manager's line", "postfix/qmgr[1213]: 47548B63D7: from=<warning: unknown[192.0.2.1]: SASL LOGIN authentication failed@example.net>, size=331, nrcpt=1 (queue active)", none, want{}},

		{"talking before the greeting", `postfix/mx/postscreen[1]: PREGREET 22 after 0 from [192.0.2.1]:48999: EHLO bot.example.net\r\n`, maillog.Signal, want{detect.SMTPPregreet, "192.0.2.1", 0}},
		{"… to a postscreen of one name, from IPv6", `postfix/postscreen[1]: PREGREET 22 after 0.05 from [2001:db8::1]:48999: x`, maillog.Signal, want{detect.SMTPPregreet, "2001:db8::1", 0}},
		{"postscreen pipelining", `postfix/postscreen[1]: COMMAND PIPELINING from [192.0.2.1]:45265 after MAIL: RCPT TO:<a>`, maillog.Signal, want{detect.SMTPPipelining, "192.0.2.1", 0}},
		{"postscreen HTTP", `postfix/postscreen[1]: NON-SMTP COMMAND from [192.0.2.1]:46783 after EHLO: GET / HTTP/1.0`, maillog.Signal, want{detect.SMTPNonSMTPCommand, "192.0.2.1", 0}},
		{"postscreen's refusal of the same", `postfix/postscreen[1]: NOQUEUE: reject: RCPT from [192.0.2.1]:45265: 550 5.5.1 Protocol error; from=<a>, to=<b>, proto=ESMTP, helo=<x>`, none, want{}},

		{"an IMAP login", "dovecot: imap-login: Login: user=<alice>, method=PLAIN, rip=192.0.2.1, lip=192.0.2.25, mpid=22261, TLS, session=</3vHSfdgaat/HwAG>", maillog.Signal, want{detect.IMAPAuthOK, "192.0.2.1", 0}},
		{"an IMAP failure of three attempts", "dovecot: imap-login: Disconnected: Aborted login by logging out (auth failed, 3 attempts in 1 secs): user=<support>, method=PLAIN, rip=192.0.2.1, lip=192.0.2.25, session=<3HnH>", maillog.Signal, want{detect.IMAPAuthFailed, "192.0.2.1", 3}},
		{"… with a process id, as journald has it", "dovecot[77]: imap-login: Disconnected: Connection closed (auth failed, 1 attempts in 2 secs): user=<x>, method=PLAIN, rip=2001:db8::1, lip=2001:db8::25, session=<3HnH>", maillog.Signal, want{detect.IMAPAuthFailed, "2001:db8::1", 1}},
		{"… of a user name that imitates the address", "dovecot: imap-login: Disconnected: Aborted login (auth failed, 1 attempts in 0 secs): user=<x>, method=PLAIN, rip=198.51.100.77, lip=127.0.0.1, session=<>, method=PLAIN, rip=192.0.2.1, lip=192.0.2.25, session=<O7on>", maillog.Signal, want{detect.IMAPAuthFailed, "192.0.2.1", 1}},
		{"… of a user name so long that the address may be cut off", "dovecot: imap-login: Disconnected: Aborted login (auth failed, 1 attempts in 0 secs): user=<" + strings.Repeat("x", 860) + ", rip=198.51.100.77, lip=127.0.0.1, session=<>", maillog.BadAddress, want{}},
		{"an IMAP visitor without a login", "dovecot: imap-login: Disconnected: Connection closed (no auth attempts in 0 secs): user=<>, rip=192.0.2.1, lip=192.0.2.25, session=<x>", none, want{}},
		{"a user name that says auth failed", "dovecot: imap-login: Disconnected (no auth attempts in 0 secs): user=<: user=<(auth failed, 9 attempts in 0 secs): user=<>, rip=192.0.2.1, lip=192.0.2.25, session=<x>", none, want{}},

		{"no address at all", "postfix/smtpd[1]: lost connection after CONNECT from unknown[unknown]", maillog.BadAddress, want{}},
		{"an address that is none", "postfix/smtpd[1]: warning: unknown[999.1.1.1]: SASL LOGIN authentication failed: x", maillog.BadAddress, want{}},
		{"a link-local address with its zone", "postfix/smtpd[1]: warning: unknown[fe80::1%eth0]: SASL LOGIN authentication failed: x", maillog.Signal, want{detect.SMTPAuthFailed, "fe80::1", 0}},
		{"a zone that no such address has", "postfix/smtpd[1]: warning: unknown[2001:db8::1%eth0]: SASL LOGIN authentication failed: x", maillog.BadAddress, want{}},
		{"an address that is cut off", "postfix/smtpd[1]: warning: non-SMTP command from unknown[192.0.2.1", maillog.BadAddress, want{}},
		{"a name with a blank, which no name has", "postfix/smtpd[1]: lost connection after CONNECT from a b[192.0.2.1]", maillog.BadAddress, want{}},
		{"another program", "sshd[1]: postfix/smtpd[1]: warning: unknown[192.0.2.1]: SASL LOGIN authentication failed: x", none, want{}},
		{"a program that only begins like postfix", "postfixed/smtpd[1]: warning: unknown[192.0.2.1]: SASL LOGIN authentication failed: x", none, want{}},
		{"no process id", "postfix/smtpd: warning: unknown[192.0.2.1]: SASL LOGIN authentication failed: x", none, want{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, head := range []string{header, "2026-11-23T20:17:43.5+01:00 mailserver "} {
				s, v := parseAlone(head + c.line)
				if v != c.verdict {
					t.Fatalf("verdict %d, want %d", v, c.verdict)
				}
				if v != maillog.Signal {
					continue
				}
				if s.Kind != c.kind || s.Addr != netip.MustParseAddr(c.addr) || s.Count != c.count {
					t.Errorf("%s from %s ×%d, want %s from %s ×%d", s.Kind, s.Addr, s.Count, c.kind, c.addr, c.count)
				}
			}
		})
	}
}

// parseAlone reads the only line of a log.
func parseAlone(line string) (detect.Signal, maillog.Verdict) {
	s, v := maillog.New(maillog.Options{Reference: reference}).Parse([]byte(line))
	if v != maillog.Signal {
		return s, v
	}
	alone := maillog.Sessions{Reference: reference}
	if left := alone.Settle([]detect.Signal{s}); len(left) == 1 {
		return left[0], v
	}
	return detect.Signal{}, maillog.Uninteresting
}

func TestStamps(t *testing.T) {
	const line = " h postfix/smtpd[1]: lost connection after CONNECT from unknown[192.0.2.1]"
	berlin := time.FixedZone("CET", 3600)
	dst, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := func(s string) time.Time {
		x, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	for _, c := range []struct {
		name, stamp, reference string
		zone                   *time.Location
		want                   string // "" is malformed
	}{
		{"this year", "Nov 23 20:17:43", "2026-11-24T00:00:00Z", nil, "2026-11-23T20:17:43Z"},
		{"last year, seen in January", "Dec 31 23:59:59", "2027-01-01T00:10:00Z", nil, "2026-12-31T23:59:59Z"},
		{"a clock ahead by minutes over New Year", "Jan  1 00:05:00", "2026-12-31T23:58:00Z", nil, "2027-01-01T00:05:00Z"},
		{"tomorrow is this year", "Nov 24 10:00:00", "2026-11-23T12:00:00Z", nil, "2026-11-24T10:00:00Z"},
		{"the day after tomorrow was last year", "Nov 25 10:00:00", "2026-11-23T12:00:00Z", nil, "2025-11-25T10:00:00Z"},
		{"a leap day in a leap year", "Feb 29 01:02:03", "2028-03-01T00:00:00Z", nil, "2028-02-29T01:02:03Z"},
		{"a leap day seen later", "Feb 29 01:02:03", "2026-11-24T00:00:00Z", nil, "2024-02-29T01:02:03Z"},
		{"a leap day after the one that 2100 lacks", "Feb 29 01:02:03", "2103-06-01T00:00:00Z", nil, "2096-02-29T01:02:03Z"},
		{"another zone", "Nov 23 20:17:43", "2026-11-24T00:00:00Z", berlin, "2026-11-23T19:17:43Z"},
		{"a single digit day", "Nov  3 20:17:43", "2026-11-24T00:00:00Z", nil, "2026-11-03T20:17:43Z"},
		{"no such day", "Feb 30 20:17:43", "2026-11-24T00:00:00Z", nil, ""},
		{"no such month", "Nob 23 20:17:43", "2026-11-24T00:00:00Z", nil, ""},
		{"no such hour", "Nov 23 24:17:43", "2026-11-24T00:00:00Z", nil, ""},
		{"letters for digits", "Nov 2x 20:17:43", "2026-11-24T00:00:00Z", nil, ""},
		{"microseconds", "2026-11-23T20:17:43.123456+00:00", "2020-01-01T00:00:00Z", nil, "2026-11-23T20:17:43.123456Z"},
		{"no fraction, Zulu", "2026-11-23T20:17:43Z", "2020-01-01T00:00:00Z", nil, "2026-11-23T20:17:43Z"},
		{"an offset", "2026-11-23T20:17:43.5-03:30", "2020-01-01T00:00:00Z", nil, "2026-11-23T23:47:43.5Z"},
		{"no offset", "2026-11-23T20:17:43.5", "2020-01-01T00:00:00Z", nil, "2026-11-23T20:17:43.5Z"},
		{"no offset, in another zone", "2026-11-23T20:17:43", "2020-01-01T00:00:00Z", berlin, "2026-11-23T19:17:43Z"},
		{"a blank for the T", "2026-11-23 20:17:43", "2020-01-01T00:00:00Z", berlin, "2026-11-23T19:17:43Z"},
		{"… a fraction and an offset", "2026-11-23 20:17:43.25 +0100", "2020-01-01T00:00:00Z", nil, "2026-11-23T19:17:43.25Z"},
		{"an offset without its colon", "2026-11-23T20:17:43-0330", "2020-01-01T00:00:00Z", nil, "2026-11-23T23:47:43Z"},
		{"the year behind the day", "Nov 23 2026 20:17:43", "2020-01-01T00:00:00Z", berlin, "2026-11-23T19:17:43Z"},
		{"the year before the month", "2026 Nov  3 20:17:43", "2020-01-01T00:00:00Z", nil, "2026-11-03T20:17:43Z"},
		{"a year without that day", "Feb 29 2026 20:17:43", "2020-01-01T00:00:00Z", nil, ""},
		{"no year, but a fraction", "Nov 23 20:17:43.123456", "2026-11-24T00:00:00Z", nil, "2026-11-23T20:17:43.123456Z"},
		{"an hour that the clocks leave out", "Mar 29 02:30:00", "2026-11-24T00:00:00Z", dst, "2026-03-29T01:30:00Z"},
		{"the hour after", "Mar 29 03:30:00", "2026-11-24T00:00:00Z", dst, "2026-03-29T01:30:00Z"},
		{"summer", "Mar 30 00:30:00", "2026-11-24T00:00:00Z", dst, "2026-03-29T22:30:00Z"},
		{"winter", "Oct 25 03:30:00", "2026-11-24T00:00:00Z", dst, "2026-10-25T02:30:00Z"},
		{"New Year in a zone ahead of us", "Jan  1 00:30:00", "2026-12-31T23:40:00Z", berlin, "2026-12-31T23:30:00Z"},
		{"an empty fraction", "2026-11-23T20:17:43.Z", "2020-01-01T00:00:00Z", nil, ""},
		{"no such day either", "2026-02-29T20:17:43Z", "2020-01-01T00:00:00Z", nil, ""},
		{"a month zero", "2026-00-29T20:17:43Z", "2020-01-01T00:00:00Z", nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := maillog.New(maillog.Options{Reference: at(c.reference), Location: c.zone})
			for range 2 { // the second comes from what is remembered
				s, v := p.Parse([]byte(c.stamp + line))
				if c.want == "" {
					if v != maillog.Malformed {
						t.Fatalf("verdict %d at %v", v, s.Time)
					}
					continue
				}
				if v != maillog.Signal || !s.Time.Equal(at(c.want)) || s.Time.Location() != time.UTC {
					t.Fatalf("verdict %d, time %v, want %s", v, s.Time, c.want)
				}
			}
		})
	}
}

func TestWhatIsNoSyslogLineIsMalformed(t *testing.T) {
	p := maillog.New(maillog.Options{Reference: reference})
	for _, line := range []string{
		"", "x", "Nov 23", "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
		"warning: unknown[192.0.2.1]: SASL LOGIN authentication failed: x",
		"Failed password for root from 192.0.2.1 port 22 ssh2",
		`{"log":"x`, `{"log":`, "{", "{}x", "<200>Nov 23 20:17:43 h postfix/smtpd[1]: x", "<22>1 2026-11-23T20:17:43Z h", "<22>1 2026-11-23T20:17:43Z h postfix/smtpd 1 - [x",
		" " + header + "postfix/smtpd[1]: warning: unknown[192.0.2.1]: SASL LOGIN authentication failed: x",
		"Nov 23 20:17:43 mailserver",
	} {
		if s, v := p.Parse([]byte(line)); v != maillog.Malformed {
			t.Errorf("%q: verdict %d, %+v", line, v, s)
		}
	}
}

func TestParsingAllocatesNothing(t *testing.T) {
	logs := map[string][]byte{}
	for _, name := range []string{"postfix-real.log", "postfix-slowauth.rfc3339.log"} {
		logs[name] = unpacked(t, name)
	}
	for _, daemon := range []string{"smtpd", "postscreen", "dovecot", "exim", "sendmail", "sshd", "prefixes"} {
		log, err := os.ReadFile("testdata/" + daemon + "/lines.log")
		if err != nil {
			t.Fatal(err)
		}
		logs[daemon] = log
	}
	for name, log := range logs {
		raw := bytes.Split(log, []byte("\n"))
		p := maillog.New(maillog.Options{Reference: reference})
		var s detect.Signal
		if n := testing.AllocsPerRun(5, func() {
			for _, l := range raw {
				p.ParseInto(l, &s)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations for %d lines", name, n, len(raw))
		}
	}
}

func TestAMessageWithoutItsHeaderIsReadAsTheLineWouldBe(t *testing.T) {
	at := time.Date(2026, 11, 23, 20, 17, 43, 0, time.UTC)
	for _, c := range []struct{ program, message, want string }{
		{"postfix/submission/smtpd", "lost connection after CONNECT from unknown[192.0.2.1]", "smtp.scan"},
		{"postfix/postscreen", "PREGREET 22 after 0 from [192.0.2.1]:48999: x", "smtp.pregreet"},
		{"dovecot", "imap-login: Login: user=<bob>, method=PLAIN, rip=192.0.2.1, lip=192.0.2.25, mpid=1", "imap.auth_ok"},
		{"sshd-session", "Failed password for root from 192.0.2.1 port 22 ssh2", "ssh.auth_failed"},
		{"exim4", "H=(x) [192.0.2.1] F=<s@example.net> rejected RCPT <v@example.org>: relay not permitted", "smtp.relay_denied"},
		{"sm-mta", "5ANKHh12000109: [192.0.2.1] did not issue MAIL/EXPN/VRFY/ETRN during connection to MTA", "smtp.scan"},
		{"nginx", "sshd[1]: Failed password for root from 198.51.100.77 port 22 ssh2", ""},
		{"", "", ""},
	} {
		var s detect.Signal
		p := maillog.New(maillog.Options{})
		v := p.Message([]byte(c.program), []byte("77"), []byte(c.message), at, &s)
		if c.want == "" {
			if v != maillog.Uninteresting {
				t.Errorf("%s: verdict %d", c.program, v)
			}
			continue
		}
		if v != maillog.Signal || s.Kind.String() != c.want || s.Addr.String() != "192.0.2.1" || !s.Time.Equal(at) || string(s.Raw) != c.message {
			t.Errorf("%s: verdict %d, %+v", c.program, v, s)
		}
		other := s
		if p.Message([]byte(c.program), []byte("78"), []byte(c.message), at, &other); s.Part != detect.Whole && s.Session == other.Session {
			t.Errorf("%s: two processes, one session", c.program)
		}
	}
}
