package maillog_test

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fwsync/detect/maillog"
)

var pseudonym = regexp.MustCompile(`\[account( [0-9a-f]{8})?\]`)

// TestRedactedLines shows what is left of a line of each daemon.
func TestRedactedLines(t *testing.T) {
	r := maillog.NewRedactor("")
	for _, c := range [][2]string{
		{"Nov 23 20:17:44 mx postfix/smtpd[100]: warning: bob-pc.example.net[192.0.2.1]: SASL LOGIN authentication failed: UGFzc3dvcmQ6, sasl_username=failed",
			"(redacted) Nov 23 20:17:44 mx postfix/smtpd[100]: warning: …[192.0.2.1]: SASL LOGIN authentication failed: …, sasl_username=[account]"},
		{"2026-11-23T20:17:43.5+01:00 mx postfix/smtpd[108]: NOQUEUE: reject: RCPT from unknown[2001:db8::8]: 554 5.7.1 <v@remote.example.org>: Relay access denied; from=<s@example.net> to=<\"a> user b\"@remote.example.org> proto=ESMTP helo=<bob>",
			"(redacted) 2026-11-23T20:17:43.5+01:00 mx postfix/smtpd[108]: NOQUEUE: reject: RCPT from unknown[2001:db8::8]: 554 5.7.1 <…>: Relay access denied; from=<…> to=<…> user …\"…"},
		{"Nov 23 20:17:43 mx postfix/smtpd[1]: warning: non-SMTP command from unknown[192.0.2.1]: user bob pass secret from unknown[192.0.2.1]",
			"(redacted) Nov 23 20:17:43 mx postfix/smtpd[1]: warning: non-SMTP command from unknown[192.0.2.1]: …"},
		{"Nov 23 20:17:44 mx dovecot: imap-login: Disconnected (auth failed, 3 attempts in 12 secs): user=<bob>, method=PLAIN, rip=::ffff:192.0.2.2, lip=198.51.100.25, TLS, session=<b>",
			"(redacted) Nov 23 20:17:44 mx dovecot: imap-login: Disconnected (auth failed, 3 attempts in 12 secs): user=<[account]>, method=PLAIN, rip=192.0.2.2, lip=…, TLS, session=<…>"},
		{"2026-11-23 20:17:44 plain_server authenticator failed for (mail) [192.0.2.3]:4711: 535 Incorrect authentication data (set_id=bob@example.com)",
			"(redacted) 2026-11-23 20:17:44 … authenticator failed for (…) [192.0.2.3]…: 535 Incorrect authentication data (set_id=[account])"},
		{"Nov 23 20:17:44 mx sm-mta[104]: 5ANKHh12000104: AUTH failure (LOGIN): authentication failure (-13) SASL(-13): authentication failure: checkpass failed, user=root, relay=host.example.net [192.0.2.3] (may be forged)",
			"(redacted) Nov 23 20:17:44 mx sm-mta[104]: …: AUTH failure (LOGIN): authentication failure (…) SASL(…): authentication failure: … failed, user=[account], relay=… [192.0.2.3] (may be forged)"},
		{"Nov 23 20:17:44 mx sshd[101]: Failed password for invalid user from 198.51.100.77 port 22 from 192.0.2.2 port 50002 ssh2",
			"(redacted) Nov 23 20:17:44 mx sshd[101]: Failed password for invalid user [account] from 192.0.2.2 port … ssh2"},
		{`{"log":"Nov 23 20:17:43 mx sshd[1]: Failed password for b\u00f6b from 192.0.2.1 port 22 ssh2\n","stream":"stderr","time":"2026-11-23T20:17:43.1Z"}`,
			"(redacted) Nov 23 20:17:43 sshd[1]: Failed password for [account] from 192.0.2.1 port … ssh2"},
		{"no log line of bob@example.com", "(redacted) …"},
		{"", "(redacted) …"},
	} {
		got := r.Line([]byte(c[0]), netip.Addr{})
		if got != c[1] {
			t.Errorf("of\n%s\nis left\n%s, want\n%s", c[0], got, c[1])
		}
		if again := r.Line([]byte(got), netip.Addr{}); again != got {
			t.Errorf("a second time it becomes\n%s", again)
		}
	}
	if got := r.Line([]byte("some daemon says bob"), netip.MustParseAddr("::ffff:192.0.2.1")); got != "(redacted) … [192.0.2.1] …" {
		t.Errorf("of a line that is not understood is left %q", got)
	}
}

