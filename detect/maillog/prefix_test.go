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
