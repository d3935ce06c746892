package maillog

import (
	"bytes"
	"net/netip"

	"fwsync/detect"
)

// maxLogin is the longest login line that is believed. The user name comes
// before the address, so a line that a syslog daemon cut off (the oldest do at
// 1,024 bytes) may end inside a user name that imitates the address. Genuine
// lines have some 200 bytes.
const maxLogin = 900

// dovecot reads "dovecot: imap-login: …". Its auth process repeats failures
// that smtpd and imap-login report, so that is not read.
//
//	imap-login: Login: user=<U>, method=PLAIN, rip=A, lip=B, mpid=1, TLS, session=<S>
//	imap-login: Disconnected: … (auth failed, 3 attempts in 2 secs): user=<U>, method=PLAIN, rip=A, lip=B, session=<S>
func dovecot(tagged []byte, f *found) {
	msg := tagged[7:]
	if msg[0] == '[' {
		rest, ok := afterPID(msg)
		if !ok {
			return
		}
		msg = rest
	} else if has(msg, ": ") {
		msg = msg[2:]
	}
	if !has(msg, "imap-login: ") {
		return
	}
	msg = msg[12:]
	if has(msg, "Login: user=<") {
		f.kind, f.addr = detect.IMAPAuthOK, remoteIP(msg)
		return
	}
	// Up to the first user=< all text is the daemon's own.
	user := bytes.Index(msg, []byte(": user=<"))
	if user < 0 {
		return
	}
	const failed = "(auth failed, "
	at := bytes.Index(msg[:user], []byte(failed))
	if at < 0 {
		return
	}
	n, rest := number(msg[at+len(failed):])
	if !has(rest, " attempts in ") {
		return
	}
	f.kind, f.count, f.addr = detect.IMAPAuthFailed, n, remoteIP(msg[user:])
}

// remoteIP reads the last ", rip=ADDR, lip=" of a login line: what comes after
// the user name and the method is the daemon's.
func remoteIP(b []byte) netip.Addr {
	at := bytes.LastIndex(b, []byte(", rip="))
	if at < 0 || len(b) > maxLogin {
		return netip.Addr{}
	}
	b = b[at+6:]
	end := bytes.IndexByte(b, ',')
	if end < 0 || !has(b[end:], ", lip=") {
		return netip.Addr{}
	}
	return parseAddr(b[:end])
}
