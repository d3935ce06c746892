package maillog

import (
	"bytes"
	"net/netip"
	"strings"
)

// redaction is one message on its way through a Redactor.
type redaction struct {
	in     []byte
	client netip.Addr
	quotes bool   // what follows the client's address is the client's
	name   string // what stands for the account
	spans  [][2]int
	out    strings.Builder
	hidden bool // the last that was written is gone, and perhaps a blank
	blank  bool
}

// find notes where the account is: exactly, if it is a part of the message itself, else
// wherever it may be.
func (x *redaction) find(account []byte) {
	if len(account) == 0 {
		return
	}
	if at := cap(x.in) - cap(account); at >= 0 && at+len(account) <= len(x.in) && &x.in[at] == &account[0] {
		x.spans = [][2]int{{at, at + len(account)}}
		return
	}
	for from := 0; ; {
		n := bytes.Index(x.in[from:], account)
		if n < 0 {
			return
		}
		x.spans = append(x.spans, [2]int{from + n, from + n + len(account)})
		from += n + len(account)
	}
}

// run writes what may stay.
func (x *redaction) run() string {
	for i := 0; i < len(x.in); {
		switch {
		case len(x.spans) > 0 && i >= x.spans[0][1]:
			x.spans = x.spans[1:] // was left out with what is around it
		case len(x.spans) > 0 && i >= x.spans[0][0]:
			i = x.account()
		default:
			i = x.step(i)
		}
	}
	return x.out.String()
}

// account writes what stands for the account that comes next, and returns its end.
func (x *redaction) account() int {
	end := x.spans[0][1]
	x.spans = x.spans[1:]
	x.text(x.name)
	return end
}

// step deals with what begins at i and returns where the next thing does.
func (x *redaction) step(i int) int {
	c := x.in[i]
	switch {
	case c == '<' && i+1 < len(x.in) && x.in[i+1] == '=', c == '=' && i+1 < len(x.in) && x.in[i+1] == '>':
		// Exim's arrows, before an address.
		x.text(string(x.in[i : i+2]))
		return x.hide(i+2, x.blankEnd(i+2))
	case c == '<':
		return x.enclosed(i, '>')
	case c == '"', c == '`':
		return x.enclosed(i, c)
	case c == '\'' && (i == 0 || separates(x.in[i-1])):
		return x.enclosed(i, c)
	case c == '(':
		// Exim's HELO name, before the address.
		if n := bytes.IndexByte(x.in[i:], ')'); n > 0 && has(x.in[i+n:], ") [") {
			return x.enclosed(i, ')')
		}
	case c == '=':
		x.text("=")
		return x.value(i)
	}
	if separates(c) {
		x.punctuation(c)
		return i + 1
	}
	end := i + 1
	for end < len(x.in) && !separates(x.in[end]) && (len(x.spans) == 0 || end < x.spans[0][0]) {
		end++
	}
	return x.word(i, end)
}

// separates reports whether c stands between words.
func separates(c byte) bool {
	return c <= ' ' || strings.IndexByte("()<>[]{}\",;=`|", c) >= 0
}

// enclosed leaves out what is quoted at i, to the end of the message if nothing closes it.
func (x *redaction) enclosed(i int, closing byte) int {
	x.text(string(x.in[i]))
	i++
	end := bytes.IndexByte(x.in[i:], closing)
	if len(x.spans) > 0 && (end < 0 || x.spans[0][0] <= i+end) {
		x.hide(i, x.spans[0][0])
		i = x.account()
		end = bytes.IndexByte(x.in[i:], closing)
	}
	if end < 0 {
		return x.hide(i, len(x.in))
	}
	x.hide(i, i+end)
	x.text(string(closing))
	return i + end + 1
}

