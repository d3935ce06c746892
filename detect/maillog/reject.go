package maillog

import (
	"bytes"

	"fwsync/detect"
)

// rejected reads what follows "reject: ":
//
//	RCPT from HOST[ADDR]: 554 5.7.1 <RCPT>: Relay access denied; from=<S> to=<RCPT> proto=ESMTP helo=<H>
//
// RCPT, S and H are the client's text. Only the client itself can be harmed by
// what it writes there, and only by being counted for another refusal.
func rejected(b []byte, f *found) {
	end := bytes.IndexByte(b[:min(len(b), 24)], ' ')
	if end < 0 || !has(b[end:], " from ") {
		return
	}
	command := b[:end]
	addr, text, ok := client(b[end+6:])
	if !ok || !has(text, ": ") {
		return
	}
	reason := reasonOf(text[2:])
	f.addr = addr
	switch {
	case has(reason, "Relay access denied") && string(command) == "RCPT":
		f.kind = detect.SMTPRelayDenied
	case has(reason, "Recipient address rejected: ") && has(reason[28:], "User unknown") && (string(command) == "RCPT" || string(command) == "VRFY"):
		f.kind = detect.SMTPRejectedRecipient
	case has(reason, "Helo command rejected: "):
		f.kind = detect.SMTPRejectedHelo
	}
}

// reasonOf returns the daemon's reason in "554 5.7.1 <WHAT>: REASON; from=…".
func reasonOf(b []byte) []byte {
	code, rest := number(b)
	if code < 400 || code > 599 || !has(rest, " ") {
		return nil
	}
	rest = rest[1:]
	if len(rest) > 2 && (rest[0] == '4' || rest[0] == '5') && rest[1] == '.' {
		end := bytes.IndexByte(rest[:min(len(rest), 12)], ' ')
		if end < 0 {
			return nil
		}
		rest = rest[end+1:]
	}
	if !has(rest, "<") {
		return nil
	}
	if bytes.IndexByte(rest, '"') >= 0 {
		if reason, ok := afterQuoted(rest); ok {
			return reason
		}
	}
	_, reason, _ := bytes.Cut(rest, []byte(">: "))
	return reason
}

// afterQuoted is for a recipient whose quoted local part may hold anything,
// ">: Relay access denied" too. WHAT is then the recipient that stands again,
// quoted, at the very end of to=<…>, before proto=; the HELO name after that
// holds no blanks. The longest WHAT that fits is the daemon's; 32 are tried,
// so that a line cannot cost more than its length's worth of work.
func afterQuoted(b []byte) ([]byte, bool) {
	end := bytes.LastIndex(b, []byte("> proto="))
	if end < 0 {
		return nil, false
	}
	for at, tries := end, 0; tries < 32; tries++ {
		at = bytes.LastIndex(b[:at], []byte(">: "))
		if at < 0 {
			break
		}
		if endsWithQuoted(b[:end], b[1:at]) {
			return b[at+3:], true
		}
	}
	return nil, false
}

// endsWithQuoted reports whether b ends with " to=<" and plain, after leaving
// out the quotes and backslashes that plain does not have.
func endsWithQuoted(b, plain []byte) bool {
	i, j := len(b), len(plain)
	for i > 0 && j > 0 {
		i--
		switch c := b[i]; {
		case c == plain[j-1]:
			j--
		case c != '"' && c != '\\':
			return false
		}
	}
	for i > 0 && (b[i-1] == '"' || b[i-1] == '\\') {
		i--
	}
	return j == 0 && bytes.HasSuffix(b[:i], []byte(" to=<"))
}
