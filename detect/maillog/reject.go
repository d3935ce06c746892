package maillog

import (
	"bytes"
	"net/netip"

	"fwsync/detect"
)

// rejected reads what follows "reject: ":
//
//	RCPT from HOST[ADDR]: 554 5.7.1 <RCPT>: Relay access denied; from=<S> to=<RCPT> proto=ESMTP helo=<H>
//	RCPT from HOST[ADDR]: 554 5.7.1 Service unavailable; Client host [ADDR] blocked using LIST; …
//
// RCPT, S and H are the client's text. Only the client itself can be harmed by
// what it writes there, and only by being counted for another refusal.
func rejected(b []byte, f *found) {
	command, addr, text, ok := refusal(b)
	if !ok {
		return
	}
	f.addr = addr
	code, what, reason := reasonOf(text)
	switch {
	case code == 0:
	case has(reason, "Relay access denied"):
		if string(command) == "RCPT" || string(command) == "VRFY" {
			f.kind = detect.SMTPRelayDenied
		}
	case has(reason, "Recipient address rejected: Relay access denied"): // of the oldest
		f.kind = detect.SMTPRelayDenied
	case has(reason, "Recipient address rejected: "):
		if code >= 500 || has(reason[28:], "User unknown") || has(reason[28:], "undeliverable address") || has(reason[28:], "Domain not found") || has(reason[28:], "Access denied") {
			f.kind = detect.SMTPRejectedRecipient
		}
	case has(reason, "Sender address rejected: "):
		switch {
		case has(reason[25:], "unverified address"): // we have not finished asking
		case code < 500 && transient(reason[25:]):
		case has(what, "<>: "):
			f.kind = detect.SMTPNullSenderAbuse
		default:
			f.kind = detect.SMTPRejectedSender
		}
	case has(reason, "Bad sender address syntax"):
		f.kind = detect.SMTPRejectedSender
	case has(reason, "Bad recipient address syntax"), has(reason, "User unknown in "): // the latter of the oldest
		f.kind = detect.SMTPRejectedRecipient
	case has(reason, "Etrn command rejected: "):
		if code >= 500 {
			f.kind = detect.SMTPRejectedClient
		}
	case has(reason, "Helo command rejected: "):
		if code >= 500 || !transient(reason[23:]) {
			f.kind = detect.SMTPRejectedHelo
		}
	case has(reason, "Unverified Client host rejected: "), has(reason, "SASL login name rejected: "):
		if code >= 500 || !greylisted(reason) {
			f.kind = detect.SMTPRejectedClient
		}
	case has(reason, "Client host rejected: "):
		// What is refused for pipelining has a line of its own.
		if !has(reason[22:], "Improper use of SMTP command pipelining") && (code >= 500 || !transient(reason[22:])) {
			f.kind = detect.SMTPRejectedClient
		}
	case has(reason, "Data command rejected: "), has(reason, "End-of-data rejected: "):
		switch rest := reason[bytes.IndexByte(reason, ':')+2:]; {
		case has(rest, "Multi-recipient bounce"):
			f.kind = detect.SMTPNullSenderAbuse
		case code < 500 && transient(rest):
		case !has(rest, "Improper use of SMTP command pipelining"):
			f.kind = detect.SMTPRejectedContent
		}
	case has(what, "Service unavailable; "):
		f.kind = listed(what[len("Service unavailable; "):])
	case has(what, "Service denied; "): // an own default_rbl_reply
		f.kind = listed(what[len("Service denied; "):])
	case string(what) == "Service unavailable" && code >= 500:
		f.kind = detect.SMTPRejectedClient
	case bytes.HasPrefix(command, []byte("bare <")), bareLineEnd(text):
		f.kind = detect.SMTPHeaderInjection
	}
}

// refusal reads "WHERE from HOST[ADDR]: TEXT".
func refusal(b []byte) (where []byte, addr netip.Addr, text []byte, ok bool) {
	end := bytes.IndexByte(b[:min(len(b), 24)], ' ')
	if has(b, "bare <") { // "bare <LF> received"
		end = len("bare <LF> received")
	}
	if end < 0 || len(b) < end || !has(b[end:], " from ") {
		return nil, addr, nil, false
	}
	addr, text, ok = client(b[end+6:])
	if !ok || !has(text, ": ") || len(text) < 8 {
		return nil, addr, nil, false
	}
	return b[:end], addr, text[2:], true
}

// listed reads "Client host [ADDR] blocked using LIST; TEXT", the list's own.
func listed(b []byte) detect.Kind {
	text := b
	if at := bytes.Index(b, []byte("; from=<")); at >= 0 {
		text = b[:at]
	}
	switch {
	case bytes.Contains(text, []byte("; Error: open resolver")): // Spamhaus does not answer ours, whoever the client is
	case has(b, "Client host ["), has(b, "Unverified Client host ["), has(b, "["):
		return detect.SMTPRejectedClient
	case has(b, "Sender address ["):
		return detect.SMTPRejectedSender
	case has(b, "Helo command ["):
		return detect.SMTPRejectedHelo
	case has(b, "Recipient address ["):
		return detect.SMTPRejectedRecipient
	}
	return 0
}

