package maillog

import (
	"bytes"
	"net/netip"

	"fwsync/detect"
)

// exim reads a line of Exim's main or reject log, behind its stamp.
//
//	ID <= SENDER H=NAME (HELO) [A] P=esmtpa A=login:U S=1 id=…
//	H=NAME (HELO) [A]:PORT I=[B]:25 X=TLS… F=<SENDER> rejected RCPT <R>: relay not permitted
//	login authenticator failed for NAME (HELO) [A]: 535 Incorrect authentication data (set_id=U)
//	SMTP call from NAME (HELO) [A] dropped: too many nonmail commands (last was "RSET")
//	SMTP syntax error in "COMMAND" H=NAME (HELO) [A] unrecognized command
//
// NAME and HELO come before the address, and commands do where one is quoted. HELO
// has neither blanks nor brackets inside, except where Exim was told to accept
// any; then a line with two addresses in the place for one is believed in neither.
func exim(msg []byte, f *found) {
	// The "rejected" of what came with a message stand behind its id.
	if id := eximID(msg); id > 0 {
		msg = msg[id:]
		if has(msg, "<= ") {
			eximAccepted(msg[3:], f)
			return
		}
	}
	if len(msg) < 12 {
		return
	}
	switch msg[0] {
	case 'H':
		if has(msg, "H=") {
			eximRejected(msg[2:], f)
		}
	case 'F':
		// F=SENDER H=NAME (HELO) [A] P=esmtp rejected by local_scan(): REASON
		if end := address(msg, ' '); has(msg, "F=") && has(msg[end:], " H=") && f.peer(0, msg[end+3:]) {
			if has(afterFields(f.body), " rejected by local_scan()") {
				f.kind = detect.SMTPRejectedContent
			}
		}
	case 'S':
		eximSMTP(msg, f)
	case 'T':
		// TLS error on connection from NAME (HELO) [A] (SSL_accept): error:…
		if has(msg, "TLS error on connection from ") && f.peer(detect.SMTPTLSFailed, msg[29:]) {
			if where := afterFields(f.body); !has(where, " (SSL_accept)") && !has(where, " (gnutls_handshake)") {
				f.kind = 0
			}
		}
	case 'r':
		if has(msg, "rejected EHLO from ") || has(msg, "rejected HELO from ") {
			f.peer(detect.SMTPRejectedHelo, bytes.TrimPrefix(msg[19:], []byte("H=")))
		}
		if has(msg, "refused connection from ") {
			f.peer(detect.SMTPRejectedClient, bytes.TrimPrefix(msg[24:], []byte("H=")))
		}
	case 'C':
		if has(msg, "Connection from ") {
			if f.peer(detect.SMTPRateLimited, msg[16:]) && !has(afterFields(f.body), " refused: too many connections") {
				f.kind = 0
			}
		}
	case 'n':
		if has(msg, "no MAIL in SMTP connection from ") {
			f.peer(detect.SMTPScan, msg[32:])
		}
	case 'u':
		switch {
		case has(msg, "unexpected disconnection while reading SMTP command from "):
			f.peer(detect.SMTPScan, msg[57:])
		case has(msg, "unqualified sender rejected: <"):
			f.quotedPeer(detect.SMTPRejectedSender, msg)
		case has(msg, "unqualified recipient rejected: <"):
			f.quotedPeer(detect.SMTPRejectedRecipient, msg)
		}
	}
	if f.kind == 0 {
		eximAuth(msg, f)
	}
	if f.kind == 0 {
		eximOld(msg, f)
	}
}

// eximText skips the stamp that Exim writes itself, also for syslog, and its process
// id.
func eximText(b []byte) []byte {
	if len(b) > 21 && b[4] == '-' {
		if end := yearStampEnd(b); end > 0 {
			b = b[end+1:]
		}
	}
	if has(b, "[") {
		if end := bytes.Index(b[:min(len(b), 16)], []byte("] ")); end > 1 {
			if _, ok := digits(b[1:end]); ok {
				b = b[end+2:]
			}
		}
	}
	return b
}

// eximID returns the length of a message id and the blank after it, 0 without one:
// "1rABCD-0001Zx-2Y " or, since 4.97, "1rABCD-000000001Zx-2YzA ".
func eximID(b []byte) int {
	for _, n := range [...]int{16, 23} {
		if len(b) > n+1 && b[n] == ' ' && b[6] == '-' && (b[13] == '-' || n == 23 && b[18] == '-') {
			return n + 1
		}
	}
	return 0
}

// peer reads "[NAME ][(HELO) ][A][:PORT]" and leaves what follows in f.body. It
// reports whether the shape is there; an address that could be another is none.
func (f *found) peer(kind detect.Kind, b []byte) bool {
	addr, rest, ok := eximPeer(b)
	if ok {
		f.kind, f.addr, f.body = kind, addr, rest
	}
	return ok
}