func TestAnAccountIsKnownAgainByItsKeyedHashOnly(t *testing.T) {
	plain, one, other := maillog.NewRedactor(""), maillog.NewRedactor("one"), maillog.NewRedactor("other")
	if a := plain.Account("bob"); a != "[account]" || a != plain.Account("eve") {
		t.Errorf("without a key: %s", a)
	}
	bob := one.Account("Bob@example.com")
	if !pseudonym.MatchString(bob) || bob != one.Account("bob@EXAMPLE.com") || bob == one.Account("eve") || bob == other.Account("bob@example.com") {
		t.Errorf("with a key: %s", bob)
	}
	if again := one.Account(bob); again != bob || one.Account("") != "" {
		t.Errorf("a second time: %s", again)
	}
	if forged := one.Account("[account bob]"); strings.Contains(forged, "bob") {
		t.Errorf("an account that looks redacted stays: %s", forged)
	}
}

// What people would find of themselves in the lines of every daemon, and in attacks.
func TestNoAccountAndNoAddressSurvives(t *testing.T) {
	var lines []string
	files, _ := filepath.Glob("testdata/*/lines.log")
	attacks, _ := filepath.Glob("testdata/attacks/*.txt")
	for _, name := range append(files, attacks...) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if _, attack, ok := strings.Cut(line, "\t"); ok && strings.HasPrefix(filepath.Dir(name), filepath.Dir(attacks[0])) {
				line = attack
			}
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
	for _, name := range []string{"postfix-real.log", "postfix-slowauth.rfc3339.log"} {
		lines = append(lines, strings.Split(string(unpacked(t, name)), "\n")...)
	}
	r := maillog.NewRedactor("key")
	mailbox := regexp.MustCompile(`[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+`)
	accounts, mailboxes, reasons := 0, 0, 0
	for _, line := range lines {
		got := r.Line([]byte(line), netip.Addr{})
		bare := pseudonym.ReplaceAllString(got, "")
		for _, found := range mailbox.FindAllString(line, -1) {
			local, domain, _ := strings.Cut(found, "@")
			mailboxes++
			if strings.Contains(bare, found) || strings.Contains(bare, "@") || len(domain) > 12 && strings.Contains(bare, domain) || len(local) > 8 && strings.Contains(bare, local) {
				t.Errorf("%s is still in\n%s", found, got)
			}
		}
		s, v := parseAlone(line)
		if v != maillog.Signal {
			continue
		}
		if !strings.Contains(bare, s.Addr.String()) {
			t.Errorf("the client %s is not in\n%s\nof\n%s", s.Addr, got, line)
		}
		if strings.Contains(bare, "198.51.100.77") && s.Addr.String() != "198.51.100.77" {
			t.Errorf("a planted address is still in\n%s", got)
		}
		if strings.Count(bare, " ") > 5 {
			reasons++
		}
		if len(s.Account) == 0 {
			continue
		}
		accounts++
		if word := string(s.Account); strings.Count(bare, word) >= max(1, strings.Count(line, word)) {
			t.Errorf("the account %q is still in\n%s\nof\n%s", word, got, line)
		}
		if !strings.Contains(got, r.Account(string(s.Account))) {
			t.Errorf("the account is not named in\n%s", got)
		}
	}
	if accounts < 700 || mailboxes < 2000 || reasons < 1000 {
		t.Errorf("only %d accounts, %d mailboxes and %d reasons were there", accounts, mailboxes, reasons)
	}
}

