package maillog

import (
	"bytes"

	"fwsync/detect"
)

// postfix reads a line of any Postfix program: "postfix/smtpd[1]: ",
// "postfix-out/submission/smtpd[1]: ", "postfix/mx/postscreen[1]: ". The
// programs that write most are told apart first. It reports whether the tag is
// Postfix's.
func postfix(tagged []byte, f *found) bool {
	service := tagged[7:]
	if has(service, "/smtpd[") {
		return smtpdOf(service[6:], f)
	}
	switch service[1] {
	case 'q', 'l', 'a', 'b':
		if has(service, "/qmgr[") || has(service, "/lmtp[") || has(service, "/local[") || has(service, "/anvil[") || has(service, "/bounce[") {
			return true
		}
	case 'c':
		if has(service, "/cleanup[") {
			// All but what is refused is said in the first bytes behind the queue id.
			if msg, ok := afterPID(service[8:]); ok {
				cleanup(afterMessageID(msg), f)
			}
			return true
		}
	case 's':
		if has(service, "/submission/smtpd[") {
			return smtpdOf(service[17:], f)
		}
		if has(service, "/smtp[") {
			return true
		}
	}
	open := bytes.IndexByte(service[:min(len(service), 128)], '[')
	if open < 5 || (service[0] != '/' && service[0] != '-') || bytes.IndexByte(service[:open], ' ') >= 0 {
		return false
	}
	msg, ok := afterPID(service[open:])
	if ok {
		f.body = msg
		postfixProgram(service[:open], msg, f)
	}
	return ok
}

// postfixProgram reads a message of the program whose name ends as name does.
func postfixProgram(name, msg []byte, f *found) {
	msg = afterMessageID(msg)
	switch string(name[bytes.LastIndexByte(name, '/')+1:]) {
	case "smtpd":
		smtpdMessage(msg, f)
	case "postscreen":
		postscreen(msg, f)
	case "cleanup":
		cleanup(msg, f)
	case "tlsproxy":
		tlsproxy(msg, f)
	}
}

// smtpdOf reads "[PID]: MESSAGE" of smtpd.
func smtpdOf(b []byte, f *found) bool {
	msg, ok := afterPID(b)
	if ok {
		f.body = msg
		if has(msg, "[") { // seldom
			msg = afterMessageID(msg)
		}
		smtpdMessage(msg, f)
	}
	return ok
}

func smtpdMessage(msg []byte, f *found) {
	if has(msg, "m") { // seldom
		if n, inner, ok := repeated(msg); ok {
			f.count, msg = n, bytes.TrimSuffix(inner, []byte("]"))
		}
	}
	smtpd(msg, f)
}

// tlsproxy reads a message of what speaks TLS for postscreen.
//
//	TLS handshake failed for service=smtpd peer=[192.0.2.1]:48999
func tlsproxy(msg []byte, f *found) {
	switch rest := msg; {
	case has(msg, "SSL_accept error from "):
		f.by(detect.SMTPTLSFailed, msg[22:])
	case has(msg, "TLS handshake failed for service="):
		rest = rest[33:]
		if end := bytes.Index(rest[:min(len(rest), 40)], []byte(" peer=")); end >= 0 {
			f.by(detect.SMTPTLSFailed, rest[end+6:])
		}
	}
}
