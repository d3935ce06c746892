// Package maillog reads one line of a mail server's log and says which signal it
// is, if any: of Postfix, Dovecot, Exim, sendmail or sshd, behind any of the usual
// prefixes (see prefix.go).
//
// It is pure: bytes in, a signal out, no allocation, no clock, no I/O. What
// opens a log lives in detect/sources, what counts signals in detect.
//
// The remote party controls much of a mail log's text: user names, HELO names,
// addresses, whole commands, its own reverse name. So each shape is read position
// by position, and the client address is taken only from where the daemon itself
// writes it: from the start where everything before is the daemon's own, from the
// end where everything behind is. Where a daemon writes hostile text on both sides,
// an address is believed only if the line can be read in one way; otherwise the
// line is a BadAddress. That lets a stranger who garbles his own line get away with
// it, and lets nobody have somebody else blocked.
package maillog

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"net/netip"
	"time"

	"fwsync/detect"
)

// Verdict is what a line turned out to be.
type Verdict uint8

const (
	// Uninteresting lines are well-formed and say nothing that we count.
	Uninteresting Verdict = iota
	// Signal lines are a signal, also those that Sessions may drop.
	Signal
	// Malformed lines begin with no known header and no known program, or their
	// stamp is not a time.
	Malformed
	// BadAddress lines would be a signal, but where the daemon writes the
	// client address there is none to trust ("unknown", cut off, not an IP).
	BadAddress
)

// Options of a parser.
type Options struct {
	// Reference dates the traditional stamps, which have no year: each gets
	// the latest year that puts it at most a day after Reference. The zero
	// time makes all of them malformed.
	Reference time.Time
	// Location is the zone of the stamps without one; nil means UTC. Where a change
	// of the clocks makes a stamp ambiguous it is one of the two times.
	Location *time.Location
	// Declared are the signals that a policy declares beside the built-in ones.
	Declared *Declared
}

// Parser reads lines of one log. It keeps the latest stamp and host name, so
// that the next line costs less. Not safe for concurrent use.
type Parser struct {
	clock    stampReader
	host     host
	usual    usual // what the lines begin with that Sift looks at
	declared *Declared
	asked    [quickSlots]quick // the programs of most lines, with what signals are declared for
	torn     bool              // the latest line of a container runtime is to be continued

	scratch []byte // what a JSON line's message is unpacked into
	kept    []byte // account names that outlive scratch
}

// New returns a parser.
func New(o Options) *Parser {
	if o.Location == nil {
		o.Location = time.UTC
	}
	return &Parser{clock: stampReader{reference: o.Reference, location: o.Location}, declared: o.Declared}
}

// Parse reads one line, without its newline. The signal is only meaningful
// with the verdict Signal; Line, Offset and Source are the caller's to fill.
func (p *Parser) Parse(line []byte) (detect.Signal, Verdict) {
	var s detect.Signal
	v := p.ParseInto(line, &s)
	if v != Signal {
		return detect.Signal{}, v
	}
	return s, v
}

// ParseInto is Parse without copying: s is overwritten, but for what is the caller's,
// if the verdict is Signal, and its contents are unspecified otherwise. A signal with a Part must
// pass Sessions before it is counted, and so must one whose Time is zero: its line
// has none.
func (p *Parser) ParseInto(line []byte, s *detect.Signal) Verdict {
	line = withoutReturn(line)
	stamp := 15
	if !traditional(line) {
		if stamp = stampEnd(line); stamp < 0 {
			return p.parseOther(line, s)
		}
	}
	msg := line[stamp+1:]
	if !p.host.begins(msg) {
		n := hostAtStart(msg)
		if n == 0 {
			return p.parseOther(line, s)
		}
		p.host.keep(msg[:n+1])
	}
	msg = msg[p.host.length:]
	var f found
	switch {
	case len(msg) < 10:
	case msg[0] == 'p':
		if string(msg[:7]) == "postfix" {
			postfix(msg, &f)
		}
	default:
		dispatch(msg, &f)
	}
	return p.ended(line, stamp, stamp+1+p.host.length, &f, s)
}

