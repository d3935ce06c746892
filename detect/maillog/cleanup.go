package maillog

import (
	"bytes"

	"fwsync/detect"
)

// cleanup reads a message of the program that takes mail into Postfix's queue:
//
//	ID: milter-reject: END-OF-MESSAGE from HOST[ADDR]: 5.7.1 Spam message rejected; from=<S> …
//	ID: reject: header Subject: … from HOST[ADDR]; from=<S> to=<R> proto=ESMTP helo=<H>: REASON
//
// In the second, hostile text is on both sides of the address.
func cleanup(msg []byte, f *found) {
	rest := afterQueueID(msg)
	if len(rest) < 12 || rest[3] == 'e' && rest[2] == 'm' { // message-id=
		return
	}
	switch {
	case has(rest, ": milter-reject: "):
		filtered(rest[17:], f)
	case has(rest, ": reject: header "), has(rest, ": reject: body "), has(rest, ": reject: mime-header "), has(rest, ": reject: nested-header "), has(rest, ": reject: mime-error "):
		f.kind = detect.SMTPRejectedContent
		const origin = "; from=<"
		at := bytes.Index(rest, []byte(origin))
		if at < 0 || bytes.Contains(rest[at+len(origin):], []byte(origin)) {
			return // an address that is not alone is nobody's
		}
		from := lastIndex(rest[:at], " from ")
		if from < 0 {
			return
		}
		addr, end, ok := client(rest[from+6 : at])
		if ok && len(end) == 0 {
			f.addr = addr
		}
		if string(rest[from+6:at]) == "local" {
			f.kind = 0
		}
	}
}
