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
	switch msg[0] {
	case 'c':
		if !has(msg, "connect from ") {
			queued(msg, f)
		}
	case 'd':
		if has(msg, "disconnect from ") {
			disconnected(msg[16:], f)
		} else {
			queued(msg, f)
		}
	case 'w':
		if has(msg, "warning: ") {
			warning(msg[9:], f)
		} else {
			queued(msg, f)
		}
	case 'l', 't', 'i', 'b':
		if !afterCommand(msg, f) {
			queued(msg, f)
		}
	case 'S':
		if has(msg, "SSL_accept error from ") {
			f.by(detect.SMTPTLSFailed, msg[22:])
		} else {
			queued(msg, f)
		}
	default:
		queued(msg, f)
	}
}

// afterCommand reads what the daemon says of a session by its last command, and reports
// whether it is that:
//
//	lost connection after AUTH from HOST[ADDR]
//	bare <LF> received after DATA (12 bytes) from HOST[ADDR]
func afterCommand(msg []byte, f *found) bool {
	switch {
	case has(msg, "lost connection after "):
		ended(msg[22:], detect.SMTPScan, f)
	case has(msg, "timeout after "):
		ended(msg[14:], detect.SMTPScan, f)
	case has(msg, "too many errors after "):
		ended(msg[22:], detect.SMTPTooManyErrors, f)
	case has(msg, "improper command pipelining after "):
		ended(msg[34:], detect.SMTPPipelining, f)
	case has(msg, "bare <LF> received after "):
		ended(msg[25:], detect.SMTPHeaderInjection, f)
	default:
		return false
	}
	return true
}

// by reads HOST[ADDR] at the start of b.
func (f *found) by(kind detect.Kind, b []byte) {
	f.kind = kind
	f.addr, _, _ = client(b)
}

// disconnected reads "HOST[ADDR] ehlo=1 auth=0/2 quit=1 commands=2/4": two AUTH
// commands and no success. smtpd warns of each password that was wrong, but says
// nothing where AUTH was refused before one was asked for: as it is on a port that
// offers none. What a session lost in the middle of AUTH is counted as failed here
// too, and is no failure: see ended.
func disconnected(b []byte, f *found) {
	end := len(b) - 1
	for end > 0 && '0' <= b[end] && b[end] <= '9' {
		end--
	}
	if end < 0 || b[end] != '/' { // "commands=2/4": all succeeded
		return
	}
	addr, rest, ok := client(b)
	if !ok {
		return
	}
	good, rest := number(tried(rest))
	if !has(rest, "/") {
		return
	}
	if all, _ := number(rest[1:]); all > good {
		f.kind, f.part, f.count, f.addr = detect.SMTPAuthFailed, detect.Closing, all-good, addr
	}
}

// tried returns what follows " auth=" in " ehlo=1 auth=0/2 quit=1 commands=2/4"; nothing
// without it.
func tried(b []byte) []byte {
	for len(b) > 6 && b[0] == ' ' {
		if b[1] == 'a' && has(b, " auth=") {
			return b[6:]
		}
		next := bytes.IndexByte(b[1:], ' ')
		if next < 0 {
			return nil
		}
		b = b[1+next:]
	}
	return nil
}

// ended reads "X from HOST[ADDR]", X being the daemon's name of the last command.
func ended(b []byte, kind detect.Kind, f *found) {
	end := bytes.IndexByte(b[:min(len(b), 24)], ' ')
	if end < 0 {
		return
	}
	if kind == detect.SMTPScan {
		// After MAIL, RCPT or DATA a lost connection says little: honest
		// clients on bad lines lose it there too.
		switch string(b[:end]) {
		case "CONNECT", "EHLO", "HELO", "STARTTLS", "UNKNOWN", "RSET", "NOOP", "QUIT", "HELP", "VRFY", "EXPN", "ETRN":
		case "AUTH":
			kind, f.part = detect.SMTPAuthFailed, detect.Aside
		default:
			return
		}
	}
	b = b[end:]
	if has(b, " (") { // "DATA (123 bytes)", "DATA (approximately 0 bytes)"
		end = bytes.IndexByte(b[:min(len(b), 48)], ')')
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
		var command []byte
		f.kind = detect.SMTPNonSMTPCommand
		f.addr, command, _ = client(b[22:])
		if has(command, ": ") && dangerous(command[2:]) {
			f.kind = detect.SMTPDangerousCommand
		}
		return
	}
	addr, rest, ok := client(b)
	if !ok {
		if has(b, "Illegal address syntax from ") {
			illegalAddress(b[28:], f)
		} else {
			rateLimited(b, f)
		}
		return
	}
	if !has(rest, ": SASL ") {
		// " sent Subject: header instead of SMTP command: …", " sent non-SMTP command: …",
		// of the oldest
		switch command, old := bytes.CutPrefix(rest, []byte(" sent non-SMTP command: ")); {
		case old && dangerous(command):
			f.kind, f.addr = detect.SMTPDangerousCommand, addr
		case old, has(rest, " sent ") && bytes.Contains(rest[:min(len(rest), 64)], []byte(" header instead of SMTP command: ")):
			f.kind, f.addr = detect.SMTPNonSMTPCommand, addr
		}
		return
	}
	f.kind, f.addr, f.part = detect.SMTPAuthFailed, addr, detect.Counted
	if !clientFailed(rest[7:], f) {
		f.part = detect.Aside
	}
}