func eximPeer(b []byte) (addr netip.Addr, rest []byte, ok bool) {
	at := 0
	for at < len(b) && b[at] > ' ' && b[at] != '[' && b[at] != '(' && at < 256 {
		at++
	}
	if at > 0 {
		if !has(b[at:], " ") {
			return addr, nil, false
		}
		at++
	}
	twice := false
	if has(b[at:], "(") {
		end := bytes.Index(b[at:min(len(b), at+1024)], []byte(") ["))
		if end < 0 {
			return addr, nil, false
		}
		at += end + 2
		// Only a HELO name that may hold anything, or what a stranger wrote
		// behind the address, has this twice.
		if again := bytes.Index(b[at:], []byte(") [")); again >= 0 {
			other, _, ok := bracketed(b[at+again+2:])
			twice = ok && other.IsValid()
		}
	}
	addr, rest, ok = bracketed(b[at:])
	if !ok {
		return addr, nil, false
	}
	if twice {
		addr = netip.Addr{}
	}
	if len(rest) > 1 && rest[0] == ':' && '0' <= rest[1] && rest[1] <= '9' {
		_, rest = number(rest[1:])
	}
	if len(rest) > 0 && rest[0] != ' ' && rest[0] != ':' && rest[0] != ',' {
		return netip.Addr{}, rest, true
	}
	return addr, rest, true
}

// eximAuth reads "NAME authenticator failed for …", NAME being the configuration's. It is
// no bracket: "[2\4] …" is how Exim goes on with a line that is too long for syslog,
// where anything may stand.
func eximAuth(msg []byte, f *found) {
	const failed = " authenticator failed for "
	at := bytes.IndexByte(msg[:min(len(msg), 64)], ' ')
	if at <= 0 || msg[0] == '[' || !has(msg[at:], failed) {
		return
	}
	if !f.peer(detect.SMTPAuthFailed, bytes.TrimPrefix(msg[at+len(failed):], []byte("H="))) {
		return
	}
	why := bytes.Index(f.body, []byte(": 535 Incorrect authentication data"))
	if why < 0 { // "435 Unable to authenticate at present" is our trouble
		f.kind = 0
		return
	}
	f.account = eximSetID(f.body[why:])
}

// eximSetID reads "… (set_id=U)" at the end.
func eximSetID(b []byte) []byte {
	_, id, ok := bytes.Cut(b, []byte(" (set_id="))
	if !ok {
		return nil
	}
	return bounded(bytes.TrimSuffix(id, []byte(")")))
}

// eximAccepted reads what follows "ID <= ". A sender may be quoted, and then hold
// anything.
func eximAccepted(b []byte, f *found) {
	end := address(b, ' ')
	if end >= len(b) || !has(b[end:], " H=") {
		return // of our own users or programs
	}
	if !f.peer(detect.SMTPDelivered, b[end+3:]) {
		return
	}
	// The fields up to the first that a stranger writes (S=, id=, T=).
	rest := f.body
	if n := bytes.Index(rest, []byte(" S=")); n >= 0 {
		rest = rest[:n]
	}
	if at := bytes.Index(rest, []byte(" A=")); at >= 0 {
		f.kind = detect.SMTPAuthOK
		_, user, _ := bytes.Cut(rest[at+3:], []byte(":"))
		if end := bytes.IndexByte(user, ' '); end >= 0 {
			user = user[:end]
		}
		f.account = bounded(user)
	}
}

// address returns the length of a mail address at the start of b that ends before
// this byte; a quoted part may hold anything.
func address(b []byte, before byte) int {
	end := 0
	b = b[:min(len(b), 4096)] // more than Exim takes
	for quoted := false; end < len(b) && (quoted || b[end] != before); end++ {
		switch b[end] {
		case '\\':
			end++
		case '"':
			quoted = !quoted
		}
	}
	return min(end, len(b))
}

// afterFields skips what Exim tells about a connection: ` I=[B]:25 U=u X=… CV=no
// DN="…" F=<S> A=login:u`, each with the blank before it.
func afterFields(b []byte) []byte {
	for has(b, " ") {
		equals := bytes.IndexByte(b[:min(len(b), 6)], '=')
		if equals < 2 {
			break
		}
		value := b[equals+1:]
		end := address(value, ' ')
		if has(value, "<") {
			end = address(value, '>') + 1
		}
		b = value[min(end, len(value)):]
	}
	return b
}

