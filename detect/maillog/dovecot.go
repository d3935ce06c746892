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

// maxUncut is less than what any syslog daemon cuts off (RFC 5426: 480 bytes), with the
// header: the end of such a line is the daemon's.
const maxUncut = 200

// dovecot reads a message of Dovecot, "imap-login: …". Its auth process repeats
// failures that smtpd and the login processes report, so that is not read.
func dovecot(msg []byte, f *found) {
	if len(msg) < 24 || msg[0] == 'a' {
		return
	}
	end := bytes.IndexByte(msg[:24], ':')
	if end < 6 || !has(msg[end:], ": ") || !bytes.HasSuffix(msg[:end], []byte("-login")) {
		return
	}
	login(msg[:end], msg[end+2:], f)
}

// login reads a message of one of Dovecot's login processes, of 1.x to 2.4:
//
//	Login: user=<U>, method=PLAIN, rip=A, lip=B, mpid=1, TLS, session=<S>
//	Logged in: user=<U>, …
//	Disconnected: … (auth failed, 3 attempts in 2 secs): user=<U>, method=PLAIN, rip=A, lip=B, session=<S>
//	Login aborted: Connection closed (auth failed, 1 attempts in 2 secs) (auth_failed): user=<U>, …
//	Disconnected (tried to use disallowed plaintext auth): user=<>, rip=A, …
//
// Not failures of the client are: connections without an attempt ("no auth
// attempts"), attempts that were broken off, a password service that is down, users
// that are disabled, what fails behind the password, and more connections than
// mail_max_userip_connections: their password was right.
func login(process, msg []byte, f *found) {
	var failed, good detect.Kind
	switch string(process) {
	case "imap-login":
		failed, good = detect.IMAPAuthFailed, detect.IMAPAuthOK
	case "pop3-login":
		failed, good = detect.POP3AuthFailed, detect.POP3AuthOK
	case "managesieve-login":
		failed, good = detect.SieveAuthFailed, detect.SieveAuthOK
	case "submission-login":
		failed, good = detect.SMTPAuthFailed, detect.SMTPAuthOK
	default:
		return
	}
	msg = bytes.TrimPrefix(msg, []byte("Info: "))
	// Up to the first user=< all text is the daemon's own, but for what a login proxy
	// says of its user ("proxy(U): disconnecting …").
	user := len("Login")
	if !has(msg, "Login: user=<") { // most
		user = indexEarly(msg, ": user=<")
	}
	if user < 0 {
		nameless(msg, failed, good, f)
		return
	}
	fields, text := msg[user+8:], msg[:user]
	if string(text) == "Login" || string(text) == "Logged in" {
		f.kind = good
	} else if has(text, "proxy(") {
		proxied(text[6:], fields, good, f)
		return
	} else if bytes.Contains(text, []byte("Internal login failure")) {
		return // 1.x says "auth failed" of it
	} else if n := attempts(text); n > 0 && !bytes.Contains(text, []byte("proxy(")) {
		f.kind, f.count = failed, n
	} else {
		return
	}
	f.addr, f.account = remoteIP(fields)
}

// proxied reads "U): started proxying to HOST:143" and what a login line has behind it:
// the host that HOST is a proxy of took the user's password. A proxy that checks none
// itself says the name that a stranger made up, in other lines too: it is the daemon's
// own where it is the user's name again.
func proxied(text, fields []byte, good detect.Kind, f *found) {
	addr, user := remoteIP(fields)
	if rest, ok := bytes.CutPrefix(text, user); ok && len(user) > 0 && has(rest, "): started proxying to ") {
		f.kind, f.addr, f.account = good, addr, user
	}
}

