package maillog

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// pattern is how the lines of a declared signal read: literals and places, which take
// turns. It matches whole messages.
//
// The address is believed only where its place can be told whatever the client
// writes. So both ends of a message are read place by place, as far as the end of each
// can be told from its alphabet: forward from the start, backward from the end.
// What is between is hostile text, and the address must not be in there.
type pattern struct {
	tokens   []token
	forward  int // so many are read from the start …
	backward int // … and so many from the end; more than all together are read twice
	address  int
	account  int // -1: none
}

// token is a literal, or a place of a kind.
type token struct {
	literal string
	kind    *placeKind
	at      int // in the pattern's text
	// The literal next to a place ends it: its first byte outside the alphabet of the
	// place comes after so many within; likewise its last one, before so many. -1: there
	// is none, and it is the last one (the first one) of the pattern.
	after, before int
}

// placeKind is what may stand in a place.
type placeKind struct {
	name    string
	free    bool // any text: its end cannot be told
	hostile bool // a client may choose it
	holds   [256]bool
}

var placeKinds = []*placeKind{
	kindOf("address", false, true, addressBytes),
	kindOf("address:port", false, true, func(c byte) bool { return addressBytes(c) || c == '[' || c == ']' }),
	kindOf("account", true, true, anyByte),
	kindOf("account:word", false, true, wordBytes),
	kindOf("text", true, true, anyByte),
	kindOf("word", false, true, wordBytes),
	kindOf("name", false, true, func(c byte) bool { return letterOrDigit(c) || c == '.' || c == '-' || c == '_' }),
	kindOf("number", false, false, func(c byte) bool { return '0' <= c && c <= '9' }),
	kindOf("time", false, false, func(c byte) bool { return '0' <= c && c <= '9' || strings.IndexByte(":-/.,+TZ", c) >= 0 }),
}

func kindOf(name string, free, hostile bool, holds func(byte) bool) *placeKind {
	k := &placeKind{name: name, free: free, hostile: hostile}
	for c := range k.holds {
		k.holds[c] = holds(byte(c))
	}
	return k
}

func (k *placeKind) lacks(c byte) bool { return !k.holds[c] }

func letterOrDigit(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9'
}

// addressBytes are all that an address, a zone or what stands for an unknown address
// may consist of: more than a parser of addresses takes, so that nothing of them
// can be taken for what stands around.
func addressBytes(c byte) bool { return letterOrDigit(c) || strings.IndexByte(".:%-_", c) >= 0 }
func wordBytes(c byte) bool    { return c > ' ' && c != 0x7f }
func anyByte(byte) bool        { return true }

// Bounds of a pattern.
const (
	MaxPattern = 500
	maxTokens  = 40
	// leastWord is the shortest literal that tells the lines of a signal from others.
	leastWord = 3
)

// PatternError says what is wrong with a pattern.
type PatternError struct {
	At            int // the byte of the pattern that it is about
	Message, Hint string
}

func (e *PatternError) Error() string { return e.Message }

func refuse(at int, hint, format string, args ...any) error {
	return &PatternError{at, fmt.Sprintf(format, args...), hint}
}

func compile(text string) (*pattern, error) {
	p := &pattern{address: -1, account: -1}
	if len(text) > MaxPattern {
		return nil, refuse(0, "", "the pattern has more than %d bytes", MaxPattern)
	}
	if at := strings.IndexFunc(text, unicode.IsControl); at >= 0 {
		return nil, refuse(at, "a message is one line", "the pattern holds a control character")
	}
	if err := p.split(text); err != nil {
		return nil, err
	}
	if err := p.shape(); err != nil {
		return nil, err
	}
	p.measure()
	return p, p.analyse()
}

// split takes the text apart into literals and places.
func (p *pattern) split(text string) error {
	var literal []byte
	start := 0
	end := func() {
		if len(literal) > 0 {
			p.tokens = append(p.tokens, token{literal: string(literal), at: start})
		}
		literal = nil
	}
	for i := 0; i < len(text); {
		if text[i] != '<' || strings.HasPrefix(text[i:], "<<") {
			if literal == nil {
				start = i
			}
			literal = append(literal, text[i])
			if text[i] == '<' {
				i++
			}
			i++
			continue
		}
		end()
		name, _, closed := strings.Cut(text[i+1:], ">")
		if !closed {
			return refuse(i, "a place is written <address>, a bracket of the message itself <<", "a place is opened and not closed")
		}
		at := slices.IndexFunc(placeKinds, func(k *placeKind) bool { return k.name == name })
		if at < 0 {
			return refuse(i, "places are <"+strings.Join(placeNames(), ">, <")+">; a bracket of the message itself is written <<", "<%s> is no place", name)
		}
		p.tokens = append(p.tokens, token{kind: placeKinds[at], at: i})
		i += len(name) + 2
	}
	end()
	if len(p.tokens) > maxTokens {
		return refuse(p.tokens[maxTokens].at, "", "the pattern has more than %d literals and places", maxTokens)
	}
	return nil
}

func placeNames() []string {
	var names []string
	for _, k := range placeKinds {
		names = append(names, k.name)
	}
	return names
}

func (t *token) names(what string) bool {
	return t.kind != nil && (t.kind.name == what || strings.HasPrefix(t.kind.name, what+":"))
}