// withoutReturn cuts off the carriage return that logs have at the end of each line which
// came over a connection, or from Windows.
func withoutReturn(line []byte) []byte {
	if n := len(line) - 1; n >= 0 && line[n] == '\r' {
		return line[:n]
	}
	return line
}

// ended says what a line is, its stamp's length, where its tag begins, and what was found
// in it.
func (p *Parser) ended(line []byte, stamp, tag int, f *found, s *detect.Signal) Verdict {
	if f.kind == 0 {
		if p.declared != nil && p.declared.mayBe(line[stamp+1:], line[tag:]) {
			return p.declaredLine(line, stamp, line[tag:], s)
		}
		return Uninteresting
	}
	if !f.addr.IsValid() {
		return BadAddress
	}
	t, ok := p.clock.read(line[:stamp])
	if !ok {
		return Malformed
	}
	f.fill(s, t, line)
	if f.part != detect.Whole {
		s.Session = sessionOf(line[stamp+1:cap(line)-cap(f.body)], f)
	}
	return Signal
}

// Message reads a message whose header came apart from it, as journald and JSON
// have it: the program's name ("postfix/smtpd"), its process id (or nothing) and the
// time (zero if unknown). It is ParseInto for such a line; Raw is the message.
func (p *Parser) Message(program, pid, message []byte, at time.Time, s *detect.Signal) Verdict {
	var f found
	byName(program, message, &f)
	if f.kind == 0 && p.declared != nil {
		p.declared.byName(program, message, &f)
	}
	if f.kind == 0 {
		return Uninteresting
	}
	if !f.addr.IsValid() {
		return BadAddress
	}
	f.fill(s, at, message)
	if f.part != detect.Whole {
		s.Session = sessionOf(program, &f) + sessionOf(pid, &f)
	}
	return Signal
}

// found is what a message says: no kind, nothing; a kind with an invalid
// address, something about nobody. It is filled in place, most lines leave it
// as it was.
type found struct {
	kind    detect.Kind
	part    detect.Part
	port    int // tells apart the sessions of one process
	count   int
	addr    netip.Addr
	account []byte
	body    []byte // the message; what is before it names the process
}

var seed = maphash.MakeSeed()

// sessionOf identifies a session by the process that writes about it and the client.
func sessionOf(process []byte, f *found) uint64 {
	const m, m2 = 0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9
	var low, high uint64
	if f.addr.Is4() { // what was written in two parts is not read in one, which takes long
		a := f.addr.As4()
		high = uint64(binary.LittleEndian.Uint32(a[:]))
	} else {
		a := f.addr.As16()
		low, high = binary.LittleEndian.Uint64(a[:8]), binary.LittleEndian.Uint64(a[8:])
	}
	h := low*m ^ high + uint64(f.port)
	// The start has the host, the end the process id; what is between follows from it.
	if n := len(process); n >= 16 {
		h = h*m2 ^ binary.LittleEndian.Uint64(process)
		h = h*m ^ binary.LittleEndian.Uint64(process[n-10:]) + uint64(n)
	} else {
		h = h*m2 ^ maphash.Bytes(seed, process)
	}
	h = (h ^ h>>32) * m2
	return max(1, h^h>>29)
}

// fill writes all of s but what is the caller's to fill.
func (f *found) fill(s *detect.Signal, at time.Time, raw []byte) {
	s.Kind, s.Part, s.Addr, s.Time, s.Count, s.Account, s.Session, s.Raw = f.kind, f.part, f.addr, at, f.count, f.account, 0, raw
}

// host is the latest line's host and the blank after it, so that it is known again
// at a glance.
type host struct {
	length       int
	text         []byte
	words, masks [2]uint64 // of a text of up to 16 bytes
}