// nameless reads what 1.x writes where no user was told:
//
//	Aborted login (tried to use disabled plaintext auth): rip=A, lip=B
//	Disconnected (auth failed, 1 attempts): method=PLAIN, rip=A, lip=B, TLS: Disconnected
//	Login: U [A]                                             of 0.99
func nameless(msg []byte, failed, good detect.Kind, f *found) {
	if user, ok := bytes.CutPrefix(msg, []byte("Login: ")); ok && len(msg) < maxUncut {
		if at := lastIndex(user, " ["); at > 0 && msg[len(msg)-1] == ']' {
			f.kind, f.account = good, bounded(user[:at])
			f.addr, _, _ = bracketed(user[at+1:])
		}
		return
	}
	if !has(msg, "Aborted login (") && !has(msg, "Disconnected (") && !has(msg, "Disconnected: Inactivity (") {
		return
	}
	end := bytes.Index(msg, []byte("): ")) + 3
	if end < 3 {
		return
	}
	n, fields := attempts(msg[:end]), msg[end:]
	if n == 0 {
		return
	}
	if has(fields, "method=") {
		method := bytes.IndexByte(fields, ' ')
		if method < 0 || fields[method-1] != ',' {
			return
		}
		fields = fields[method+1:]
	}
	if !has(fields, "rip=") {
		return
	}
	f.kind, f.count = failed, n
	if end := bytes.Index(fields, []byte(", lip=")); end >= 0 {
		f.addr = parseAddr(fields[4:end])
	}
}

// attempts returns how many failures of the client a text sums up.
func attempts(text []byte) int {
	// "(auth failed, 3 attempts in 9 secs)", "(authorization failed, …)"
	if at := bytes.Index(text, []byte("(auth")); at >= 0 {
		rest := text[at+5:]
		if rest = bytes.TrimPrefix(rest, []byte("orization")); has(rest, " failed, ") {
			if n, rest := number(rest[9:]); has(rest, " attempts") {
				return n
			}
		}
	}
	// "Aborted login (1 authentication attempts)", of 1.1
	if at := bytes.IndexByte(text, '('); at >= 0 {
		if n, rest := number(text[at+1:]); has(rest, " authentication attempts)") {
			return n
		}
	}
	// "disallowed plaintext auth", of 2.4 "cleartext auth, 3 attempts in 9 secs"; "unsupported
	// auth mechanism". 2.4 tells invalid base64 from "auth failed".
	for _, reason := range [...]string{"(tried to use ", "(sent invalid base64 in response"} {
		if _, rest, ok := bytes.Cut(text, []byte(reason)); ok {
			_, count, _ := bytes.Cut(rest, []byte(", "))
			n, _ := number(count)
			return max(n, 1)
		}
	}
	return 0
}

// remoteIP reads "U>, method=PLAIN, rip=ADDR, lip=…": what comes after the user name
// and the method is the daemon's, so the last address counts.
func remoteIP(b []byte) (addr netip.Addr, user []byte) {
	if len(b) > maxLogin {
		return addr, nil
	}
	at := lastIndex(b, ", rip=")
	if at < 0 {
		return addr, nil
	}
	short := len(b) < maxUncut
	user, b = b[:at], b[at+5:]
	v4, end := plain4(b, ',')
	if end > 0 {
		addr = netip.AddrFrom4(v4)
	} else {
		end = bytes.IndexByte(b, ',')
	}
	if n := beforeMethod(user); n >= 0 {
		if end < 0 && short { // told to log no more
			end = len(b)
		} else if end < 0 || !has(b[end:], ", ") {
			return netip.Addr{}, nil
		}
		user = user[:n]
	} else {
		if end < 0 || !has(b[end:], ", ") { // ", lip=", as a rule
			return netip.Addr{}, nil
		}
		user = bytes.TrimSuffix(user, []byte(">"))
	}
	if !addr.IsValid() {
		addr = parseAddr(b[1:end])
	}
	return addr, bounded(user)
}

// beforeMethod returns the place of the last ">, method=" in b; -1 if there is none.
func beforeMethod(b []byte) int {
	const sep = ">, method="
	end := len(b)
	for end > 0 && mechanismByte(b[end-1]) { // as a rule all that follows
		end--
	}
	if at := end - len(sep); at >= 0 && has(b[at:], sep) {
		return at
	}
	return lastIndex(b, sep)
}