// shape finds the address and the account.
func (p *pattern) shape() error {
	for i := range p.tokens {
		t := &p.tokens[i]
		if t.kind == nil {
			continue
		}
		if i > 0 && p.tokens[i-1].kind != nil {
			return refuse(t.at, "write the text that the program puts between them", "<%s> follows <%s> with nothing between them: nobody can tell where one ends", t.kind.name, p.tokens[i-1].kind.name)
		}
		switch {
		case t.names("address") && p.address >= 0:
			return refuse(t.at, "write <text> for the one that is not the client's", "the pattern has a second address: whose is it?")
		case t.names("address"):
			p.address = i
		case t.names("account") && p.account >= 0:
			return refuse(t.at, "write <text> or <word> for one of them", "the pattern has a second account")
		case t.names("account"):
			p.account = i
		}
	}
	if p.address < 0 {
		return refuse(0, `write <address> where the program writes the client's address, as in "login failed for <account> from <address>"`, "the pattern has no <address>")
	}
	if !slices.ContainsFunc(p.tokens, func(t token) bool { return telling(t.literal) }) {
		return refuse(0, fmt.Sprintf("add the words that the program writes, at least %d characters in a row", leastWord), "the pattern has no text that tells its lines from others")
	}
	return nil
}

// telling reports whether a literal tells lines from others.
func telling(literal string) bool {
	return len(literal) >= leastWord && strings.ContainsFunc(literal, unicode.IsLetter)
}

// measure finds how far the places can be told from both ends.
func (p *pattern) measure() {
	n := len(p.tokens)
	for i := range p.tokens {
		t := &p.tokens[i]
		if t.kind == nil {
			continue
		}
		t.after, t.before = -1, -1
		if i+1 < n {
			t.after = slices.IndexFunc([]byte(p.tokens[i+1].literal), t.kind.lacks)
		}
		if i > 0 {
			literal := []byte(p.tokens[i-1].literal)
			slices.Reverse(literal)
			t.before = slices.IndexFunc(literal, t.kind.lacks)
		}
	}
	for p.forward = 0; p.forward < n; p.forward++ {
		if t := &p.tokens[p.forward]; t.kind != nil && (t.kind.free || t.after < 0 && p.forward+2 < n) {
			break
		}
	}
	for p.backward = 0; p.backward < n; p.backward++ {
		at := n - 1 - p.backward
		if t := &p.tokens[at]; t.kind != nil && (t.kind.free || t.before < 0 && at > 1) {
			break
		}
	}
}

// analyse refuses patterns through which a client could write the address.
func (p *pattern) analyse() error {
	n := len(p.tokens)
	for i := range p.tokens {
		t := &p.tokens[i]
		if telling(t.literal) || t.names("address") {
			break
		}
		if t.kind != nil && t.kind.hostile {
			return refuse(t.at, fmt.Sprintf("begin with the text that the program itself writes, at least %d characters", leastWord),
				"<%s> stands before any text of the program: a client could make another line look like this one", t.kind.name)
		}
	}
	address := &p.tokens[p.address]
	if p.address >= p.forward && p.address < n-p.backward {
		before, behind := &p.tokens[p.forward], &p.tokens[n-1-p.backward]
		if before == address { // and from the end there is hostile text
			return p.unended(address)
		}
		if behind == address {
			return refuse(before.at, p.hint(before), "a client could write the address: %s, and the start of <%s> cannot be told from the end of the line", p.why(before, p.forward, true), address.kind.name)
		}
		return refuse(before.at, p.hint(before), "a client could write the address: %s, and %s", p.why(before, p.forward, true), p.why(behind, n-1-p.backward, false))
	}
	for i := p.forward; i < n-p.backward; i++ {
		if t := &p.tokens[i]; t.kind != nil && !t.kind.free {
			return refuse(t.at, "write <text> from there on to the end of what is free, or leave the place out",
				"<%s> stands among text that a client chooses: nobody can tell which part of it is meant", t.kind.name)
		}
	}
	return nil
}

func (p *pattern) unended(t *token) error {
	hint := "put the character that the program writes around it into the pattern, as in [<address>] or \"<address>, \""
	if p.address+1 < len(p.tokens) && strings.HasPrefix(p.tokens[p.address+1].literal, ":") {
		hint = "an address with a port, 192.0.2.7:4711 or [2001:db8::7]:4711, is written <address:port>"
	}
	return refuse(t.at, hint, "the end of <%s> cannot be told: what stands next to it could be part of it", t.kind.name)
}

// why says what keeps a reading from going on to the address.
func (p *pattern) why(t *token, at int, forward bool) string {
	side, next := "before", at+1
	if !forward {
		side, next = "behind", at-1
	}
	if t.kind.free {
		return fmt.Sprintf("<%s> %s it holds whatever a client sends", t.kind.name, side)
	}
	return fmt.Sprintf("<%s> %s it may itself hold %q, where it is to end", t.kind.name, side, p.tokens[next].literal)
}

func (p *pattern) hint(t *token) string {
	if t.names("account") && t.kind.free {
		return "if the program refuses names with blanks write <account:word>; else only a place that the program writes at the start or the end of its lines can be believed"
	}
	return "use <word>, <name> or <number> for what cannot hold the text behind it; else only a place that the program writes at the start or the end of its lines can be believed"
}
