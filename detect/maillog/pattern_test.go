package maillog

import (
	"errors"
	"net/netip"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestAPatternThroughWhichAClientCouldWriteTheAddressIsRefused(t *testing.T) {
	for _, c := range []struct {
		pattern string
		at      string // what the complaint points at
		says    string
	}{
		{"login failed for <account> from <address>: <text>", "<account>", "a client could write the address: <account> before it holds whatever a client sends, and <text> behind it holds whatever a client sends"},
		{"login failed, <text> client: <address>, request: <text>", "<text> client", "a client could write the address"},
		{"login failed for <account:word>@<address> <text>", "<account:word>", `<account:word> before it may itself hold "@"`},
		{"login failed for <name>-<address> <text>", "<name>", `<name> before it may itself hold "-"`},
		{"<account> failed to log in from <address>", "<account>", "stands before any text of the program"},
		{"<word> login failed from <address>", "<word>", "stands before any text of the program"},
		{"a <word> login failed from <address>", "<word>", "stands before any text of the program"},
		{"login failed from <address>:<number> <text>", "<address>", "the end of <address> cannot be told"},
		{"login failed for <account>x<address>", "<account>", "the start of <address> cannot be told"},
		{"login failed for <account> at <word> and <text> from <address>", "<word>", "stands among text that a client chooses"},
		{"login failed for <account><address>", "<address>", "with nothing between them"},
		{"login failed for <account>", "login", "the pattern has no <address>"},
		{"<address> <address> login failed", "<address> login", "a second address"},
		{"login <account> failed for <account> from <address>", "<account> from", "a second account"},
		{"<number> <address> <number>", "<number> <address>", "no text that tells its lines"},
		{"login failed from <addr>", "<addr>", "<addr> is no place"},
		{"login failed from <address", "<address", "opened and not closed"},
		{"login failed\tfrom <address>", "\tfrom", "control character"},
		{strings.Repeat("login <number> ", 40) + "<address>", "login", "more than"},
		{"login failed <address> " + strings.Repeat("x", 500), "login", "more than 500 bytes"},
	} {
		_, err := compile(c.pattern)
		p, ok := errors.AsType[*PatternError](err)
		if !ok || !strings.Contains(p.Message, c.says) {
			t.Errorf("%s: %v, want %q", c.pattern, err, c.says)
			continue
		}
		if !strings.HasPrefix(c.pattern[p.At:], c.at) && c.at != "login" {
			t.Errorf("%s: the complaint is about %q, want %q", c.pattern, c.pattern[p.At:], c.at)
		}
		if p.Message != strings.ToLower(p.Message[:1])+p.Message[1:] {
			t.Errorf("%s: %s", c.pattern, p.Message)
		}
	}
}

func TestMessagesReadAsTheirPatternsDo(t *testing.T) {
	const none, bad = "none", "bad"
	for _, c := range []struct{ pattern, message, address, account string }{
		{"login failed for <account> from <address> port <number>", "login failed for bob from 192.0.2.1 port 41", "192.0.2.1", "bob"},
		{"login failed for <account> from <address> port <number>", "login failed for a from 198.51.100.77 port 1 from 192.0.2.1 port 41", "192.0.2.1", "a from 198.51.100.77 port 1"},
		{"login failed for <account> from <address> port <number>", "login failed for  from 2001:db8::1 port 41", "2001:db8::1", ""},
		{"login failed for <account> from <address> port <number>", "login failed for bob from unknown port 41", bad, "bob"},
		{"login failed for <account> from <address> port <number>", "login failed for bob from 192.0.2.1 port 41 ", none, ""},
		{"login failed for <account> from <address> port <number>", "login failed for bob from 192.0.2.1 port ", none, ""},
		{"login failed for <account> from <address> port <number>", "login failed for bob", none, ""},
		{"login failed for <account> from <address> port <number>", "login failed for " + strings.Repeat("b", 900) + " from 192.0.2.1 port 41", bad, strings.Repeat("b", 256)},
		// Both readings must agree: a name with blanks is not what the pattern says.
		{"login failed for <account:word> from <address>, try <number>", "login failed for bob from 192.0.2.1, try 3", "192.0.2.1", "bob"},
		{"login failed for <account:word> from <address>, try <number>", "login failed for b from 198.51.100.77, try 3 from 192.0.2.1, try 3", none, ""},
		{"login failed for <account:word> from <address> <text>", "login failed for bob from 192.0.2.1 from 198.51.100.77 x", "192.0.2.1", "bob"},
		{"client <address>: login as <account> failed", "client 2001:db8::1: login as x: login as y failed", "2001:db8::1", "x: login as y"},
		{"client <address>: login as <account> failed", "client 192.0.2.1: login as y failed: no", none, ""},
		{"bad login from <name>[<address>]: <text>", "bad login from mx.example.net[192.0.2.1]: [198.51.100.77]: x", "192.0.2.1", ""},
		{"bad login from <name>[<address>]: <text>", "bad login from x[y[192.0.2.1]: x", none, ""},
		{"<address> - <account> [<text>] \"POST /login <text>\" 401 <number>", `192.0.2.1 - bob [x] "POST /login HTTP/1.1" 401 12`, "192.0.2.1", "bob"},
		{"<time> <time> [error] <number>#<number>: *<number> login failed, client: <address>, server: <text>", "2026/03/01 10:00:00 [error] 1#2: *3 login failed, client: 192.0.2.1, server: x, client: 198.51.100.77, server: y", "192.0.2.1", ""},
		{"login of user=<<<account>>, rip=<address>, lip=<word>", "login of user=<bob>, rip=192.0.2.1, lip=x", "192.0.2.1", "bob"},
		{"denied <address:port>", "denied 192.0.2.1:41", "192.0.2.1", ""},
		{"denied <address:port>", "denied [2001:db8::1]:41", "2001:db8::1", ""},
		{"denied <address:port>", "denied 2001:db8::1:41", bad, ""},
		{"denied <address:port>", "denied 192.0.2.1", bad, ""},
		{"denied <address:port>", "denied [2001:db8::1:41", bad, ""},
		{"denied <address>", "denied fe80::1%eth0", "fe80::1", ""},
		{"denied <address>", "denied ::ffff:192.0.2.1", "192.0.2.1", ""},
		{"denied <address>.", "denied 192.0.2.1.", "192.0.2.1", ""},
		{"denied <address>.", "denied 192.0.2.1", none, ""},
		{"zurückgewiesen: <address>", "zurückgewiesen: 192.0.2.1", "192.0.2.1", ""},
		{"für <account:word>ü <address>", "für bobü 192.0.2.1", "192.0.2.1", "bob"},
	} {
		p, err := compile(c.pattern)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		addr, account, ok := p.match([]byte(c.message))
		got := none
		if ok && addr.IsValid() {
			got = addr.String()
		} else if ok {
			got = bad
		}
		if got != c.address || string(account) != c.account {
			t.Errorf("%s\n%s\n got %s, account %q\nwant %s, account %q", c.pattern, c.message, got, account, c.address, c.account)
		}
	}
}

func TestThePageOnDetectionListsThePlaces(t *testing.T) {
	page, err := os.ReadFile("../../docs/detection.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range placeNames() {
		if !strings.Contains(string(page), "`<"+name+">`") {
			t.Errorf("<%s> is not there", name)
		}
	}
}

// drawPattern draws a pattern that may be refused.
func drawPattern(t *rapid.T) string {
	literal := rapid.SampledFrom([]string{"login failure for ", " from ", " port ", ": ", ", ", "[", "]", " (", ")", "x", ":", "-", ".", "user=", " ", "=", ", client: ", "/", "1", "a b"})
	place := rapid.SampledFrom([]string{"<account>", "<account:word>", "<text>", "<word>", "<name>", "<number>", "<time>", "<text>"})
	var b strings.Builder
	if rapid.IntRange(0, 4).Draw(t, "opening") > 0 {
		b.WriteString("denied")
	}
	n := rapid.IntRange(1, 6).Draw(t, "places")
	address := rapid.IntRange(0, n-1).Draw(t, "address")
	account := false
	for i := range n {
		b.WriteString(literal.Draw(t, "literal"))
		p := place.Draw(t, "place")
		if i == address {
			p = rapid.SampledFrom([]string{"<address>", "<address>", "<address:port>"}).Draw(t, "form")
		} else if strings.HasPrefix(p, "<account") {
			if account {
				p = "<text>"
			}
			account = true
		}
		b.WriteString(p)
	}
	if rapid.Bool().Draw(t, "closing") {
		b.WriteString(literal.Draw(t, "last"))
	}
	return b.String()
}

// written is a message of the pattern, with what a client chose in its places.
func (p *pattern) written(client string, chosen func(*placeKind) string) string {
	var b strings.Builder
	for i := range p.tokens {
		t := &p.tokens[i]
		text := t.literal
		if i == p.address {
			text = client
			if t.kind.name == "address:port" {
				text = netip.AddrPortFrom(netip.MustParseAddr(client), 4711).String()
			}
		} else if t.kind != nil {
			text = chosen(t.kind)
		}
		b.WriteString(text)
	}
	return b.String()
}

// fitting makes text that the place can hold.
func (k *placeKind) fitting(text string) string {
	var out []byte
	for i := range len(text) {
		if k.holds[text[i]] {
			out = append(out, text[i])
		}
	}
	if len(out) == 0 && !k.free {
		return "1"
	}
	return string(out)
}

// Whatever a client writes into the places that it controls, pieces of the pattern and
// other addresses included, what is believed is where the program writes the address.
func TestP12NobodyElseIsBlockedThroughADeclaredSignal(t *testing.T) {
	accepted, forward, backward, believed := 0, 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		text := drawPattern(t)
		p, err := compile(text)
		if err != nil {
			return
		}
		accepted++
		if p.address < p.forward {
			forward++
		} else {
			backward++
		}
		pieces := []string{"198.51.100.77", "2001:db8:bad::77", "[2001:db8:bad::77]:1", "198.51.100.77:4711", " ", "x", "1", ":", strings.Repeat("y", 300)}
		for _, token := range p.tokens {
			if token.kind == nil {
				pieces = append(pieces, token.literal, token.literal)
			}
		}
		piece := rapid.SampledFrom(append(pieces, p.written("198.51.100.77", func(k *placeKind) string { return k.fitting("1") })))
		client := rapid.SampledFrom([]string{"192.0.2.1", "2001:db8::1"}).Draw(t, "client")
		hostile := func(k *placeKind) string {
			return k.fitting(strings.Join(rapid.SliceOfN(piece, 0, 6).Draw(t, "chosen"), ""))
		}
		line := p.written(client, hostile)
		if rapid.Bool().Draw(t, "cut") { // as old syslog daemons do, here where it helps the client most
			planted := p.written("198.51.100.77", func(k *placeKind) string { return k.fitting("1") })
			line = p.written(client, func(k *placeKind) string { return k.fitting(strings.Repeat("y", 900) + planted) })
			if at := strings.Index(line, planted); at > 900 {
				line = line[:at+len(planted)]
			}
		}
		if addr, _, ok := p.match([]byte(line)); ok && addr.IsValid() {
			believed++
			if addr.String() != client {
				t.Fatalf("%s\n%s\nis read as of %s, not %s", text, line, addr, client)
			}
		}
		// What an honest client writes is read.
		plain := p.written(client, func(k *placeKind) string { return k.fitting("12") })
		addr, _, ok := p.match([]byte(plain))
		if !ok || addr.String() != client {
			t.Fatalf("%s\n%s\nis read as of %s (%t)", text, plain, addr, ok)
		}
	})
	if accepted == 0 || forward == 0 || backward == 0 || believed == 0 {
		t.Errorf("%d patterns, %d read from the start, %d from the end; %d lines believed: the test shows nothing", accepted, forward, backward, believed)
	}
	t.Logf("%d patterns, %d read from the start, %d from the end; %d lines believed", accepted, forward, backward, believed)
}

func FuzzPattern(f *testing.F) {
	f.Add("login failed for <account> from <address> port <number>", "x from 198.51.100.77 port 1")
	f.Add("client <address>: login as <account> failed", "198.51.100.77: login as x failed")
	f.Add("bad login from <name>[<address>]: <text>", "mx[198.51.100.77]: ")
	f.Add("denied <address:port> to <<<word>>", "198.51.100.77:1 to <x>")
	f.Fuzz(func(t *testing.T, text, chosen string) {
		p, err := compile(text)
		if err != nil || strings.ContainsAny(chosen, "\n") {
			return
		}
		line := p.written("192.0.2.1", func(k *placeKind) string { return k.fitting(chosen) })
		if addr, _, ok := p.match([]byte(line)); ok && addr.IsValid() && addr != netip.MustParseAddr("192.0.2.1") {
			t.Fatalf("%s\n%s\nis read as of %s", text, line, addr)
		}
		p.match([]byte(chosen)) // which holds anything
	})
}
