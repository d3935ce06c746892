// Package maillog reads one line of a Postfix or Dovecot log and says which
// signal it is, if any.
//
// It is pure: bytes in, a signal out, no allocation, no clock, no I/O. What
// opens a log lives in detect/sources, what counts signals in detect.
//
// The remote party controls much of a mail log's text: user names, HELO names,
// addresses, whole commands, its own reverse name. So nothing is searched for
// in a line: each shape is read from the start, position by position, and the
// client address is taken only from where the daemon itself writes it.
package maillog

import (
	"bytes"
	"net/netip"
	"time"

	"fwsync/detect"
)

// Verdict is what a line turned out to be.
type Verdict uint8

const (
	// Uninteresting lines are well-formed and say nothing that we count.
	Uninteresting Verdict = iota
	// Signal lines are a signal.
	Signal
	// Malformed lines do not begin with a syslog header, or their stamp is
	// not a time.
	Malformed
	// BadAddress lines would be a signal, but where the daemon writes the
	// client address there is none to trust ("unknown", cut off, not an IP).
	BadAddress
)

// Options of a parser.
type Options struct {
	// Reference dates the traditional stamps, which have no year: each gets
	// the latest year that puts it at most a day after Reference. The zero
	// time makes all of them malformed.
	Reference time.Time
	// Location is the zone of the traditional stamps; nil means UTC.
	Location *time.Location
}

// Parser reads lines of one log. It keeps the latest stamp and host name, so
// that the next line costs less. Not safe for concurrent use.
type Parser struct {
	clock stampReader
	host  []byte // the latest line's host and the blank after it
}

// New returns a parser.
func New(o Options) *Parser {
	if o.Location == nil {
		o.Location = time.UTC
	}
	return &Parser{clock: stampReader{reference: o.Reference, location: o.Location}}
}

// Parse reads one line, without its newline. The signal is only meaningful
// with the verdict Signal; Line, Offset and Source are the caller's to fill.
func (p *Parser) Parse(line []byte) (detect.Signal, Verdict) {
	var s detect.Signal
	v := p.ParseInto(line, &s)
	if v != Signal {
		return detect.Signal{}, v
	}
	return s, v
}

// ParseInto is Parse without copying: s is overwritten if the verdict is
// Signal, and its contents are unspecified otherwise.
func (p *Parser) ParseInto(line []byte, s *detect.Signal) Verdict {
	stamp := stampEnd(line)
	if stamp < 0 {
		return Malformed
	}
	msg := line[stamp+1:]
	if n := len(p.host); n > 0 && len(msg) >= n && string(msg[:n]) == string(p.host) {
		msg = msg[n:]
	} else {
		n = bytes.IndexByte(msg[:min(len(msg), 256)], ' ')
		if n <= 0 {
			return Malformed
		}
		p.host = append(p.host[:0], msg[:n+1]...)
		msg = msg[n+1:]
	}
	if skips(msg) {
		return Uninteresting
	}
	var f found
	switch {
	case len(msg) < 10:
		return Uninteresting
	case msg[0] == 'p' && string(msg[:7]) == "postfix":
		postfix(msg, &f)
	case msg[0] == 'd' && string(msg[:7]) == "dovecot":
		dovecot(msg, &f)
	}
	if f.kind == 0 {
		return Uninteresting
	}
	if !f.addr.IsValid() {
		return BadAddress
	}
	t, ok := p.clock.read(line[:stamp])
	if !ok {
		return Malformed
	}
	*s = detect.Signal{Kind: f.kind, Addr: f.addr, Time: t, Count: f.count, Raw: line}
	return Signal
}

// Time returns the time of a line's own stamp, false if it has none.
func (p *Parser) Time(line []byte) (time.Time, bool) {
	n := stampEnd(line)
	if n < 0 {
		return time.Time{}, false
	}
	return p.clock.read(line[:n])
}

// found is what a message says: no kind, nothing; a kind with an invalid
// address, something about nobody. It is filled in place, most lines leave it
// as it was.
type found struct {
	kind  detect.Kind
	count int
	addr  netip.Addr
}

// postfix reads a line of any Postfix program: "postfix/smtpd[1]: ",
// "postfix-out/submission/smtpd[1]: ", "postfix/mx/postscreen[1]: ". The
// programs that write most are told apart first.
func postfix(tagged []byte, f *found) {
	service := tagged[7:]
	if has(service, "/smtpd[") {
		smtpdOf(service[6:], f)
		return
	}
	switch service[1] {
	case 'q', 'c', 'l', 'a', 'b':
		if has(service, "/qmgr[") || has(service, "/cleanup[") || has(service, "/lmtp[") || has(service, "/local[") || has(service, "/anvil[") || has(service, "/bounce[") {
			return
		}
	case 's':
		if has(service, "/submission/smtpd[") {
			smtpdOf(service[17:], f)
			return
		}
		if has(service, "/smtp[") {
			return
		}
	}
	open := bytes.IndexByte(service[:min(len(service), 128)], '[')
	if open < 6 || (service[0] != '/' && service[0] != '-') || bytes.IndexByte(service[:open], ' ') >= 0 {
		return
	}
	switch name := service[:open]; {
	case bytes.HasSuffix(name, []byte("/smtpd")):
		smtpdOf(service[open:], f)
	case bytes.HasSuffix(name, []byte("/postscreen")):
		if msg, ok := afterPID(service[open:]); ok {
			postscreen(msg, f)
		}
	}
}

// smtpdOf reads "[PID]: MESSAGE" of smtpd.
func smtpdOf(b []byte, f *found) {
	msg, ok := afterPID(b)
	if !ok {
		return
	}
	if n, inner, ok := repeated(msg); ok {
		f.count, msg = n, inner
	}
	smtpd(msg, f)
}

// afterPID skips "[123]: ".
func afterPID(b []byte) ([]byte, bool) {
	for i := 1; i < min(len(b)-2, 12); i++ {
		if b[i] == ']' {
			return b[i+3:], i > 1 && b[i+1] == ':' && b[i+2] == ' '
		}
		if b[i] < '0' || b[i] > '9' {
			break
		}
	}
	return nil, false
}

// repeated reads the line that rsyslog writes for equal lines in a row:
// "message repeated 3 times: [ warning: …]".
func repeated(msg []byte) (n int, inner []byte, ok bool) {
	const head = "message repeated "
	if len(msg) < len(head) || msg[0] != 'm' || string(msg[:len(head)]) != head {
		return 0, nil, false
	}
	n, rest := number(msg[len(head):])
	inner, ok = bytes.CutPrefix(rest, []byte(" times: [ "))
	return n, inner, ok && n > 0
}

// number reads up to 7 decimal digits; 0 if there are none.
func number(b []byte) (n int, rest []byte) {
	i := 0
	for i < len(b) && i < 7 && '0' <= b[i] && b[i] <= '9' {
		n = n*10 + int(b[i]-'0')
		i++
	}
	return n, b[i:]
}

func has(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && string(b[:len(prefix)]) == prefix
}
