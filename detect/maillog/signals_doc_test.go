package maillog_test

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"fwsync/detect"
	"fwsync/detect/maillog"
)

// documented is the table of docs/signals.md: each kind, and a line of each daemon that
// gives it, as the daemon writes it behind its tag.
var documented = []struct {
	kind  detect.Kind
	lines []string
}{
	{detect.SMTPAuthFailed, []string{
		"postfix/smtpd[1]: warning: unknown[192.0.2.1]: SASL LOGIN authentication failed: UGFzc3dvcmQ6",
		"postfix/submission/smtpd[1]: disconnect from unknown[192.0.2.1] ehlo=1 auth=0/1 quit=1 commands=2/3",
		"dovecot: submission-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<bob>, method=PLAIN, rip=192.0.2.1, lip=198.51.100.25",
		"exim[1]: login authenticator failed for (pc) [192.0.2.1]: 535 Incorrect authentication data (set_id=bob)",
		"sm-mta[1]: 5ANKHh12000104: AUTH failure (LOGIN): authentication failure (-13) SASL(-13), user=bob, relay=[192.0.2.1]",
	}},
	{detect.SMTPAuthOK, []string{
		"postfix/submission/smtpd[1]: 4F762B63D9: client=unknown[192.0.2.1], sasl_method=PLAIN, sasl_username=bob",
		"dovecot: submission-login: Login: user=<bob>, method=PLAIN, rip=192.0.2.1, lip=198.51.100.25, mpid=2, TLS",
		"exim[1]: 1rABCD-0001Zx-2Y <= bob@example.com H=(pc) [192.0.2.1] P=esmtpsa A=login:bob S=1234",
		"sm-mta[1]: AUTH=server, relay=[192.0.2.1], authid=bob, mech=PLAIN, bits=0",
	}},
	{detect.SMTPRelayDenied, []string{
		"postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 554 5.7.1 <v@example.org>: Relay access denied; from=<s@example.net> to=<v@example.org> proto=ESMTP helo=<x>",
		"exim[1]: H=(x) [192.0.2.1] F=<s@example.net> rejected RCPT <v@example.org>: relay not permitted",
		"sm-mta[1]: 5ANKHh12000108: ruleset=check_rcpt, arg1=<v@example.org>, relay=[192.0.2.1], reject=550 5.7.1 <v@example.org>... Relaying denied",
	}},
	{detect.SMTPRejectedRecipient, []string{
		"postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 550 5.1.1 <no@example.com>: Recipient address rejected: User unknown in local recipient table; from=<s@example.net> to=<no@example.com> proto=ESMTP helo=<x>",
		"exim[1]: H=(x) [192.0.2.1] F=<s@example.net> rejected RCPT <no@example.com>: Unrouteable address",
		"sm-mta[1]: 5ANKHh12000108: ruleset=check_rcpt, arg1=<no@example.com>, relay=[192.0.2.1], reject=550 5.1.1 <no@example.com>... User unknown",
	}},
	{detect.SMTPRejectedSender, []string{
		"postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 450 4.1.8 <s@no.example.net>: Sender address rejected: Domain not found; from=<s@no.example.net> to=<bob@example.com> proto=ESMTP helo=<x>",
		"exim[1]: H=(x) [192.0.2.1] F=<s@no.example.net> rejected RCPT <bob@example.com>: Sender verify failed",
		"sm-mta[1]: 5ANKHh12000108: ruleset=check_mail, arg1=<s@no.example.net>, relay=[192.0.2.1], reject=553 5.1.8 <s@no.example.net>... Domain of sender address s@no.example.net does not exist",
	}},
	{detect.SMTPRejectedHelo, []string{
		"postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 504 5.5.2 <x>: Helo command rejected: need fully-qualified hostname; from=<s@example.net> to=<bob@example.com> proto=ESMTP helo=<x>",
		"exim[1]: rejected EHLO from [192.0.2.1]: syntactically invalid argument(s): a_b",
	}},
	{detect.SMTPRejectedClient, []string{
		"postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using dnsbl.example.org; from=<s@example.net> to=<bob@example.com> proto=ESMTP helo=<x>",
		"postfix/postscreen[1]: DNSBL rank 6 for [192.0.2.1]:41006",
		"exim[1]: H=[192.0.2.1] rejected connection in \"connect\" ACL: blocked",
		"sm-mta[1]: ruleset=check_relay, arg1=h.example.net, arg2=192.0.2.1, relay=h.example.net [192.0.2.1], reject=550 5.7.1 Access denied",
	}},
	{detect.SMTPRejectedContent, []string{
		"postfix/cleanup[1]: 4F762B63D9: milter-reject: END-OF-MESSAGE from unknown[192.0.2.1]: 5.7.1 Spam message rejected; from=<s@example.net> to=<bob@example.com> proto=ESMTP helo=<x>",
		"exim[1]: 1rABCD-0001Zx-2Y H=(x) [192.0.2.1] F=<s@example.net> rejected after DATA: virus",
	}},
	{detect.SMTPNullSenderAbuse, []string{
		"postfix/smtpd[1]: 4F762B63D9: reject: DATA from unknown[192.0.2.1]: 550 5.5.3 <DATA>: Data command rejected: Multi-recipient bounce; from=<> proto=ESMTP helo=<x>",
	}},
	{detect.SMTPPipelining, []string{
		"postfix/smtpd[1]: improper command pipelining after EHLO from unknown[192.0.2.1]: MAIL FROM:<s@example.net>",
		"postfix/postscreen[1]: COMMAND PIPELINING from [192.0.2.1]:45265 after MAIL: RCPT TO:<bob@example.com>",
		"exim[1]: SMTP protocol synchronization error (input sent without waiting for greeting): rejected connection from H=[192.0.2.1] input=\"x\"",
	}},
	{detect.SMTPPregreet, []string{
		"postfix/postscreen[1]: PREGREET 22 after 0.01 from [192.0.2.1]:48999: EHLO x",
		"sm-mta[1]: 5ANKHh12000112: rejecting commands from h.example.net [192.0.2.1] due to pre-greeting traffic after 0 seconds",
	}},
	{detect.SMTPNonSMTPCommand, []string{
		"postfix/smtpd[1]: warning: non-SMTP command from unknown[192.0.2.1]: GET / HTTP/1.1",
		"postfix/postscreen[1]: NON-SMTP COMMAND from [192.0.2.1]:46783 after EHLO: GET / HTTP/1.0",
		"exim[1]: SMTP syntax error in \"GET / HTTP/1.1\" H=[192.0.2.1] unrecognized command",
		"sm-mta[1]: 5ANKHh12000114: h.example.net [192.0.2.1]: probable open proxy: command=GET / HTTP/1.0",
	}},
	{detect.SMTPDangerousCommand, []string{
		"postfix/smtpd[1]: warning: non-SMTP command from unknown[192.0.2.1]: DEBUG",
		"exim[1]: H=(x) [192.0.2.1] rejected EXPN root",
		"sm-mta[1]: 5ANKHh12000114: [192.0.2.1]: EXPN root [rejected]",
	}},
	{detect.SMTPHeaderInjection, []string{
		"postfix/smtpd[1]: 4F762B63D9: reject: bare <LF> received from unknown[192.0.2.1]: 550 5.5.2 mx.example.com Error: bare <LF> received; from=<s@example.net> to=<bob@example.com> proto=ESMTP helo=<x>",
		"postfix/postscreen[1]: BARE NEWLINE from [192.0.2.1]:41017 after CONNECT",
	}},
	{detect.SMTPTooManyErrors, []string{
		"postfix/smtpd[1]: too many errors after AUTH from unknown[192.0.2.1]",
		"exim[1]: SMTP call from (x) [192.0.2.1] dropped: too many nonmail commands (last was \"RSET\")",
		"sm-mta[1]: 5ANKHh12000114: h.example.net [192.0.2.1]: possible SMTP attack: command=AUTH, count=5",
	}},
	{detect.SMTPRateLimited, []string{
		"postfix/smtpd[1]: warning: Connection rate limit exceeded: 61 from unknown[192.0.2.1] for service smtp",
		"postfix/postscreen[1]: NOQUEUE: reject: CONNECT from [192.0.2.1]:41009: too many connections",
		"exim[1]: Connection from [192.0.2.1] refused: too many connections from that IP address",
		"sm-mta[1]: ruleset=check_relay, arg1=h.example.net, arg2=192.0.2.1, relay=h.example.net [192.0.2.1], reject=421 4.3.2 Connection rate limit exceeded.",
	}},
	{detect.SMTPScan, []string{
		"postfix/smtpd[1]: lost connection after CONNECT from unknown[192.0.2.1]",
		"postfix/postscreen[1]: HANGUP after 0.2 from [192.0.2.1]:41011 in tests before SMTP handshake",
		"exim[1]: no MAIL in SMTP connection from (x) [192.0.2.1] D=0s C=EHLO,QUIT",
		"sm-mta[1]: 5ANKHh12000109: [192.0.2.1] did not issue MAIL/EXPN/VRFY/ETRN during connection to MTA",
	}},
	{detect.SMTPTLSFailed, []string{
		"postfix/smtpd[1]: SSL_accept error from unknown[192.0.2.1]: -1",
		"postfix/tlsproxy[1]: TLS handshake failed for service=smtpd peer=[192.0.2.1]:48999",
		"exim[1]: TLS error on connection from (x) [192.0.2.1] (SSL_accept): error:14094410",
		"sm-mta[1]: STARTTLS=server, error: accept failed=-1, reason=no shared cipher, SSL_error=1, errno=0, retry=-1, relay=[192.0.2.1]",
	}},
	{detect.SMTPDelivered, []string{
		"postfix/smtpd[1]: 47548B63D7: client=mx.example.net[192.0.2.1]",
		"exim[1]: 1rABCD-0001Zx-2Y <= s@example.net H=mx.example.net [192.0.2.1] P=esmtps S=1234",
		"sendmail[1]: 5ANKHh12000100: from=<s@example.net>, size=1234, class=0, nrcpts=1, proto=ESMTP, daemon=MTA, relay=mx.example.net [192.0.2.1]",
	}},
	{detect.IMAPAuthFailed, []string{
		"dovecot: imap-login: Disconnected (auth failed, 3 attempts in 12 secs): user=<bob>, method=PLAIN, rip=192.0.2.1, lip=198.51.100.25, TLS",
	}},
	{detect.IMAPAuthOK, []string{
		"dovecot: imap-login: Login: user=<bob>, method=PLAIN, rip=192.0.2.1, lip=198.51.100.25, mpid=1, TLS",
	}},
	{detect.POP3AuthFailed, []string{
		"dovecot: pop3-login: Aborted login (auth failed, 1 attempts in 2 secs): user=<bob>, method=PLAIN, rip=192.0.2.1, lip=198.51.100.25",
	}},
	{detect.POP3AuthOK, []string{
		"dovecot: pop3-login: Logged in: user=<bob>, method=PLAIN, rip=192.0.2.1, lip=198.51.100.25, mpid=1, TLS",
	}},
	{detect.SieveAuthFailed, []string{
		"dovecot: managesieve-login: Login aborted: Connection closed (auth failed, 1 attempts in 2 secs) (auth_failed): user=<bob>, method=PLAIN, rip=192.0.2.1, lip=198.51.100.25",
	}},
	{detect.SieveAuthOK, []string{
		"dovecot: managesieve-login: Login: user=<bob>, method=PLAIN, rip=192.0.2.1, lip=198.51.100.25, mpid=1, TLS",
	}},
	{detect.SSHAuthFailed, []string{
		"sshd[1]: Failed password for root from 192.0.2.1 port 50001 ssh2",
		"sshd-session[1]: Invalid user admin from 192.0.2.1 port 50001",
		"sshd[1]: Connection closed by authenticating user root 192.0.2.1 port 50001 [preauth]",
	}},
	{detect.SSHAuthOK, []string{
		"sshd[1]: Accepted publickey for bob from 192.0.2.1 port 50001 ssh2: ED25519 SHA256:0",
	}},
	{detect.SSHScan, []string{
		"sshd[1]: Did not receive identification string from 192.0.2.1 port 50001",
	}},
	{detect.SSHRateLimited, []string{
		"sshd[1]: drop connection #10 from [192.0.2.1]:50001 on [198.51.100.25]:22 past MaxStartups",
	}},
}

