package maillog

import (
	"bytes"

	"fwsync/detect"
)

// smtpd reads a message of Postfix's SMTP server, whatever the service is
// called. The order is by how often a busy server writes each.
func smtpd(msg []byte, f *found) {
	if len(msg) < 16 {
		return
	}
	switch {
	case msg[0] == 'c' && has(msg, "connect from "), msg[0] == 'd' && has(msg, "disconnect from "):
	case msg[0] == 'w' && has(msg, "warning: "):
		warning(msg[9:], f)
	case msg[0] == 'l' && has(msg, "lost connection after "):
		ended(msg[22:], detect.SMTPScan, f)
	case msg[0] == 't' && has(msg, "too many errors after "):
		ended(msg[22:], detect.SMTPTooManyErrors, f)
	case msg[0] == 'i' && has(msg, "improper command pipelining after "):
		ended(msg[34:], detect.SMTPPipelining, f)
	case msg[0] == 'S' && has(msg, "SSL_accept error from "):
		f.by(detect.SMTPTLSFailed, msg[22:])
	default:
		queued(msg, f)
	}
}

// by reads HOST[ADDR] at the start of b.
func (f *found) by(kind detect.Kind, b []byte) {
	f.kind = kind
	f.addr, _, _ = client(b)
}

// ended reads "X from HOST[ADDR]", X being the daemon's name of the last command.
func ended(b []byte, kind detect.Kind, f *found) {
	end := bytes.IndexByte(b[:min(len(b), 24)], ' ')
	if end < 0 {
		return
	}
	if kind == detect.SMTPScan {
		// After AUTH, MAIL, RCPT or DATA a lost connection says little: honest
		// clients on bad lines lose it there too.
		switch string(b[:end]) {
		case "CONNECT", "EHLO", "HELO", "STARTTLS", "UNKNOWN", "RSET", "NOOP", "QUIT", "HELP", "VRFY", "EXPN", "ETRN":
		default:
			return
		}
	}
	b = b[end:]
	if has(b, " (") { // "DATA (123 bytes)"
		end = bytes.IndexByte(b[:min(len(b), 32)], ')')
		if end < 0 {
			return
		}
		b = b[end+1:]
	}
	if !has(b, " from ") {
		return
	}
	f.by(kind, b[6:])
}

// warning reads what follows "warning: ".
func warning(b []byte, f *found) {
	if has(b, "non-SMTP command from ") {
		f.by(detect.SMTPNonSMTPCommand, b[22:])
		return
	}
	addr, rest, ok := client(b)
	if !ok {
		rateLimited(b, f)
		return
	}
	if has(rest, ": SASL ") && clientFailed(rest[7:]) {
		f.kind, f.addr = detect.SMTPAuthFailed, addr
	}
}

// clientFailed reads "MECHANISM authentication failed: REASON, …" and reports
// whether it is the client's failure. The mechanism is the client's own text;
// one that is no mechanism's name was never tried.
func clientFailed(b []byte) bool {
	n := 0
	for n < len(b) && mechanismByte(b[n]) {
		n++
	}
	if n == 0 || n > 20 || !has(b[n:], " authentication failed") {
		return false
	}
	reason, ok := bytes.CutPrefix(b[n+22:], []byte(": "))
	if !ok {
		return len(b) == n+22
	}
	// The server could not ask its password service: nobody's failure, and
	// counting it would block everybody while that service is down.
	// "generic failure" is how Cyrus SASL says so.
	for _, r := range [...]string{"Connection lost to authentication server", "Temporary authentication failure", "temporary failure", "generic failure"} {
		if has(reason, r) {
			return false
		}
	}
	return true
}

func mechanismByte(c byte) bool {
	return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}

// rateLimited reads "Connection rate limit exceeded: 61 from HOST[ADDR] for service smtp".
func rateLimited(b []byte, f *found) {
	for _, what := range [...]string{"Connection rate", "Connection concurrency", "AUTH command rate", "Message delivery request rate", "Recipient address rate", "New TLS session rate"} {
		if has(b, what) && has(b[len(what):], " limit exceeded: ") {
			_, rest := number(b[len(what)+17:])
			if has(rest, " from ") {
				f.by(detect.SMTPRateLimited, rest[6:])
			}
			return
		}
	}
}

// queued reads "ID: client=…" and "ID: reject: …", ID being a queue id or NOQUEUE.
func queued(msg []byte, f *found) {
	end := 0
	for end < len(msg) && end < 24 && msg[end] != ':' {
		if c := msg[end]; c < '0' || c > '9' && c < 'A' || c > 'Z' && c < 'a' || c > 'z' {
			return
		}
		end++
	}
	rest := msg[end:]
	switch {
	case end < 6:
	case has(rest, ": client="):
		f.kind = detect.SMTPDelivered
		f.addr, rest, _ = client(rest[9:])
		if has(rest, ", sasl_method=") {
			f.kind = detect.SMTPAuthOK
		}
	case has(rest, ": reject: "):
		rejected(rest[10:], f)
	}
}
