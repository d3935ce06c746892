package policies

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// Signal is a kind of signal that people declare: whose lines, and how they read. What
// a pattern may say is known to Options.CheckSignals.
type Signal struct {
	Name     string
	Program  string       `json:",omitzero"` // whose lines; empty: of logs that name none
	Pattern  string       // literal text with places
	Meaning  string       `json:",omitzero"` // in one sentence
	Phase    string       `json:",omitzero"` // probing, brute-force, exploitation or harassment; empty: none
	Tests    []SignalTest `json:"-"`         // at least one of a signal and one of none
	Declared string       `json:"-"`         // file:line, for messages
}

// SignalTest is a line and what the signal makes of it.
type SignalTest struct {
	Line    string
	Address netip.Addr // the zero address: it is not this signal
	Account string     // empty: not compared
}

// SignalFault is one thing that is wrong with a declared signal.
type SignalFault struct {
	Signal        int // index
	Test          int // of its tests; -1: it is about the pattern
	At            int // then the byte of the pattern
	Message, Hint string
}

// Bounds of declared signals; the number is detect's.
const (
	maxSignals     = 32
	maxSignalName  = 60
	maxSignalTests = 200
)

const signalName = `^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$`

var (
	signalPattern  = regexp.MustCompile(signalName)
	programPattern = lazily(`^[^\x00-\x20\x7f-\x{10ffff}\[\]:"]{1,64}$`)
)

// declaredSignals checks the form of the signals, and has their meaning checked.
func (c *checker) declaredSignals() {
	before := len(c.report.found)
	seen := map[string]place{}
	var entries []*signalEntry
	for _, doc := range c.docs {
		for i := range doc.Signals {
			e := &doc.Signals[i]
			entries = append(entries, e)
			if len(entries) == maxSignals+1 {
				c.report.at(e.at, "", "more than %d signals are declared", maxSignals)
			}
			c.signalName(seen, e.Name)
			if w := e.Program; w.at.known() && !programPattern().MatchString(w.text) {
				c.report.at(w.at, "write the tag without the process id: myapp for myapp[17]:", "%q is not the name of a program", w.text)
			}
			c.policy.Signals = append(c.policy.Signals, Signal{
				Name: e.Name.text, Program: e.Program.text, Pattern: e.Pattern.text, Meaning: e.Meaning.text, Phase: e.Phase.text,
				Tests: c.signalTests(e), Declared: declared(e.at),
			})
		}
	}
	if c.options.CheckSignals == nil || len(c.report.found) > before || c.report.incomplete {
		return
	}
	for _, f := range c.options.CheckSignals(c.policy.Signals) {
		e := entries[f.Signal]
		at := e.Pattern.inside(f.At)
		if f.Test >= 0 {
			at = e.Tests[f.Test].Line.at
		}
		c.report.at(at, f.Hint, "%s", f.Message)
	}
}

func (c *checker) signalName(seen map[string]place, w word) {
	switch first, again := seen[w.text]; {
	case !w.at.known():
		return
	case slices.Contains(c.options.Signals, w.text):
		c.report.at(w.at, "choose another name", "signal %q is built in", w.text)
	case !signalPattern.MatchString(w.text) || len(w.text) > maxSignalName:
		hint := fmt.Sprintf("names are two words of a-z, 0-9 and _ with a dot between them, such as web.login_failed, at most %d characters", maxSignalName)
		c.report.at(w.at, hint, "%q is not a name for a signal", w.text)
	case again:
		c.report.at(w.at, "", "signal %q is declared twice, first at %s", w.text, first)
	}
	seen[w.text] = w.at
}

func (c *checker) signalTests(e *signalEntry) []SignalTest {
	var tests []SignalTest
	positive, negative := false, false
	for i := range e.Tests {
		t := &e.Tests[i]
		test := SignalTest{Line: t.Line.text, Account: t.Account.text}
		if t.Line.at.known() && strings.ContainsAny(t.Line.text, "\r\n") {
			c.report.at(t.Line.at, "write each line as a test of its own", `"line" is more than one line`)
		}
		switch written := !t.lacks("address"); {
		case t.None.yes && (written || !t.lacks("account")):
			c.report.at(t.None.at, "", "a test with none: true has no address and no account")
		case t.None.yes:
			negative = true
		case !written && t.lacks("none"):
			c.report.at(t.at, "write address: with the client's address, or none: true for a line that is not this signal", `the test has no "address" and no "none"`)
		default:
			positive = true
		}
		if w := t.Address; w.at.known() {
			addr, err := netip.ParseAddr(w.text)
			if err != nil {
				c.report.at(w.at, "", "%q is not an address", w.text)
			}
			test.Address = addr.Unmap()
		}
		tests = append(tests, test)
	}
	if len(e.Tests) > maxSignalTests {
		c.report.at(e.keys["tests"], "", "a signal has at most %d tests", maxSignalTests)
	}
	if at, written := e.keys["tests"]; written && !c.report.incomplete {
		if !positive {
			c.report.at(at, "add a line that is this signal, with its address", "signal %q is tested with no line that is one", e.Name.text)
		}
		if !negative {
			c.report.at(at, "add a line that looks like it and is not, with none: true, such as one in which a client's text imitates it", "signal %q is tested with no line that is none", e.Name.text)
		}
	}
	return tests
}

// inside is the place of a byte of a text, or where the text begins if that cannot be
// told because it is written with escapes or in lines.
func (w word) inside(at int) place {
	p := w.at
	if at <= 0 || at >= len(w.text) || p.line < 1 || p.line > len(p.src.lines) {
		return p
	}
	line := p.src.line(p.line)
	start := p.column - 1
	if start < len(line) && (line[start] == '"' || line[start] == '\'') {
		start++
	}
	text := []rune(w.text[:at])
	if end := start + len(text); end <= len(line) && string(line[start:end]) == string(text) {
		p.column = end + 1
	}
	return p
}
