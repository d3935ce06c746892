package maillog

import (
	"bytes"
	"time"

	"fwsync/detect"
)

// header is what stands before a message, or came with it.
type header struct {
	stamp   []byte    // the line's own
	at      time.Time // of the envelope it came in, if it has no stamp
	process []byte    // host, program and process id, to tell sessions apart
	program []byte    // if told apart from the message …
	body    []byte    // … which is "TAG[PID]: MESSAGE" otherwise
	exim    bool      // Exim's own log, which has no tag
	text    []byte    // what stands behind the stamp, or without one, if the program did not come apart
	hosted  bool      // it may begin with a host
}

// parseOther reads a line that does not begin as most do.
func (p *Parser) parseOther(line []byte, s *detect.Signal) Verdict {
	var h header
	if v := p.split(line, &h, 0); v != Signal {
		if p.declared != nil {
			return p.declaredOther(line, &h, v, s)
		}
		return v
	}
	var f found
	switch {
	case h.exim:
		exim(eximText(h.body), &f)
	case h.program != nil:
		byName(h.program, h.body, &f)
	default:
		dispatch(h.body, &f)
	}
	if f.kind == 0 {
		if p.declared != nil {
			return p.declaredOther(line, &h, Uninteresting, s)
		}
		return Uninteresting
	}
	if !f.addr.IsValid() {
		return BadAddress
	}
	at, ok := p.timeOf(&h)
	if !ok {
		return Malformed
	}
	f.fill(s, at, line)
	if f.part != detect.Whole {
		process := h.process
		if process == nil && cap(h.body) >= cap(f.body) {
			process = h.body[:min(len(h.body), cap(h.body)-cap(f.body))]
		}
		s.Session = sessionOf(process, &f)
	}
	if len(f.account) > 0 && p.inScratch(f.account) {
		s.Account = p.keep(f.account)
	}
	return Signal
}

// timeOf returns the line's time, zero if it has none, false if it is not a time.
func (p *Parser) timeOf(h *header) (time.Time, bool) {
	if h.stamp == nil {
		return h.at, true
	}
	return p.clock.read(h.stamp)
}

// Time returns the time of a line's own stamp, false if it has none.
func (p *Parser) Time(line []byte) (time.Time, bool) {
	if n := stampEnd(line); n >= 0 {
		return p.clock.read(line[:n])
	}
	var h header
	if p.split(line, &h, 0) == Malformed {
		return time.Time{}, false
	}
	at, ok := p.timeOf(&h)
	return at, ok && !at.IsZero()
}

// split takes a line apart. It returns Signal if there is a message to read.
//
//	<22>Nov 23 20:17:43 host TAG[1]: …             with a priority
//	<22>1 2026-11-23T20:17:43Z host TAG 1 - - …    RFC 5424
//	123 <22>…                                      with the count of RFC 6587 before either
//	Nov 23 2026 20:17:43 host TAG[1]: …            with a year
//	déc. 23 20:17:43 host TAG[1]: …                in another language; see localMonth
//	2026-11-23T20:17:43Z	host	TAG[1]:	…        with tabs; see untab
//	2026-11-23 20:17:43 [1] H=…                    Exim's own
//	2026/11/23 20:17:43 …                          nginx and others, if signals are declared
//	2026-11-23T20:17:43Z stdout F …                what container runtimes keep
//	2026-11-23T20:17:43Z Nov 23 20:17:43 host …    "docker logs --timestamps" and others
//	mail-1  | …, [pod/mail-0/postfix] …            "docker compose logs", "kubectl logs --prefix"
//	Mon 2026-11-23 20:17:43 UTC host TAG[1]: …     "journalctl -o short-full"
//	1795465063.123456 host TAG[1]: …               and "-o short-unix"
//	Mon Nov 23 20:17:43 2026 mail.info TAG[1]: …   OpenWrt's logread
//	/var/log/mail.log:12:Nov 23 20:17:43 host …    what grep finds
//	{"log":"…","time":"…"}, {"MESSAGE":"…", …}     and Docker, and journald
//	@4000000067aa0b1c0ee6b280 TAG: …                the label of multilog and s6-log
//	TAG[1]: …, host TAG[1]: …                      nothing at all; see Sessions
func (p *Parser) split(line []byte, h *header, depth int) Verdict {
	line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
	if depth == 0 {
		p.scratch = p.scratch[:0]
	}
	if depth > 3 || len(line) < 6 {
		return Malformed
	}
	if line[0] == '{' {
		return p.object(line, h, depth)
	}
	if n := countEnd(line); n > 0 {
		if several(line, n) {
			return Malformed
		}
		line = line[n:]
	}
	rest := line
	if line[0] == '<' {
		n, after := number(line[1:])
		if n > 191 || !has(after, ">") || len(line)-len(after) < 2 {
			return Malformed
		}
		rest = after[1:]
	}
	if has(rest, "1 ") && len(rest) > 22 && rest[6] == '-' {
		return structured(rest[2:], h)
	}
	if plain := p.untab(rest); plain != nil {
		return p.split(plain, h, depth+1)
	}
	end := stampEnd(rest)
	if end < 0 {
		end = yearStampEnd(rest)
	}
	if end < 0 && p.declared != nil {
		if n := slashedStampEnd(rest); n > 0 {
			h.stamp, h.text, h.hosted = rest[:n], rest[n+1:], false // an application writes so, never a syslog daemon
			return Uninteresting
		}
	}
	if end < 0 {
		h.text, h.hosted, h.body = rest, false, rest
		if depth == 0 && !tagged(rest) {
			if n := containerEnd(line); n > 0 {
				return p.inner(line[n:], h, depth)
			}
			if n := fileEnd(line); n > 0 {
				return p.split(line[n:], h, depth+1)
			}
			host := bytes.IndexByte(rest[:min(len(rest), 256)], ' ')
			if host <= 0 || !hostName(rest[:host]) || !tagged(rest[host+1:]) {
				return Malformed
			}
			h.body = rest[host+1:]
		}
		return Signal
	}
	h.stamp = rest[:end]
	return p.afterStamp(rest[end+1:], h, depth)
}

