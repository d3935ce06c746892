package maillog

import (
	"bytes"

	"fwsync/detect"
)

// postscreen reads a message of Postfix's first line of defence; it writes
// [ADDR]:PORT, without a name.
//
//	PREGREET 22 after 0.01 from [192.0.2.1]:48999: EHLO …
//	HANGUP after 0.2 from [192.0.2.1]:48999 in tests before SMTP handshake
//	DNSBL rank 6 for [192.0.2.1]:48999
//	COMMAND PIPELINING from [192.0.2.1]:45265 after MAIL: RCPT TO:<…
//	NOQUEUE: reject: RCPT from [192.0.2.1]:45265: 550 5.7.1 Service unavailable; client [192.0.2.1] blocked using LIST; …
//
// What it refuses because of what it saw the client do ("550 5.5.1 Protocol error")
// is the same event again; what it puts off after its deeper tests ("450 4.3.2 Service
// currently unavailable") comes to honest clients.
func postscreen(msg []byte, f *found) {
	switch {
	case has(msg, "PREGREET "):
		_, rest := number(msg[9:])
		if has(rest, " after ") {
			f.afterDelay(detect.SMTPPregreet, rest[7:])
		}
	case has(msg, "HANGUP after "):
		// Later hang-ups have said something, and are honest clients' as well.
		if bytes.HasSuffix(msg, []byte(" in tests before SMTP handshake")) {
			f.afterDelay(detect.SMTPScan, msg[13:])
		}
	case has(msg, "DNSBL rank "):
		if _, rest := number(msg[11:]); has(rest, " for ") {
			f.by(detect.SMTPRejectedClient, rest[5:])
			f.part, f.port = detect.Counted, portOf(rest[5:])
		}
	case has(msg, "BLACKLISTED "):
		f.by(detect.SMTPRejectedClient, msg[12:])
	case has(msg, "DENYLISTED "):
		f.by(detect.SMTPRejectedClient, msg[11:])
	case has(msg, "COMMAND PIPELINING from "):
		f.by(detect.SMTPPipelining, msg[24:])
	case has(msg, "COMMAND TIME LIMIT from "):
		f.by(detect.SMTPScan, msg[24:])
	case has(msg, "COMMAND COUNT LIMIT from "):
		f.by(detect.SMTPTooManyErrors, msg[25:])
	case has(msg, "COMMAND LENGTH LIMIT from "):
		f.by(detect.SMTPNonSMTPCommand, msg[26:])
	case has(msg, "BARE NEWLINE from "):
		f.by(detect.SMTPHeaderInjection, msg[18:])
	case has(msg, "NON-SMTP COMMAND from "):
		f.by(detect.SMTPNonSMTPCommand, msg[22:])
	case has(msg, "NOQUEUE: reject: "):
		screened(msg[17:], f)
	}
}

// afterDelay reads "0.01 from [ADDR]:PORT".
func (f *found) afterDelay(kind detect.Kind, b []byte) {
	end := bytes.IndexByte(b[:min(len(b), 16)], ' ')
	if end >= 0 && has(b[end:], " from ") {
		f.by(kind, b[end+6:])
	}
}

// screened reads what follows "reject: ".
func screened(b []byte, f *found) {
	if has(b, "CONNECT from ") {
		// "all server ports busy" and "all screening ports busy" are our trouble.
		addr, rest, _ := client(b[13:])
		if has(rest, ": too many connections") {
			f.kind, f.addr = detect.SMTPRateLimited, addr
		}
		return
	}
	where, addr, text, ok := refusal(b)
	if !ok {
		return
	}
	if _, what, _ := reasonOf(text); !has(what, "Service unavailable; client [") {
		return
	}
	// The rank of the client was told before, once for all of its recipients.
	f.kind, f.addr, f.count = detect.SMTPRejectedClient, addr, 1
	f.part, f.port = detect.Summary, portOf(b[len(where)+6:])
}

// portOf reads the port in [ADDR]:PORT.
func portOf(b []byte) int {
	if end := bytes.IndexByte(b[:min(len(b), 64)], ']'); end >= 0 && has(b[end+1:], ":") {
		n, _ := number(b[end+2:])
		return n
	}
	return 0
}
