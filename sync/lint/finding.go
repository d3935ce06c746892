package lint

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"fwsync/policies"
)

// Finding is one thing that is probably not meant.
type Finding struct {
	Check    string   `json:"check"`
	Severity Severity `json:"severity"`
	policies.Finding
}

// String is the finding as people read it, in the form of policies.Finding.
func (f Finding) String() string {
	told := f.Finding
	told.Message = fmt.Sprintf("%s: %s [%s]", f.Severity, f.Message, f.Check)
	return told.String()
}

// Kind is a kind of thing that people declare.
type Kind string

// The kinds. Names of incident rules are "incident/rule", of entries of the allowlist
// the group or the canonical prefix, of live lists whatever people call them.
const (
	RuleKind         Kind = "rule"
	IncidentRuleKind Kind = "incident rule"
	GroupKind        Kind = "group"
	SignalKind       Kind = "signal"
	DetectionKind    Kind = "detection"
	AllowKind        Kind = "allowlist"
	TargetKind       Kind = "target"
	ListKind         Kind = "live list"
)

// Subject is what a finding is about. At is its "file:line" as far as the policy
// knows it, and may be empty.
type Subject struct {
	Kind Kind
	Name string
	At   string
}

// Text is where the policy files say things. The zero value knows nothing.
type Text struct {
	Root     string            // file or folder, for what has no place
	Places   map[Subject]Place // At empty
	Mentions map[string]bool   // every text that stands as a value in the files; nil when not known
}

// Place is a position in a file, with the line that is there.
type Place struct {
	File         string
	Line, Column int // from 1, the column in characters
	Source       string
}

// finding puts a finding together with the best place that is known.
func (t Text) finding(c Check, about Subject, message, hint string) Finding {
	f := Finding{Check: c.Name, Severity: c.Severity, Finding: policies.Finding{File: t.Root, Message: printable(message), Hint: printable(hint)}}
	at := about.At
	about.At = ""
	if p, ok := t.Places[about]; ok {
		f.File, f.Line, f.Column = p.File, p.Line, p.Column
		f.Source, f.Caret = excerpt(p.Source, p.Column)
		return f
	}
	if about.Kind == ListKind {
		f.File = about.Name
		return f
	}
	if cut := strings.LastIndex(at, ":"); cut >= 0 {
		if line, err := strconv.Atoi(at[cut+1:]); err == nil {
			f.File, f.Line, f.Column, f.Caret = at[:cut], line, 1, 1
		}
	}
	return f
}

// widest is how much of a line is shown.
const widest = 120

// excerpt cuts a line to a window around the column, and tells the column in it.
func excerpt(line string, column int) (string, int) {
	characters := []rune(line)
	column = min(max(column, 1), len(characters)+1)
	if len(characters) <= widest {
		return printable(line), column
	}
	start := max(0, min(column-1-widest/2, len(characters)-widest))
	window := string(characters[start : start+widest])
	column -= start
	if start > 0 {
		window, column = "…"+window, column+1
	}
	if start+widest < len(characters) {
		window += "…"
	}
	return printable(window), column
}

// printable keeps hostile file content from steering a terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case unicode.IsPrint(r):
			return r
		}
		return '\uFFFD'
	}, text)
}