// hostile are lines with a place, or several, for text of the client.
var hostile = []string{
	"Nov 23 20:17:44 mx postfix/smtpd[100]: warning: %s[192.0.2.1]: SASL LOGIN authentication failed: %s, sasl_username=%s",
	"Nov 23 20:17:52 mx postfix/smtpd[108]: NOQUEUE: reject: RCPT from %s[192.0.2.1]: 554 5.7.1 <%s>: Relay access denied; from=<%s> to=<%s> proto=ESMTP helo=<%s>",
	"Nov 23 20:17:55 mx postfix/smtpd[108]: NOQUEUE: reject: MAIL from unknown[192.0.2.1]: 553 5.7.1 <%s>: Sender address rejected: not owned by user %s; from=<%s> proto=ESMTP helo=<%s>",
	"Nov 23 20:18:05 mx postfix/smtpd[112]: warning: non-SMTP command from unknown[192.0.2.1]: %s",
	"Nov 23 20:18:05 mx postfix/smtpd[112]: improper command pipelining after %s from unknown[192.0.2.1]: %s",
	"Nov 23 20:17:43 mx postfix/postscreen[1]: PREGREET 22 after 0.01 from [192.0.2.1]:48999: %s",
	"Nov 23 20:17:44 mx dovecot: imap-login: Disconnected (auth failed, 3 attempts in 12 secs): user=<%s>, method=PLAIN, rip=192.0.2.1, lip=198.51.100.25, TLS, session=<%s>",
	"Nov 23 20:17:44 mx dovecot: auth: passwd-file(%s,192.0.2.1,<%s>): unknown user",
	"2026-11-23 20:17:44 plain_server authenticator failed for %s (%s) [192.0.2.1]: 535 Incorrect authentication data (set_id=%s)",
	"2026-11-23 20:17:45 H=%s (%s) [192.0.2.1] F=<%s> rejected RCPT <%s>: relay not permitted",
	"2026-11-23 20:17:43 1rABCD-0001Zx-2Y <= %s H=%s [192.0.2.1] P=esmtpsa A=plain:%s S=1234 id=%s",
	"Nov 23 20:17:44 mx sm-mta[104]: 5ANKHh12000104: AUTH failure (LOGIN): authentication failure (-13) SASL(-13): %s, user=%s, relay=%s [192.0.2.1]",
	"Nov 23 20:17:45 mx sm-mta[108]: 5ANKHh12000108: ruleset=check_rcpt, arg1=<%s>, relay=%s [192.0.2.1] (may be forged), reject=550 5.7.1 <%s>... Relaying denied",
	"Nov 23 20:17:43 mx sshd[100]: Failed password for %s from 192.0.2.1 port 50001 ssh2",
	"Nov 23 20:17:44 mx sshd[101]: Failed password for invalid user %s from 192.0.2.1 port 50002 ssh2",
	"Nov 23 20:17:45 mx sshd-session[102]: Connection closed by invalid user %s 192.0.2.1 port 50003 [preauth]",
	"Nov 23 20:17:46 mx sshd[108]: Bad protocol version identification '%s' from 192.0.2.1 port 50008",
	"Nov 23 20:17:48 mx sshd[119]: Accepted publickey for %s from 192.0.2.1 port 50016 ssh2: ED25519 SHA256:%s",
}

// Whatever a client writes, and however the parser reads it, it is not there afterwards.
// No word of the daemons can be made of these letters.
func TestWhatClientsWriteIsGone(t *testing.T) {
	r := maillog.NewRedactor("key")
	run := regexp.MustCompile(`[qzxj79]{2,}`)
	understood := 0
	rapid.Check(t, func(t *rapid.T) {
		line := rapid.SampledFrom(hostile).Draw(t, "line")
		for strings.Contains(line, "%s") {
			line = strings.Replace(line, "%s", rapid.StringOfN(rapid.SampledFrom([]rune(`qzxjqzxj79@.<>[]:"' =(),;-/\ä`)), 0, 30, -1).Draw(t, "text"), 1)
		}
		client := netip.Addr{}
		if rapid.Bool().Draw(t, "known") {
			client = netip.MustParseAddr("192.0.2.1")
		}
		got := r.Line([]byte(line), client)
		if left := run.FindString(pseudonym.ReplaceAllString(got, "")); left != "" {
			t.Fatalf("%q is left in\n%s\nof\n%s", left, got, line)
		}
		if again := r.Line([]byte(got), client); again != got {
			t.Fatalf("a second time\n%s\nbecomes\n%s", got, again)
		}
		if _, v := parseAlone(line); v == maillog.Signal {
			understood++
		}
	})
	if understood < 20 {
		t.Errorf("only %d lines were signals", understood)
	}
}

func FuzzRedact(f *testing.F) {
	for i, line := range hostile {
		f.Add([]byte(strings.ReplaceAll(line, "%s", fmt.Sprintf("bob%d@example.com", i))))
	}
	f.Add([]byte(`{"log":"Nov 23 20:17:43 mx sshd[1]: Failed password for b\u00f6b from 192.0.2.1 port 22 ssh2\n","time":"2026-11-23T20:17:43.1Z"}`))
	r := maillog.NewRedactor("key")
	f.Fuzz(func(t *testing.T, line []byte) {
		before := bytes.Clone(line)
		got := r.Line(line, netip.Addr{})
		if !bytes.Equal(line, before) {
			t.Fatal("the line was changed")
		}
		if !strings.HasPrefix(got, maillog.Redacted) || strings.Contains(got, "@") && !bytes.HasPrefix(line, []byte(maillog.Redacted)) {
			t.Fatalf("%q became %q", line, got)
		}
		if again := r.Line([]byte(got), netip.Addr{}); again != got {
			t.Fatalf("%q became %q", got, again)
		}
	})
}
