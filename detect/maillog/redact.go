package maillog

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"regexp"
	"strings"
	"time"

	"fwsync/detect"
)

// Redacted begins every line that a Redactor has been at. No log line begins so.
const Redacted = "(redacted) "

// gone stands for whatever was left out.
const gone = "…"

// Redactor leaves out of log lines what tells of people: account names, mail addresses,
// names of clients, what clients said. It works the other way round: what stays is the
// stamp, the host, the program, the client's address, reply codes and words of the
// daemons themselves (see words.go), and these only where no name or quotation is. So
// a shape that it does not know loses too much and never too little.
//
// With a key, the same account gets the same short keyed hash everywhere; without one
// all accounts look the same. Not safe for concurrent use.
type Redactor struct {
	key    []byte
	parser *Parser
}

// NewRedactor returns a redactor; the key may be empty.
func NewRedactor(key string) *Redactor {
	// The time is not used, so any that lets every stamp be one will do.
	return &Redactor{key: []byte(key), parser: New(Options{Reference: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)})}
}

var accountForm = regexp.MustCompile(`^\[account( [0-9a-f]{8})?\]$`)

// Account returns what stands for an account's name, whatever its case; of nothing,
// nothing, and of what stands for one, the same.
func (r *Redactor) Account(name string) string {
	switch {
	case name == "" || accountForm.MatchString(name):
		return name
	case len(r.key) == 0:
		return "[account]"
	}
	mac := hmac.New(sha256.New, r.key)
	mac.Write([]byte(strings.ToLower(name)))
	return "[account " + hex.EncodeToString(mac.Sum(nil)[:4]) + "]"
}

// Line returns the line without what tells of people. The client's address is taken
// from the line, as for a signal, where the caller does not know it.
func (r *Redactor) Line(line []byte, client netip.Addr) string {
	if bytes.HasPrefix(line, []byte(Redacted)) {
		return string(line)
	}
	var s detect.Signal
	var account []byte
	quotes := false
	if r.parser.ParseInto(line, &s) == Signal {
		account, quotes = s.Account, quoting[s.Kind]
		if !client.IsValid() {
			client = s.Addr
		}
	}
	client = client.Unmap()
	var h header
	if r.parser.split(line, &h, 0) != Signal {
		if client.IsValid() {
			return Redacted + gone + " [" + client.String() + "] " + gone
		}
		return Redacted + gone
	}
	out := Redacted
	if _, ok := r.parser.clock.read(h.stamp); ok {
		out += string(h.stamp) + " "
	}
	body := h.body
	switch {
	case h.program != nil:
		out += programOf(h.program) + ": "
	case !h.exim:
		tag, message := taggedParts(body)
		if host := hostOf(line, &h); host != "" {
			out += host + " "
		}
		out += tag + ": "
		body = message
	}
	x := redaction{in: body, client: client, quotes: quotes, name: r.Account(string(account))}
	x.find(account)
	out += x.run()
	// A quotation that the client left open takes the daemon's words with it.
	if client.IsValid() && !strings.Contains(out, client.String()) {
		out += " [" + client.String() + "]"
	}
	return out
}

// quoting kinds are of lines that end with what the client sent.
var quoting = map[detect.Kind]bool{
	detect.SMTPNonSMTPCommand: true, detect.SMTPPipelining: true, detect.SMTPPregreet: true,
	detect.SMTPDangerousCommand: true, detect.SMTPHeaderInjection: true,
}

// programOf is the name of a program that we know; the name alone says which.
func programOf(name []byte) string {
	if !known(name) || !plainName(name, "./_-") {
		return gone
	}
	return string(name)
}

// taggedParts takes "TAG[PID]: MESSAGE" apart.
func taggedParts(b []byte) (tag string, message []byte) {
	n := max(0, bytes.IndexAny(b, "[:"))
	message, ok := afterTag(b[n:])
	if !ok {
		return gone, nil
	}
	tag = programOf(b[:n])
	if pid, rest := number(bytes.TrimPrefix(b[n:], []byte("["))); pid > 0 && has(rest, "]: ") {
		tag += string(b[n : len(b)-len(rest)+1])
	}
	return tag, message
}

// hostOf is the word between a plain line's stamp and its tag.
func hostOf(line []byte, h *header) string {
	end := bytes.Index(line, h.body)
	if len(h.stamp) == 0 || len(line) == 0 || line[0] == '{' || end <= 0 {
		return ""
	}
	before := bytes.Fields(line[:end])
	if len(before) == 0 {
		return ""
	}
	host := before[len(before)-1]
	if !plainName(host, ".-") || bytes.HasSuffix(h.stamp, host) {
		return ""
	}
	return string(host)
}

// plainName reports whether b has letters, digits and marks only.
func plainName(b []byte, marks string) bool {
	for _, c := range b {
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') && strings.IndexByte(marks, c) < 0 {
			return false
		}
	}
	return len(b) <= 64
}