// afterStamp reads "host TAG[1]: …", "TAG[1]: …", "stdout F …" or Exim's own text.
func (p *Parser) afterStamp(rest []byte, h *header, depth int) Verdict {
	rest = bytes.TrimPrefix(rest, []byte(" "))   // macOS writes two blanks
	if has(rest, "Info: ") && tagged(rest[6:]) { // Dovecot 1.x, to its own file
		rest = rest[6:]
	}
	if n := levelEnd(rest); n > 0 && tagged(rest[n:]) { // "INFO    TAG[1]: …", of templates
		rest = rest[n:]
	}
	if has(rest, "<") { // FreeBSD's syslogd -v: "<mail.info> host …"
		if end := bytes.IndexByte(rest[:min(len(rest), 24)], '>'); end > 0 && has(rest[end+1:], " ") {
			rest = rest[end+2:]
		}
	}
	if has(rest, "[") { // metalog: "[sshd] …"
		if end := bytes.IndexByte(rest[:min(len(rest), 40)], ']'); end > 0 && known(rest[1:end]) {
			if body, ok := bytes.CutPrefix(bytes.TrimPrefix(rest[end+1:], []byte(":")), []byte(" ")); ok {
				h.program, h.body = rest[1:end], body
				return Signal
			}
		}
	}
	if has(rest, "stdout ") || has(rest, "stderr ") {
		inner := rest[7:]
		if !has(inner, "F ") && !has(inner, "P ") {
			return Malformed
		}
		if p.tears(inner[0] == 'P') {
			return Uninteresting
		}
		return p.inner(inner[2:], h, depth)
	}
	if h.stamp[10] == 'T' && (stampEnd(rest) > 0 || yearStampEnd(rest) > 0 || has(rest, "<")) {
		return p.inner(rest, h, depth)
	}
	h.text, h.hosted = rest, true
	if tagged(rest) {
		h.body = afterPriority(rest)
		return Signal
	}
	host := bytes.IndexByte(rest[:min(len(rest), 256)], ' ')
	if host > 0 && plainHost(rest[:host]) && tagged(rest[host+1:]) {
		h.body = afterPriority(rest[host+1:])
		return Signal
	}
	if h.stamp[4] == '-' && h.stamp[10] == ' ' {
		h.body, h.exim = rest, true
		return Signal
	}
	if host <= 0 {
		return Malformed
	}
	return Uninteresting
}

// inner reads a line that another one has in it, which has the time of that one if it has
// none itself.
func (p *Parser) inner(line []byte, h *header, depth int) Verdict {
	outer := h.stamp
	h.stamp = nil
	v := p.split(line, h, depth+1)
	if h.stamp == nil {
		h.stamp = outer
	}
	if v == Malformed {
		return Uninteresting // well kept, whatever it is
	}
	return v
}