// eximRejected reads what follows "H=".
func eximRejected(b []byte, f *found) {
	if !f.peer(0, b) {
		return
	}
	// What follows is a stranger's text as well; it harms itself only.
	rest := afterFields(f.body)
	if !has(rest, " rejected ") {
		// "temporarily rejected", "sender verify fail for", "Warning: "
		if has(rest, " temporarily rejected connection in ") && bytes.Contains(rest[:min(len(rest), 160)], []byte("ratelimit")) {
			f.kind = detect.SMTPRateLimited
		}
		return
	}
	what := rest[10:]
	_, why, _ := bytes.Cut(what, []byte(": "))
	switch {
	case has(what, "RCPT "):
		f.kind = eximRecipient(why)
	case has(what, "MAIL"):
		f.kind = detect.SMTPRejectedSender
	case has(what, "EHLO or HELO "), has(what, "EHLO "), has(what, "HELO "):
		f.kind = detect.SMTPRejectedHelo
	case has(what, "connection"), has(what, "AUTH"), has(what, "STARTTLS"), has(what, "ETRN"):
		f.kind = detect.SMTPRejectedClient
	case has(what, "VRFY"):
		f.kind = detect.SMTPRejectedRecipient
	case has(what, "EXPN"):
		f.kind = detect.SMTPDangerousCommand
	case has(what, "after DATA"), has(what, "DATA"), has(what, "during MIME"):
		f.kind = detect.SMTPRejectedContent
	}
}

// eximRecipient tells why a recipient was refused, by the words of the default
// configuration and of Exim itself.
func eximRecipient(why []byte) detect.Kind {
	switch {
	case has(why, "Relay"), has(why, "relay"), has(why, "Rejected relay attempt"):
		return detect.SMTPRelayDenied
	case has(why, "Sender verify failed"), has(why, "sender verify"), has(why, "Sender "):
		return detect.SMTPRejectedSender
	case has(why, "found in "), blocklisted(why):
		return detect.SMTPRejectedClient
	case greylisted(why):
		return 0
	}
	return detect.SMTPRejectedRecipient
}

// blocklisted reports whether a refusal's own words say that the client is on a list.
func blocklisted(why []byte) bool {
	why = why[:min(len(why), 160)]
	for _, words := range [...]string{"list at ", " listed ", "blacklist", "blocklist", "blackhole", " RBL", "mail blocked "} {
		if bytes.Contains(why, []byte(words)) {
			return true
		}
	}
	return false
}

// eximSMTP reads the lines that begin with "SMTP ".
func eximSMTP(msg []byte, f *found) {
	switch {
	case has(msg, "SMTP call from "):
		if f.peer(detect.SMTPTooManyErrors, msg[15:]) && !bytes.Contains(f.body[:min(len(f.body), 120)], []byte(" dropped: too many ")) {
			f.kind = 0
		}
	case has(msg, "SMTP protocol synchronization error ("), has(msg, "SMTP protocol violation: synchronization error ("): // the latter of old
		f.quotedPeer(detect.SMTPPipelining, msg)
	case has(msg, "SMTP syntax error in "), has(msg, "SMTP protocol error in "):
		eximError(msg, f)
	case has(msg, "SMTP command timeout on connection from "):
		f.peer(detect.SMTPScan, bytes.TrimPrefix(msg[40:], []byte("H=")))
	case has(msg, "SMTP command timeout on TLS connection from "):
		f.peer(detect.SMTPScan, bytes.TrimPrefix(msg[44:], []byte("H=")))
	case has(msg, "SMTP connection from "):
		// How most connections begin and end; a rule's "drop" is a refusal.
		if f.peer(detect.SMTPRejectedClient, msg[21:]) && !has(afterFields(f.body), " closed by DROP in ACL") {
			f.kind = 0
		}
	}
}

// eximError reads `in "COMMAND" H=… REASON`.
func eximError(msg []byte, f *found) {
	at := bytes.IndexByte(msg, '"')
	if at < 0 || !f.quotedPeer(detect.SMTPNonSMTPCommand, msg) {
		return
	}
	command := msg[at+1:]
	switch why := f.body; {
	case dangerous(command):
		f.kind = detect.SMTPDangerousCommand
	case bytes.Contains(why, []byte(" AUTH command used when not advertised")), bytes.Contains(why, []byte(" authentication mechanism not supported")):
		f.kind = detect.SMTPAuthFailed
	case bytes.Contains(why, []byte("unrecognized command")), bytes.Contains(why, []byte("NUL character")), bytes.Contains(why, []byte("NULL character")):
	default:
		f.kind = 0 // honest clients have bad syntax as well
	}
}

// quotedPeer reads the only "H=" of a line; text that a stranger wrote may come
// before and behind, so there must be no other.
func (f *found) quotedPeer(kind detect.Kind, msg []byte) bool {
	const start = " H="
	at := bytes.Index(msg, []byte(start))
	if at < 0 {
		return false
	}
	msg = msg[at+len(start):]
	if !f.peer(kind, msg) {
		return false
	}
	if bytes.Contains(msg, []byte(start)) {
		f.addr = netip.Addr{}
	}
	return true
}