func (h *host) keep(text []byte) {
	h.length, h.text = len(text), append(h.text[:0], text...)
	var padded [16]byte
	copy(padded[:], text)
	h.words = [2]uint64{word(padded[:]), word(padded[8:])}
	for i := range h.masks {
		if n := min(max(len(text)-8*i, 0), 8); n == 8 {
			h.masks[i] = 1<<64 - 1
		} else {
			h.masks[i] = 1<<(8*n) - 1
		}
	}
}

// begins reports whether b begins with it.
func (h *host) begins(b []byte) bool {
	if len(b) < 16 || h.length > 16 || h.length == 0 {
		return h.length > 0 && bytes.HasPrefix(b, h.text)
	}
	return (word(b)^h.words[0])&h.masks[0]|(word(b[8:])^h.words[1])&h.masks[1] == 0
}

// hostAtStart returns the length of the host that b begins with, without the blank behind
// it; 0 if there is none.
func hostAtStart(b []byte) int {
	n := bytes.IndexByte(b[:min(len(b), 256)], ' ')
	if n <= 0 || !plainHost(b[:n]) || beginsStamp(b[:n]) || has(b[n+1:], " ") {
		return 0
	}
	return n
}

// plainHost reports whether b can be the host of a header: not a tag, which ends
// with a colon, nor what container runtimes write there.
func plainHost(b []byte) bool {
	if string(b) == "(none)" { // of a machine that was given no name
		return true
	}
	for _, c := range b {
		if c <= ' ' || c == '[' || c == '(' || c == '=' || c == '"' || c == '<' {
			return false
		}
	}
	return b[len(b)-1] != ':' && string(b) != "stdout" && string(b) != "stderr"
}

// beginsStamp reports whether a word may be the first of another stamp, and no host.
func beginsStamp(b []byte) bool {
	if len(b) == 3 {
		return monthOf(b) != 0
	}
	return len(b) >= 10 && b[4] == '-' && b[7] == '-' && '0' <= b[0] && b[0] <= '9'
}

// number reads up to 7 decimal digits; 0 if there are none.
func number(b []byte) (n int, rest []byte) {
	i := 0
	for i < len(b) && i < 7 && '0' <= b[i] && b[i] <= '9' {
		n = n*10 + int(b[i]-'0')
		i++
	}
	return n, b[i:]
}

func has(b []byte, prefix string) bool {
	// The first byte by itself tells most that do not, without a call.
	return len(b) >= len(prefix) && (prefix == "" || b[0] == prefix[0]) && string(b[:len(prefix)]) == prefix
}

// tail is how much of a line's end is searched for what the daemon writes there, so
// that no line costs more than its length's worth of work.
const tail = 1024

// lastIndex is bytes.LastIndex in the tail of b, which looks at 8 bytes at a time: what
// the daemon writes at the end is many bytes before it.
func lastIndex(b []byte, sep string) int {
	from := max(0, len(b)-tail)
	// One byte tells most places apart: the r of ", rip=" from ", lip=".
	telling := len(sep) / 3
	same := ones * uint64(sep[telling])
	rest := b[from:]
	for ; len(rest) >= 8; rest = rest[:len(rest)-8] {
		for c := below(word(rest[len(rest)-8:])^same, 1); c != 0; {
			top := 63 - bits.LeadingZeros64(c)
			c ^= 1 << top
			if at := from + len(rest) - 8 + top>>3 - telling; at >= from && has(b[at:], sep) {
				return at
			}
		}
	}
	for i := from + len(rest) - 1; i >= from; i-- {
		if has(b[i:], sep) {
			return i
		}
	}
	return -1
}

// indexEarly is bytes.Index, and faster where sep is among the first bytes, as most are that
// are looked for so.
func indexEarly(b []byte, sep string) int {
	if at := bytes.Index(b[:min(len(b), 48)], []byte(sep)); at >= 0 {
		return at
	}
	return bytes.Index(b, []byte(sep))
}

// bounded cuts an account's name to what is worth keeping; nil if it is empty.
func bounded(account []byte) []byte {
	if len(account) == 0 {
		return nil
	}
	return account[:min(len(account), 256)]
}
