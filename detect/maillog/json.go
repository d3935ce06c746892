package maillog

import (
	"bytes"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// object reads a line that is a JSON object:
//
//	{"log":"LINE\n","stream":"stdout","time":"2026-11-23T20:17:43.1Z"}
//	{"MESSAGE":"…","SYSLOG_IDENTIFIER":"postfix/smtpd","_PID":"1","__REALTIME_TIMESTAMP":"1795465063000000"}
//	{"message":"…","appname":"postfix/smtpd","procid":1,"hostname":"mx","timestamp":"2026-11-23T20:17:43.1Z"}
//	{"msg":"…","programname":"postfix/smtpd","procid":"1","hostname":"mx","timereported":"2026-11-23T20:17:43.1+01:00"}
//	{"MESSAGE":"…","PROGRAM":"postfix/smtpd","PID":"1","HOST":"mx","ISODATE":"2026-11-23T20:17:43+01:00"}
//	{"message":"…","ident":"postfix/smtpd","pid":"1","host":"mx","time":"Nov 23 20:17:43"}
func (p *Parser) object(line []byte, h *header, depth int) Verdict {
	var message, program, ident, pid, at, host, msg, stamp []byte
	rest := line[1:]
	for {
		rest = afterBlanks(rest)
		if !has(rest, `"`) {
			break
		}
		n := stringEnd(rest)
		if n < 0 {
			return Malformed
		}
		key := rest[1 : n-1]
		if rest = afterBlanks(rest[n:]); !has(rest, ":") {
			return Malformed
		}
		rest = afterBlanks(rest[1:])
		n = valueEnd(rest)
		if n <= 0 {
			return Malformed
		}
		value := rest[:n]
		rest = afterBlanks(rest[n:])
		switch string(key) {
		case "MESSAGE", "log", "message":
			message = p.text(value)
		case "msg": // only with the program's name beside it: applications write it, too
			msg = p.text(value)
		case "SYSLOG_IDENTIFIER", "appname", "programname", "program", "PROGRAM":
			program = p.text(value)
		case "ident": // of Fluentd, with the process id beside it: web servers write it, too
			ident = p.text(value)
		case "_PID", "procid", "pid", "PID":
			pid = p.text(value)
		case "_HOSTNAME", "hostname", "host", "HOST", "logsource":
			host = p.text(value)
		case "timestamp", "timereported", "ISODATE":
			stamp = p.text(value)
		case "__REALTIME_TIMESTAMP", "time", "@timestamp":
			at = p.text(value)
		}
		if !has(rest, ",") {
			break
		}
		rest = rest[1:]
	}
	if rest = afterBlanks(rest); string(rest) != "}" {
		return Malformed
	}
	if at == nil && isoText(stamp) {
		at = stamp
	}
	if program == nil && pid != nil {
		program = ident
	}
	if message == nil && program != nil {
		message = msg
	}
	if program != nil && known(program) && stampEnd(message) > 0 {
		program = nil // the whole line, beside what was taken from it
	}
	if program == nil && p.tears(len(message) >= dockerPart && message[len(message)-1] != '\n') {
		return Uninteresting
	}
	message = bytes.TrimSuffix(bytes.TrimSuffix(message, []byte("\n")), []byte("\r"))
	if message == nil {
		return Uninteresting
	}
	if program == nil {
		if p.split(message, h, depth+1) != Signal {
			h.stamp = at
			if !isoText(at) {
				h.stamp = nil
			}
			return Uninteresting
		}
	} else {
		h.program, h.body, h.process = program, message, pid
		if len(host) > 0 && len(pid) > 0 {
			n := len(p.scratch)
			p.scratch = append(append(p.scratch, host...), pid...)
			h.process = p.scratch[n:]
		}
	}
	if h.stamp != nil || at == nil {
		return Signal
	}
	if micros, ok := digits(at); ok && len(at) >= 13 && len(at) <= 17 {
		h.at = time.UnixMicro(int64(micros)).UTC()
	} else if isoText(at) || len(at) == 15 && at[3] == ' ' {
		h.stamp = at
	} else {
		return Malformed
	}
	return Signal
}

// isoText reports whether b looks like "2026-11-23T20:17:43.1Z".
func isoText(b []byte) bool { return len(b) >= 20 && len(b) <= 40 && b[10] == 'T' }

// dockerPart is where Docker breaks long lines into parts.
const dockerPart = 16 << 10

func afterBlanks(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	return b
}

// stringEnd returns the length of the JSON string at the start of b, quotes included.
func stringEnd(b []byte) int {
	for i := 1; i < len(b); {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return -1
		}
		// It ends the string unless an odd number of backslashes is before it.
		slashes := 0
		for slashes < n && b[i+n-1-slashes] == '\\' {
			slashes++
		}
		if i += n + 1; slashes%2 == 0 {
			return i
		}
	}
	return -1
}

