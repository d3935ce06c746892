package maillog

import (
	"bytes"
	"net/netip"

	"fwsync/detect"
)

// sendmail reads a message of sendmail ("sendmail", "sm-mta", "sm-mta-in" …), behind
// its queue id. A client is "NAME [A]", with " (may be forged)" behind it.
//
//	ID: AUTH failure (LOGIN): authentication failure (-13) …, user=U, relay=NAME [A]
//	AUTH=server, relay=NAME [A], authid=U, mech=PLAIN, bits=0
//	ID: ruleset=check_rcpt, arg1=<R>, relay=NAME [A], reject=550 5.7.1 <R>... Relaying denied
//	ID: from=<S>, size=1, class=0, nrcpts=1, msgid=<…>, proto=ESMTP, daemon=MTA, relay=NAME [A]
//	ID: NAME [A] did not issue MAIL/EXPN/VRFY/ETRN during connection to MTA
func sendmail(msg []byte, f *found) {
	if end := bytes.IndexByte(msg[:min(len(msg), 24)], ':'); end >= 7 && has(msg[end:], ": ") && bytes.IndexByte(msg[:end], ' ') < 0 {
		msg = msg[end+2:]
	}
	switch {
	case has(msg, "AUTH failure ("):
		authFailure(msg[14:], f)
	case has(msg, "AUTH=server, relay="):
		addr, rest, ok := relay(msg[19:])
		if ok && has(rest, ", authid=") {
			f.kind, f.addr = detect.SMTPAuthOK, addr
			user := rest[9:]
			if end := bytes.Index(user, []byte(", mech=")); end >= 0 {
				f.account = bounded(user[:end])
			}
		}
	case has(msg, "from="):
		accepted(msg, f)
	case has(msg, "ruleset="):
		ruleset(msg[8:], f)
	case has(msg, "STARTTLS=server, error: accept failed"):
		f.kind = detect.SMTPTLSFailed
		f.addr, _ = lastRelay(msg)
	case has(msg, "lost input channel from "):
		addr, rest, ok := relay(msg[24:])
		if at := lastIndex(rest, " after "); ok && at >= 0 {
			switch string(rest[at+7:]) {
			case "startup", "helo", "ehlo", "starttls", "noop", "rset", "quit", "help", "vrfy", "expn":
				f.kind, f.addr, f.part, f.count = detect.SMTPScan, addr, detect.Summary, 1
			}
		}
	case has(msg, "rejecting commands from "):
		addr, rest, ok := relay(bytes.TrimPrefix(msg[24:], []byte(" "))) // an empty name
		if ok && has(rest, " [") {                                       // "[A] [A]": no name
			addr, rest, ok = bracketed(rest[1:])
		}
		if ok && has(rest, " due to pre-greeting traffic") {
			f.kind, f.addr, f.part = detect.SMTPPregreet, addr, detect.Counted
		}
	case has(msg, "invalid domain name ("):
		// HELO's argument may hold anything; what comes behind it is the daemon's, if it
		// was not cut off.
		if at := lastIndex(msg, ") from "); at >= 0 && len(msg) < maxUncut {
			if addr, rest, ok := relay(msg[at+7:]); ok && len(rest) == 0 {
				f.kind, f.addr = detect.SMTPRejectedHelo, addr
			}
		}
	case has(msg, "tcpwrappers ("):
		// tcpwrappers (NAME, A) rejection
		if addr, rest, ok := named(msg[13:], ", "); ok && string(rest) == ") rejection" {
			f.kind, f.addr = detect.SMTPRejectedClient, addr
		}
	case has(msg, "Milter: connect: host="):
		// Milter: connect: host=NAME, addr=A, rejecting commands
		if addr, rest, ok := named(msg[22:], ", addr="); ok && string(rest) == ", rejecting commands" {
			f.kind, f.addr = detect.SMTPRejectedClient, addr
		}
	case has(msg, "unauthorized PIPELINING, sleeping, relay="):
		if addr, _, ok := relay(msg[41:]); ok {
			f.kind, f.addr = detect.SMTPPipelining, addr
		}
	case has(msg, "\""):
		// "debug" command from NAME [A] (A)
		if end := bytes.Index(msg[:min(len(msg), 40)], []byte("\" command from ")); end > 0 {
			if addr, _, ok := relay(msg[end+15:]); ok {
				f.kind, f.addr = detect.SMTPDangerousCommand, addr
			}
		}
	default:
		aboutPeer(msg, f)
	}
}

// aboutPeer reads the lines that begin with the client.
func aboutPeer(msg []byte, f *found) {
	addr, rest, ok := relay(msg)
	if !ok {
		return
	}
	switch {
	case has(rest, " did not issue MAIL/EXPN/VRFY/ETRN during connection to "):
		f.kind, f.part, f.count = detect.SMTPScan, detect.Summary, 1
	case has(rest, ": possible SMTP attack: command="):
		f.kind = detect.SMTPTooManyErrors
	case has(rest, ": probable open proxy: command="):
		f.kind = detect.SMTPNonSMTPCommand
	case has(rest, ": Possible SMTP RCPT flood, throttling"):
		f.kind = detect.SMTPRateLimited
	case has(rest, ": ") && bytes.HasSuffix(rest, []byte(" [rejected]")):
		switch rest = rest[2:]; {
		case dangerous(rest):
			f.kind = detect.SMTPDangerousCommand
		case len(rest) > 5 && bytes.EqualFold(rest[:5], []byte("VRFY ")):
			f.kind = detect.SMTPRejectedRecipient
		}
	}
	f.addr = addr
}