// transient reports whether a refusal asks honest servers to come back, too: they are
// greylisted, or our own lookups or settings failed.
func transient(reason []byte) bool {
	return greylisted(reason) || has(reason, "Server configuration ") || has(reason, "address verification problem") || has(reason, "Unable to ") ||
		has(reason, "Try again later") || has(reason, "defer_if_")
}

// greylisted reports whether a refusal asks honest servers to come back, too.
func greylisted(reason []byte) bool {
	reason = reason[:min(len(reason), 96)]
	return bytes.Contains(reason, []byte("reylist")) || bytes.Contains(reason, []byte("raylist"))
}

// bareLineEnd reads "550 5.5.2 OURNAME Error: bare <LF> received".
func bareLineEnd(text []byte) bool {
	at := bytes.Index(text[:min(len(text), 300)], []byte(" Error: bare <"))
	return at > 0 && bytes.Count(text[:at], []byte(" ")) == 2
}

// filtered reads what follows "milter-reject: " or "proxy-reject: ": a refusal in the
// filter's own words.
//
//	END-OF-MESSAGE from HOST[ADDR]: 5.7.1 Spam message rejected; from=<S> to=<R> proto=ESMTP helo=<H>
//	RCPT from HOST[ADDR]: 550 5.7.1 Command rejected; from=<S> to=<R> proto=ESMTP helo=<H>
func filtered(b []byte, f *found) {
	where, addr, text, ok := refusal(b)
	if !ok || text[0] != '5' { // asked to come back
		return
	}
	// How Postfix refuses everybody while a filter is down (milter_default_action = reject).
	if has(bytes.TrimPrefix(text, []byte("550 ")), "5.5.0 Service unavailable") {
		return
	}
	switch string(where) {
	case "CONNECT":
		f.kind = detect.SMTPRejectedClient
	case "EHLO", "HELO":
		f.kind = detect.SMTPRejectedHelo
	case "MAIL":
		f.kind = detect.SMTPRejectedSender
	case "RCPT":
		f.kind = detect.SMTPRejectedRecipient
	case "DATA", "END-OF-MESSAGE", "BDAT":
		f.kind = detect.SMTPRejectedContent
	case "UNKNOWN":
		f.kind = detect.SMTPNonSMTPCommand
	default:
		return
	}
	f.addr = addr
}

// reasonOf splits "554 5.7.1 <WHAT>: REASON; from=…" into the code, what begins with
// WHAT, and the daemon's reason.
func reasonOf(b []byte) (code int, what, reason []byte) {
	code, rest := number(b)
	if code < 400 || code > 599 || !has(rest, " ") {
		return 0, nil, nil
	}
	rest = rest[1:]
	if len(rest) > 2 && (rest[0] == '4' || rest[0] == '5') && rest[1] == '.' {
		end := bytes.IndexByte(rest[:min(len(rest), 12)], ' ')
		if end < 0 {
			return 0, nil, nil
		}
		rest = rest[end+1:]
	}
	if has(rest, ": ") { // where somebody took all that is in <> out of a log
		return code, rest, rest[2:]
	}
	if !has(rest, "<") { // "450 4.7.25 Client host rejected: cannot find your hostname, [A]"
		return code, rest, rest
	}
	if len(rest) < maxCommand && bytes.IndexByte(rest, '"') >= 0 {
		if reason, ok := afterQuoted(rest); ok {
			return code, rest, reason
		}
	}
	_, reason, _ = bytes.Cut(rest, []byte(">: "))
	return code, rest, reason
}

// maxCommand is more than a recipient and a sender can have: Postfix takes lines of
// 2,048 bytes.
const maxCommand = 8192

// afterQuoted is for a recipient whose quoted local part may hold anything,
// ">: Relay access denied" too. WHAT is then the recipient that stands again,
// quoted, at the very end of to=<…>, before proto=; the HELO name after that
// holds no blanks. The longest WHAT that fits is the daemon's; a few are tried,
// so that a line cannot cost more than its length's worth of work.
func afterQuoted(b []byte) ([]byte, bool) {
	end := bytes.LastIndex(b, []byte("> proto="))
	if end < 0 {
		return nil, false
	}
	for at, work := end, 0; work < max(2*len(b), 1024); work += 32 {
		at = bytes.LastIndex(b[:at], []byte(">: "))
		if at < 0 {
			break
		}
		ok, n := endsWithQuoted(b[:end], b[1:at])
		if work += n; ok {
			return b[at+3:], true
		}
	}
	return nil, false
}

// endsWithQuoted reports whether b ends with " to=<" and plain, after leaving
// out the quotes and backslashes that plain does not have, and how much it read.
func endsWithQuoted(b, plain []byte) (ok bool, work int) {
	i, j := len(b), len(plain)
	for i > 0 && j > 0 {
		i--
		switch c := b[i]; {
		case c == plain[j-1]:
			j--
		case c != '"' && c != '\\':
			return false, len(b) - i
		}
	}
	for i > 0 && (b[i-1] == '"' || b[i-1] == '\\') {
		i--
	}
	return j == 0 && bytes.HasSuffix(b[:i], []byte(" to=<")), len(b) - i
}