const signalsIntro = `<!-- written by "go test ./detect/maillog -update"; edit detect/maillog/signals_doc_test.go -->

# Signals

What a log line can say about an address. The names are stable: policies use them. Kinds that end in ` + "`_ok`" + `, and
` + "`smtp.delivered`" + `, speak for an address and never count against it.

A failure counts once, however many lines tell of it. Postfix's ` + "`disconnect … auth=0/3`" + ` counts for what no line before
told, such as AUTH on a port that offers none; a password service that is down and an AUTH broken off in the middle are
nobody's failure. sshd's ` + "`Invalid user`" + ` counts at once, and the ` + "`Failed password`" + ` after it does not. Of a session whose
start was not read, the summary counts: the failures did happen.

No signal are: what Postfix's anvil sums up, warnings that would have been refusals (` + "`reject_warning`" + `), refusals that ask
honest servers to come back (greylisting, lookups of our own that failed, a filter that is down), Dovecot's auth process and PAM's modules (they repeat what
the login process or sshd says), visitors without a login attempt (` + "`no auth attempts`" + `), and too many connections of a user.

The address is the one at the daemon's own position. Where hostile text stands on both sides of it and could be an address
as well, the line is counted as one with a bad address, and nobody is blamed.

| signal | meaning | daemon | an example, behind the stamp and the host |
| --- | --- | --- | --- |
`

