package maillog

import (
	"bytes"

	"fwsync/detect"
)

// postscreen reads a message of Postfix's first line of defence; it writes
// [ADDR]:PORT, without a name.
//
//	PREGREET 22 after 0.01 from [192.0.2.1]:48999: EHLO …
//	COMMAND PIPELINING from [192.0.2.1]:45265 after MAIL: RCPT TO:<…
//	NON-SMTP COMMAND from [192.0.2.1]:46783 after EHLO: GET / HTTP/1.0
//
// What it refuses because of these ("550 5.5.1 Protocol error") is the same
// event again.
func postscreen(msg []byte, f *found) {
	switch {
	case has(msg, "PREGREET "):
		_, rest := number(msg[9:])
		if !has(rest, " after ") {
			return
		}
		rest = rest[7:]
		end := bytes.IndexByte(rest[:min(len(rest), 16)], ' ')
		if end < 0 || !has(rest[end:], " from ") {
			return
		}
		f.by(detect.SMTPPregreet, rest[end+6:])
	case has(msg, "COMMAND PIPELINING from "):
		f.by(detect.SMTPPipelining, msg[24:])
	case has(msg, "NON-SMTP COMMAND from "):
		f.by(detect.SMTPNonSMTPCommand, msg[22:])
	}
}
