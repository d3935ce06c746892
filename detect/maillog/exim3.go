package maillog

import (
	"bytes"

	"fwsync/detect"
)

// eximOld reads what only Exim 3 writes, whose refusals name the client last.
//
//	refused relay (host) to <R> from <S> H=NAME (HELO) [A]
//	sender rejected: <S> H=NAME (HELO) [A]
//	verify failed for SMTP recipient R from <S> H=NAME (HELO) [A]
//	recipients refused from NAME [A] (RBL dnsbl.example.org)
//	Authentication failed for NAME (HELO) [A]: 535 Incorrect authentication data
//
// R and S may be quoted, and then hold anything: the client is the only "H=" of its line.
func eximOld(msg []byte, f *found) {
	switch {
	case has(msg, "Authentication failed for "):
		if f.peer(detect.SMTPAuthFailed, msg[26:]) && !has(f.body, ": 535 ") {
			f.kind = 0 // our trouble, or a login that was broken off
		}
	case has(msg, "refused relay ("):
		f.quotedPeer(detect.SMTPRelayDenied, msg)
	case has(msg, "sender rejected: <"):
		f.quotedPeer(detect.SMTPRejectedSender, msg)
	case has(msg, "rejected MAIL FROM:<"):
		if f.quotedPeer(detect.SMTPRejectedSender, msg) && (has(f.body, ": message too large") || bytes.Contains(f.body, []byte("temporar"))) {
			f.kind = 0
		}
	case has(msg, "rejected MAIL FROM from "):
		f.peer(detect.SMTPRejectedSender, msg[24:])
	case has(msg, "rejected MAIL from "): // who did not authenticate, or use TLS
		f.peer(detect.SMTPRejectedClient, msg[19:])
	case has(msg, "verify failed for SMTP recipient "):
		f.quotedPeer(detect.SMTPRejectedRecipient, msg)
	case has(msg, "VRFY rejected H="), has(msg, "VRFY failed for "):
		f.quotedPeer(detect.SMTPRejectedRecipient, msg)
	case has(msg, "EXPN rejected H="):
		f.quotedPeer(detect.SMTPDangerousCommand, msg)
	case has(msg, "recipients refused from <"):
		f.quotedPeer(detect.SMTPRejectedSender, msg)
	case has(msg, "recipients refused from "):
		f.peer(detect.SMTPRejectedClient, msg[24:])
	case has(msg, "recipients from "):
		if f.peer(detect.SMTPRejectedClient, msg[16:]) && !has(f.body, " refused") {
			f.kind = 0
		}
	case has(msg, "connection from "):
		if f.peer(detect.SMTPRejectedClient, msg[16:]) && !has(f.body, " refused") {
			f.kind = 0
		}
	}
	if f.kind != 0 && bytes.HasSuffix(f.body, []byte(" (lookup deferred)")) {
		f.kind = 0 // everybody is refused
	}
}