// relay reads "NAME [A]" or "[A]", and " (may be forged)". NAME may have the user in
// front that the client's ident server told, without blanks.
func relay(b []byte) (addr netip.Addr, rest []byte, ok bool) {
	if !has(b, "[") {
		at := bytes.IndexByte(b[:min(len(b), 300)], ' ')
		if at <= 0 || bytes.IndexByte(b[:at], ':') >= 0 {
			return addr, nil, false
		}
		b = b[at+1:]
	}
	addr, rest, ok = bracketed(b)
	return addr, bytes.TrimPrefix(rest, []byte(" (may be forged)")), ok
}

// named reads NAME, what is between, and A, which ends before a comma or a parenthesis.
func named(b []byte, between string) (addr netip.Addr, rest []byte, ok bool) {
	name := bytes.Index(b[:min(len(b), 300)], []byte(between))
	if name < 0 || bytes.IndexByte(b[:name], ' ') >= 0 {
		return addr, nil, false
	}
	b = b[name+len(between):]
	end := bytes.IndexAny(b[:min(len(b), 64)], ",)")
	if end < 0 {
		return addr, nil, false
	}
	return parseAddr(bytes.TrimPrefix(b[:end], []byte("IPv6:"))), b[end:], true
}

// lastRelay reads "…, relay=NAME [A]" at the end of a line, and returns what is before. A
// line that is so long that a syslog daemon may have cut it off ends with anything.
func lastRelay(b []byte) (addr netip.Addr, before []byte) {
	at := lastIndex(b, ", relay=")
	if at < 0 || len(b) > maxLogin {
		return addr, b
	}
	a, rest, ok := relay(b[at+8:])
	if !ok || len(rest) > 0 {
		return addr, b[:at]
	}
	return a, b[:at]
}

// authFailure reads "LOGIN): authentication failure (-13) …[, user=U], relay=NAME [A]".
func authFailure(b []byte, f *found) {
	end := bytes.Index(b[:min(len(b), 40)], []byte("): "))
	if end < 0 || has(b[end+3:], "generic failure") || has(b[end+3:], "temporary failure") {
		return // Cyrus cannot ask its service
	}
	f.kind, f.part = detect.SMTPAuthFailed, detect.Counted
	var before []byte
	f.addr, before = lastRelay(b)
	if _, user, ok := bytes.Cut(before, []byte(", user=")); ok {
		f.account = bounded(user)
	}
}

// accepted reads "from=<S>, size=…, nrcpts=1, …, relay=NAME [A]"; without recipients
// nothing was accepted.
func accepted(b []byte, f *found) {
	addr, before := lastRelay(b)
	at := lastIndex(before, ", nrcpts=")
	if at < 0 || !addr.IsValid() {
		return
	}
	if n, _ := number(before[at+9:]); n > 0 {
		f.kind, f.addr = detect.SMTPDelivered, addr
	}
}

// ruleset reads "check_rcpt, arg1=<R>, relay=NAME [A], reject=550 5.7.1 <R>... REASON".
// R stands on both sides of the client: one that has a client of its own in it is
// believed in neither.
func ruleset(b []byte, f *found) {
	const start = ", relay="
	at := bytes.Index(b, []byte(start))
	if at < 0 {
		return
	}
	addr, rest, ok := relay(b[at+len(start):])
	if !ok || !has(rest, ", reject=5") && !has(rest, ", reject=4") {
		return
	}
	rest = rest[9:]
	reason := rest[min(len(rest), 4):]
	if at := bytes.Index(reason, []byte("... ")); at >= 0 {
		reason = reason[at+4:]
	} else if len(reason) > 6 && reason[1] == '.' {
		reason = reason[bytes.IndexByte(reason, ' ')+1:]
	}
	permanent := rest[0] == '5'
	switch {
	case bytes.Contains(reason, []byte("rate limit exceeded")), bytes.Contains(reason, []byte("Too many open connections")):
		f.kind = detect.SMTPRateLimited
	case has(b, "check_relay,"):
		if permanent || bytes.Contains(reason, []byte("reverse DNS")) {
			f.kind = detect.SMTPRejectedClient
		}
	case has(b, "check_vrfy,"):
		f.kind = detect.SMTPRejectedRecipient
	case has(b, "check_expn,"):
		f.kind = detect.SMTPDangerousCommand
	case has(b, "check_mail,"):
		// "451 4.1.8 Domain of sender address S does not resolve": our lookup failed.
		if permanent || !bytes.HasSuffix(reason, []byte(" does not resolve")) && !greylisted(reason) {
			f.kind = detect.SMTPRejectedSender
		}
	case has(b, "check_rcpt,"):
		switch {
		case has(reason, "Relaying "):
			f.kind = detect.SMTPRelayDenied
		case !permanent:
		case has(reason, "Rejected: "), has(reason, "Mail from "), bytes.Contains(reason, []byte("listed at")), bytes.Contains(reason, []byte("blocked")), blocklisted(reason):
			f.kind = detect.SMTPRejectedClient
		default:
			f.kind = detect.SMTPRejectedRecipient
		}
	}
	if !bytes.Contains(b[at+len(start):], []byte(start)) {
		f.addr = addr
	}
}