func TestTheDocumentedSignalsAreAllThereAre(t *testing.T) {
	doc := bytes.NewBufferString(signalsIntro)
	at := map[detect.Kind]bool{}
	for _, d := range documented {
		if at[d.kind] {
			t.Errorf("%s is documented twice", d.kind)
		}
		at[d.kind] = true
		for i, line := range d.lines {
			s, v := parseAlone(header + line)
			if v != maillog.Signal || s.Kind != d.kind || s.Addr.String() != "192.0.2.1" {
				t.Errorf("verdict %d, %s of %s, want %s: %s", v, s.Kind, s.Addr, d.kind, line)
			}
			name, meaning := "", ""
			if i == 0 {
				name, meaning = "`"+d.kind.String()+"`", d.kind.Meaning()
			}
			fmt.Fprintf(doc, "| %s | %s | %s | `%s` |\n", name, meaning, daemonOf(line), strings.ReplaceAll(line, "|", `\|`))
		}
	}
	for _, k := range detect.Kinds() {
		if !at[k] {
			t.Errorf("%s is not documented", k)
		}
	}
	const page = "../../docs/signals.md"
	if *update {
		if err := os.WriteFile(page, doc.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if have, err := os.ReadFile(page); err != nil || !bytes.Equal(have, doc.Bytes()) {
		t.Errorf("%s is stale (%v): go test ./detect/maillog -update", page, err)
	}
}

// daemonOf names the daemon whose tag a line begins with.
func daemonOf(line string) string {
	tag, _, _ := strings.Cut(line, ": ")
	tag, _, _ = strings.Cut(tag, "[")
	switch {
	case strings.HasPrefix(tag, "postfix"):
		return "Postfix " + tag[strings.LastIndex(tag, "/")+1:]
	case tag == "dovecot":
		return "Dovecot"
	case tag == "exim":
		return "Exim"
	case strings.HasPrefix(tag, "sshd"):
		return "OpenSSH"
	}
	return "sendmail"
}
