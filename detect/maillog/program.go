package maillog

import (
	"bytes"
	"math/bits"
)

// dispatch reads "TAG[PID]: MESSAGE" and reports whether TAG is a program that we
// know, whatever the message says.
func dispatch(tagged []byte, f *found) bool {
	if len(tagged) < 6 {
		return false
	}
	switch tagged[0] {
	case 'a', 'm', 'l', 'u':
		tagged = afterPriority(tagged)
	case 'd':
		if tagged[1] == 'a' {
			tagged = afterPriority(tagged)
		}
	}
	if len(tagged) < 6 {
		return false
	}
	switch tagged[0] {
	case 'p':
		if has(tagged, "postfix") && len(tagged) > 10 {
			return postfix(tagged, f)
		}
	case 'd':
		if has(tagged, "dovecot") {
			body, ok := afterTag(tagged[7:])
			if ok {
				f.body = body
				dovecot(body, f)
			}
			return ok
		}
	case 's', 'e', 'i', 'm', 'S':
	default:
		return false
	}
	// What is left has names without a slash; a tag ends with a colon.
	n := 0
	for n < len(tagged) && n < 32 && tagged[n] != '[' && tagged[n] != ':' {
		if tagged[n] <= ' ' {
			return false
		}
		n++
	}
	if n < 4 || !known(tagged[:n]) {
		return false
	}
	body, ok := afterTag(tagged[n:])
	if ok {
		byName(tagged[:n], body, f)
	}
	return ok
}

// afterPriority skips "mail.info ", which BusyBox's syslogd writes between host and tag.
func afterPriority(b []byte) []byte {
	end := bytes.IndexByte(b[:min(len(b), 16)], ' ')
	if end < 0 {
		return b
	}
	dot := bytes.IndexByte(b[:end], '.')
	if dot < 0 {
		return b
	}
	switch string(b[:dot]) {
	case "mail", "auth", "authpriv", "daemon", "user",
		"local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7":
	default:
		return b
	}
	switch string(b[dot+1 : end]) {
	case "debug", "info", "notice", "warn", "warning", "err", "crit", "alert", "emerg":
		return b[end+1:]
	}
	return b
}

// byName reads a message of the program of this name.
func byName(name, body []byte, f *found) {
	f.body = body
	if has(name, "postfix") {
		postfixProgram(name, body, f)
		return
	}
	switch string(name) {
	case "dovecot":
		dovecot(body, f)
	case "imap-login", "pop3-login", "submission-login", "managesieve-login":
		login(name, body, f)
	case "sshd", "sshd-session", "sshd-auth":
		if n, inner, ok := repeated(body); ok {
			f.count, body = n, bytes.TrimSuffix(inner, []byte("]"))
		}
		sshd(body, f)
	case "exim", "exim4":
		exim(eximText(body), f)
	default:
		if known(name) {
			sendmail(body, f)
		}
	}
}

// known reports whether byName reads messages of this program.
func known(name []byte) bool {
	switch string(name) {
	case "dovecot", "imap-login", "pop3-login", "submission-login", "managesieve-login",
		"sshd", "sshd-session", "sshd-auth", "exim", "exim4", "sendmail":
		return true
	}
	return has(name, "sm-") || has(name, "sendmail-") || has(name, "postfix")
}

// afterTag skips "[123]: " or ": ", and the message id that Solaris adds.
func afterTag(b []byte) ([]byte, bool) {
	switch {
	case has(b, ": "):
		b = b[2:]
	case has(b, "["):
		rest, ok := afterPID(b)
		if !ok {
			return nil, false
		}
		b = rest
	default:
		return nil, false
	}
	return afterMessageID(b), true
}

// afterMessageID skips "[ID 197553 mail.info] ", which Solaris puts before a message.
func afterMessageID(b []byte) []byte {
	if has(b, "[ID ") {
		if end := bytes.Index(b[:min(len(b), 48)], []byte("] ")); end > 0 {
			return b[end+2:]
		}
	}
	return b
}

// afterPID skips "[123]: ".
func afterPID(b []byte) ([]byte, bool) {
	if len(b) >= 16 {
		// Numbers are of all lengths: their end is found without a loop.
		if end := bits.TrailingZeros32(noDigits(word(b[1:])) | 1<<8); end > 0 && end < 8 && string(b[1+end:4+end]) == "]: " {
			return b[4+end:], true
		}
	}
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