// containerEnd returns the length of "mail-1  | " or "[pod/mail-0/postfix] ", 0 without
// one.
func containerEnd(b []byte) int {
	b = b[:min(len(b), 256)]
	if has(b, "[pod/") {
		if n := bytes.IndexByte(b, ' '); n > 0 && b[n-1] == ']' && pathName(b[5:n-1]) {
			return n + 1
		}
		return 0
	}
	n := bytes.IndexByte(b, ' ')
	if n <= 0 || !hostName(b[:n]) {
		return 0
	}
	for n < len(b) && b[n] == ' ' {
		n++
	}
	if !has(b[n:], "| ") {
		return 0
	}
	return n + 2
}

// fileEnd returns the length of "/var/log/mail.log:" or "mail.log:12:" before a stamp, 0
// without one.
func fileEnd(b []byte) int {
	n := bytes.IndexByte(b[:min(len(b), 256)], ':') + 1
	if n < 2 || !pathName(b[:n-1]) {
		return 0
	}
	if stampEnd(b[n:]) < 0 && yearStampEnd(b[n:]) < 0 {
		number, after := number(b[n:])
		if number == 0 || !has(after, ":") {
			return 0
		}
		if n = len(b) - len(after) + 1; stampEnd(b[n:]) < 0 && yearStampEnd(b[n:]) < 0 {
			return 0
		}
	}
	return n
}

// tears notes whether what a container runtime keeps is a part of a line that is to be
// continued. It reports whether this one continues the line before: its start is then
// anywhere in a text that a client may have written. A parser knows the lines that it
// reads itself: where a reader gives the next part to another one, it is not seen.
func (p *Parser) tears(torn bool) (continues bool) {
	continues, p.torn = p.torn, torn
	return continues
}

// structured reads RFC 5424 from its stamp on: "STAMP HOST APP PID MSGID [DATA] MESSAGE".
func structured(b []byte, h *header) Verdict {
	end := bytes.IndexByte(b[:min(len(b), 40)], ' ')
	if end < 0 {
		return Malformed
	}
	if h.stamp = b[:end]; end < 20 {
		return Malformed
	}
	rest := b[end+1:]
	var field [4][]byte // host, program, process, id of the message
	start := rest
	for i := range field {
		n := bytes.IndexByte(rest[:min(len(rest), 256)], ' ')
		if n <= 0 {
			return Malformed
		}
		field[i], rest = rest[:n], rest[n+1:]
	}
	h.program = field[1]
	h.process = start[:len(start)-len(rest)]
	switch {
	case has(rest, "- "):
		rest = rest[2:]
	case has(rest, "["):
		n := dataEnd(rest)
		if n < 0 {
			return Malformed
		}
		rest = rest[n:]
	default:
		return Uninteresting
	}
	h.body = bytes.TrimPrefix(bytes.TrimPrefix(rest, []byte(" ")), []byte("\xef\xbb\xbf"))
	// Some senders leave the tag in the message as well.
	if n := len(h.program); bytes.HasPrefix(h.body, h.program) && has(h.body[n:], "[") {
		if body, ok := afterPID(h.body[n:]); ok {
			h.body = body
		}
	}
	return Signal
}

// dataEnd returns the length of the structured data at the start of b.
func dataEnd(b []byte) int {
	quoted := false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && c == ']' && (i+1 == len(b) || b[i+1] != '['):
			return i + 1
		}
	}
	return -1
}

// tagged reports whether b begins with the tag of a program that we read.
func tagged(b []byte) bool {
	b = afterPriority(b)
	n := 0
	for n < len(b) && n < 128 && b[n] != '[' && b[n] != ':' {
		if b[n] <= ' ' {
			return false
		}
		n++
	}
	if n < 4 || !known(b[:n]) {
		return false
	}
	_, ok := afterTag(b[n:])
	return ok
}

// pathName reports whether b can be a file's name.
func pathName(b []byte) bool {
	for _, c := range b {
		if !letterOrDigit(c) && c != '/' && c != '.' && c != '-' && c != '_' && c != '+' && c != '@' {
			return false
		}
	}
	return len(b) > 0
}

// hostName reports whether b can be a host's name where nothing before it says so.
func hostName(b []byte) bool {
	for _, c := range b {
		if !letterOrDigit(c) && c != '.' && c != '-' && c != '_' {
			return false
		}
	}
	return len(b) > 0
}