// valueEnd returns the length of the JSON value at the start of b.
func valueEnd(b []byte) int {
	if has(b, `"`) {
		return stringEnd(b)
	}
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			n := stringEnd(b[i:])
			if n < 0 {
				return -1
			}
			i += n - 1
		case '[', '{':
			depth++
		case ']', '}':
			if depth == 0 {
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',':
			if depth == 0 {
				return i
			}
		}
	}
	return -1
}

// text returns the text of a value: of a string, of a number, or of the list of bytes
// that journald writes for what is no text. What is written otherwise than it
// reads is unpacked into p.scratch.
func (p *Parser) text(value []byte) []byte {
	start := len(p.scratch)
	switch value[0] {
	case '"':
		value = value[1 : len(value)-1]
		if bytes.IndexByte(value, '\\') < 0 {
			return value
		}
		p.unescape(value)
	case '[':
		for rest := value[1:]; len(rest) > 0; {
			if c := rest[0]; c < '0' || c > '9' {
				rest = rest[1:]
				continue
			}
			var n int
			n, rest = number(rest)
			p.scratch = append(p.scratch, byte(n))
		}
	default:
		return bytes.TrimRight(value, " \t")
	}
	return p.scratch[start:]
}

func (p *Parser) unescape(b []byte) {
	for len(b) > 0 {
		n := bytes.IndexByte(b, '\\')
		if n < 0 || n+1 == len(b) {
			p.scratch = append(p.scratch, b...)
			return
		}
		p.scratch = append(p.scratch, b[:n]...)
		c := b[n+1]
		b = b[n+2:]
		switch c {
		case 'n':
			c = '\n'
		case 't':
			c = '\t'
		case 'r':
			c = '\r'
		case 'b', 'f':
			c = ' '
		case 'u':
			r := hexRune(b)
			b = b[min(len(b), 4):]
			if utf16.IsSurrogate(r) && has(b, `\u`) {
				r = utf16.DecodeRune(r, hexRune(b[2:]))
				b = b[min(len(b), 6):]
			}
			p.scratch = utf8.AppendRune(p.scratch, r)
			continue
		}
		p.scratch = append(p.scratch, c)
	}
}

func hexRune(b []byte) (r rune) {
	if len(b) < 4 {
		return utf8.RuneError
	}
	for _, c := range b[:4] {
		d := hexDigit(c)
		if d < 0 {
			return utf8.RuneError
		}
		r = r<<4 | rune(d)
	}
	return r
}

// inScratch reports whether b, which is not empty, lies in what the next line
// overwrites: slices of one array end at the same byte.
func (p *Parser) inScratch(b []byte) bool {
	all, part := p.scratch[:cap(p.scratch)], b[:cap(b)]
	return len(all) > 0 && &all[len(all)-1] == &part[len(part)-1]
}

// keep copies an account name to where it stays: blocks that are filled one after
// the other.
func (p *Parser) keep(b []byte) []byte {
	if cap(p.kept)-len(p.kept) < len(b) {
		p.kept = make([]byte, 0, 4096)
	}
	n := len(p.kept)
	p.kept = append(p.kept, b...)
	return p.kept[n:len(p.kept):len(p.kept)]
}