// dangerous reports whether a command is one that only an intruder sends.
func dangerous(command []byte) bool {
	if len(command) < 3 {
		return false
	}
	word := command[:min(len(command), 5)]
	if end := bytes.IndexByte(word, ' '); end >= 0 {
		word = word[:end]
	}
	for _, w := range [...]string{"DEBUG", "WIZ", "EXPN"} {
		if bytes.EqualFold(word, []byte(w)) {
			return true
		}
	}
	return false
}

// clientFailed reads "MECHANISM authentication failed: REASON, sasl_username=U" and
// reports whether it is the client's failure. The mechanism is the client's own text;
// one that is no mechanism's name was never tried.
func clientFailed(b []byte, f *found) bool {
	n := 0
	if len(b) >= 8 {
		n = alphanumerics(word(b)) // at once, as far as that goes
	}
	for n < len(b) && mechanismByte(b[n]) {
		n++
	}
	if n == 0 || n > 20 || !has(b[n:], " authentication failed") {
		return false
	}
	b = b[n+22:]
	reason, ok := bytes.CutPrefix(b, []byte(": "))
	if !ok { // without a reason, whose blank some daemons cut off
		return len(b) == 0 || string(b) == ":"
	}
	// The server could not ask its password service: nobody's failure, and
	// counting it would block everybody while that service is down.
	// "generic failure" is how Cyrus SASL says so.
	if len(reason) > 0 {
		switch reason[0] {
		case 'C', 'T', 't', 'g':
			if has(reason, "Connection lost to authentication server") || has(reason, "Temporary authentication failure") || has(reason, "temporary failure") || has(reason, "generic failure") {
				return false
			}
		}
	}
	for at := bytes.IndexByte(reason, ','); at >= 0; at = bytes.IndexByte(reason, ',') {
		if has(reason[at:], ", sasl_username=") {
			if user := reason[at+16:]; string(user) != "(unavailable)" {
				f.account = bounded(user)
			}
			break
		}
		reason = reason[at+1:]
	}
	return true
}

func mechanismByte(c byte) bool {
	return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}

// illegalAddress reads "HOST[ADDR] in MAIL command: <…>".
func illegalAddress(b []byte, f *found) {
	addr, rest, _ := client(b)
	switch {
	case has(rest, " in MAIL command: "):
		f.kind, f.addr = detect.SMTPRejectedSender, addr
	case has(rest, " in RCPT command: "):
		f.kind, f.addr = detect.SMTPRejectedRecipient, addr
	}
}

// rateLimited reads "Connection rate limit exceeded: 61 from HOST[ADDR] for service smtp".
func rateLimited(b []byte, f *found) {
	for _, what := range [...]string{"Connection rate", "Connection concurrency", "AUTH command rate", "Message delivery request rate", "Recipient address rate", "New TLS session rate"} {
		if has(b, what) && has(b[len(what):], " limit exceeded: ") {
			_, rest := number(b[len(what)+17:])
			if has(rest, " from ") {
				f.by(detect.SMTPRateLimited, rest[6:])
				if what == "AUTH command rate" {
					f.part = detect.Counted
				}
			}
			return
		}
	}
}

// queued reads "ID: client=…" and "ID: reject: …", ID being a queue id or NOQUEUE.
func queued(msg []byte, f *found) {
	rest := afterQueueID(msg)
	if len(rest) < 12 {
		return
	}
	switch {
	case has(rest, ": client="):
		f.kind = detect.SMTPDelivered
		f.addr, rest, _ = client(rest[9:])
		if has(rest, ", sasl_method=") {
			f.kind = detect.SMTPAuthOK
			f.account = saslUser(rest)
		}
	case has(rest, ": reject: "):
		rejected(rest[10:], f)
	case has(rest, ": milter-reject: "):
		filtered(rest[17:], f)
	case has(rest, ": proxy-reject: "):
		filtered(rest[16:], f)
	case has(rest, ": abort: TLS from "): // a client's certificate that was required
		f.by(detect.SMTPTLSFailed, rest[18:])
	case has(msg, "reject: "): // of the oldest, without an id
		rejected(msg[8:], f)
	case has(rest, ": "): // how a session ended has an id since 3.10
		afterCommand(rest[2:], f)
	}
}

// afterQueueID returns what follows a queue id, from the colon on; nothing if there
// is no queue id.
func afterQueueID(msg []byte) []byte {
	end := 0
	if len(msg) >= 16 {
		if end = alphanumerics(word(msg)); end == 8 {
			end += alphanumerics(word(msg[8:]))
		}
	}
	for end < len(msg) && end < 24 && msg[end] != ':' {
		if c := msg[end]; c < '0' || c > '9' && c < 'A' || c > 'Z' && c < 'a' || c > 'z' {
			return nil
		}
		end++
	}
	if end < 4 {
		return nil
	}
	return msg[end:]
}

// saslUser reads ", sasl_method=PLAIN, sasl_username=U[, sasl_sender=S]".
func saslUser(b []byte) []byte {
	at := bytes.Index(b, []byte(", sasl_username="))
	if at < 0 {
		return nil
	}
	b = b[at+16:]
	if end := bytes.IndexByte(b, ','); end >= 0 {
		b = b[:end]
	}
	return bounded(b)
}
