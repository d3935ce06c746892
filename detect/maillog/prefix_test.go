package maillog

import (
	"testing"
	"time"

	"fwsync/detect"
)

// TestUnpackedTextIsOfOneLine reads JSON that lies in other lines, whose unpacked texts
// must not pile up.
func TestUnpackedTextIsOfOneLine(t *testing.T) {
	p := New(Options{Reference: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)})
	for _, before := range []string{"", "2026-11-23T20:17:43.5Z stdout F ", "mail-1  | "} {
		line := []byte(before + `{"log":"imap-login: Info: Login: user=\u003cbob\u003e, method=PLAIN, rip=192.0.2.1, lip=198.51.100.25\n","time":"2026-11-23T20:17:43.5Z"}`)
		for range 1000 {
			var s detect.Signal
			if v := p.ParseInto(line, &s); v != Signal || string(s.Account) != "bob" {
				t.Fatalf("%v, account %q: %s", v, s.Account, line)
			}
		}
	}
	if cap(p.scratch) > 1024 {
		t.Errorf("%d bytes are kept", cap(p.scratch))
	}
}

// TestLinesMayEndWithACarriageReturn reads lines of which the last bytes matter.
func TestLinesMayEndWithACarriageReturn(t *testing.T) {
	lines := []string{
		"Nov 23 20:17:43 mx sshd[1]: Failed password for bob from 192.0.2.1 port 22 ssh2",
		"Nov 23 20:17:43 mx sm-mta[1]: 5ANKHh12000109: AUTH failure (LOGIN): authentication failure (-13) SASL(-13), user=bob, relay=[192.0.2.1]",
		"Nov 23 20:17:43 mx postfix/smtpd[1]: disconnect from unknown[192.0.2.1] ehlo=1 auth=0/1 quit=1 commands=2/3",
		"Nov 23 20:17:43 mx postfix/smtpd[1]: warning: unknown[192.0.2.1]: SASL LOGIN authentication failed: x, sasl_username=bob",
		"Nov 23 20:17:43 mx postfix/postscreen[1]: HANGUP after 0.2 from [192.0.2.1]:48999 in tests before SMTP handshake",
		"2026-11-23 20:17:43 login authenticator failed for (x) [192.0.2.1]: 535 Incorrect authentication data (set_id=bob)",
		"97 <22>Nov 23 20:17:43 mx sshd[1]: Failed password for bob from 192.0.2.1 port 22 ssh2",
	}
	var text []byte
	var ends []int32
	p := New(Options{Reference: time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)})
	for _, line := range lines {
		var plain, s detect.Signal
		if v := p.ParseInto([]byte(line), &plain); v != Signal {
			t.Fatalf("verdict %v: %s", v, line)
		}
		if v := p.ParseInto([]byte(line+"\r"), &s); v != Signal || s.Kind != plain.Kind || s.Addr != plain.Addr || string(s.Account) != string(plain.Account) || string(s.Raw) != line {
			t.Errorf("verdict %v, %+v, want %+v", v, s, plain)
		}
		text = append(append(text, line...), '\r')
		ends = append(ends, int32(len(text)))
		text = append(text, '\n')
	}
	kept := p.Sift(text, ends, nil)
	if len(kept) != len(lines) {
		t.Fatalf("%d of %d lines are kept", len(kept), len(lines))
	}
	start := int32(0)
	for i, k := range kept {
		var s detect.Signal
		if v := p.ParseKept(text[start:ends[i]], k, &s); v != Signal || string(s.Raw) != lines[i] {
			t.Errorf("verdict %v: %q", v, s.Raw)
		}
		start = ends[i] + 1
	}
}