// value leaves out what follows the "=" at i, unless it is the daemon's own.
func (x *redaction) value(i int) int {
	start := i + 1
	if start == len(x.in) || strings.IndexByte(`<[("'`, x.in[start]) >= 0 {
		return start // enclosed, a list, or the address
	}
	end := start
	for end < len(x.in) && x.in[end] > ' ' && x.in[end] != ',' && x.in[end] != ';' && x.in[end] != '[' {
		end++
	}
	if end == start {
		return end
	}
	keyStart := i
	for keyStart > 0 && !separates(x.in[keyStart-1]) {
		keyStart--
	}
	value, kept := string(x.in[start:end]), false
	switch ownKeys[strings.ToLower(string(x.in[keyStart:i]))] {
	case wordValue:
		kept = ownWords[strings.ToLower(value)]
	case numberValue:
		kept = len(value) <= 9 && strings.Trim(value, "0123456789/") == ""
	}
	if len(x.spans) > 0 && x.spans[0][0] < end {
		return x.hide(start, max(start, x.spans[0][0]))
	}
	if a, ok := x.address(value); ok && !kept {
		x.text(a)
		return end
	}
	if !kept {
		return x.hide(start, end)
	}
	x.text(value)
	return end
}

// word writes a word that is the daemon's own, a reply code, or the client's address.
func (x *redaction) word(i, end int) int {
	core := strings.TrimRight(string(x.in[i:end]), ":.!")
	tail := string(x.in[i+len(core) : end])
	if a, ok := x.address(core); ok {
		x.text(a)
		x.mark(tail)
		if n := bytes.Index(x.in[end:], []byte(": ")); n > 0 && x.quotes && x.in[end] == ']' {
			x.text("]: ")
			return x.hide(end+n+2, len(x.in))
		}
		return end
	}
	_, key := ownKeys[strings.ToLower(core)]
	key = key && end < len(x.in) && x.in[end] == '='
	if !key && !ownWords[strings.ToLower(core)] && !replyCode(core) && !x.amount(core, end) {
		x.hide(i, i+len(core))
		x.mark(tail)
		return end
	}
	x.text(core)
	x.mark(tail)
	return end
}

// mark writes one mark of what ended a word.
func (x *redaction) mark(tail string) {
	if tail != "" {
		x.text(tail[:1])
	}
}

// amount reports whether a number says how many of what follows.
func (x *redaction) amount(core string, end int) bool {
	if core == "" || len(core) > 4 || strings.Trim(core, "0123456789") != "" {
		return false
	}
	for _, unit := range []string{" attempts", " secs", " times:", " seconds", " more authentication"} {
		if has(x.in[end:], unit) {
			return true
		}
	}
	return false
}

// replyCode reports whether s is a code of SMTP, also of RFC 3463.
func replyCode(s string) bool {
	if len(s) == 0 || s[0] != '2' && s[0] != '4' && s[0] != '5' {
		return false
	}
	if len(s) == 3 {
		return strings.Trim(s, "0123456789") == ""
	}
	return len(s) >= 5 && len(s) <= 7 && s[1] == '.' && strings.Count(s, ".") == 2 && s[len(s)-1] != '.' && strings.Trim(s, "0123456789.") == ""
}

// address returns the text of the client's address if s is that.
func (x *redaction) address(s string) (string, bool) {
	if !x.client.IsValid() || len(s) > 60 {
		return "", false
	}
	if len(s) > 5 && strings.EqualFold(s[:5], "ipv6:") {
		s = s[5:]
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.WithZone("").Unmap() != x.client {
		return "", false
	}
	return x.client.String(), true
}

// blankEnd is where the word behind the blanks at i ends.
func (x *redaction) blankEnd(i int) int {
	for i < len(x.in) && x.in[i] == ' ' {
		i++
	}
	for i < len(x.in) && x.in[i] != ' ' {
		i++
	}
	return i
}

// hide writes that something is left out, once for what lies side by side.
func (x *redaction) hide(from, to int) int {
	if to > from && !x.hidden {
		if x.blank {
			x.out.WriteByte(' ')
		}
		x.out.WriteString(gone)
		x.hidden, x.blank = true, false
	}
	return to
}

func (x *redaction) punctuation(c byte) {
	if c <= ' ' {
		x.blank = true
		return
	}
	x.text(string(c))
}

func (x *redaction) text(s string) {
	if x.blank {
		x.out.WriteByte(' ')
	}
	x.out.WriteString(s)
	x.hidden, x.blank = false, false
}
