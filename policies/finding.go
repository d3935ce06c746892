package policies

import (
	"fmt"
	"strings"
	"unicode"
)

// Finding is one thing that is wrong with the policy files, as data.
type Finding struct {
	File    string `json:"file"`             // as the caller named it; the folder for findings about the whole
	Line    int    `json:"line,omitempty"`   // from 1; 0 when the finding is about the whole file or folder
	Column  int    `json:"column,omitempty"` // from 1, in characters
	Message string `json:"message"`          // one line, free of control characters
	Hint    string `json:"hint,omitempty"`   // what to do instead, likewise; empty when there is nothing to add
	Source  string `json:"source,omitempty"` // the offending line, shortened and free of control characters
	Caret   int    `json:"caret,omitempty"`  // the column within Source, from 1
}

// String is the finding as people read it: place and message, the line with a
// caret below the column, the hint. It ends without a newline.
func (f Finding) String() string {
	var b strings.Builder
	b.WriteString(printable(f.File))
	if f.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", f.Line, f.Column)
	}
	b.WriteString(": " + f.Message)
	if f.Line > 0 {
		fmt.Fprintf(&b, "\n%5d | %s\n      | %s^", f.Line, f.Source, strings.Repeat(" ", max(f.Caret-1, 0)))
	}
	if f.Hint != "" {
		b.WriteString("\n   hint: " + f.Hint)
	}
	return b.String()
}

// Error holds everything that is wrong with the policy files, in the order of the
// files and lines. It is the only error type that Load and Parse return.
type Error struct{ Findings []Finding }

// Error prints all findings, one after the other.
func (e *Error) Error() string {
	texts := make([]string, len(e.Findings))
	for i, f := range e.Findings {
		texts[i] = f.String()
	}
	return strings.Join(texts, "\n")
}

// source is one policy file's text.
type source struct {
	name  string
	index int // position among the files
	lines []string

	// The characters of the line that was shown last: one line may be all of the
	// file and hold a thousand mistakes.
	shown      int
	characters []rune
}

func (s *source) line(n int) []rune {
	if s.shown != n {
		s.shown, s.characters = n, []rune(s.lines[n-1])
	}
	return s.characters
}

// place is a position in a source. The zero value is nowhere: the thing was not
// written, or not readable.
type place struct {
	src          *source
	line, column int
}

func (p place) known() bool { return p.src != nil }

// after reports whether p stands behind q in the same file.
func (p place) after(q place) bool {
	return p.line > q.line || p.line == q.line && p.column > q.column
}

// String is "file:line:column".
func (p place) String() string {
	return fmt.Sprintf("%s:%d:%d", printable(p.src.name), p.line, p.column)
}

// maxSourceColumns is how much of an offending line is shown.
const maxSourceColumns = 120

// excerpt returns the line of the place, cut to a window around the column, and
// the column within the window.
func (p place) excerpt() (string, int) {
	if p.line < 1 || p.line > len(p.src.lines) {
		return "", 1
	}
	line := p.src.line(p.line)
	column := min(max(p.column, 1), len(line)+1)
	if len(line) <= maxSourceColumns {
		return printable(string(line)), column
	}
	start := max(0, min(column-1-maxSourceColumns/2, len(line)-maxSourceColumns))
	window, before, after := line[start:min(start+maxSourceColumns, len(line))], "", ""
	if start > 0 {
		before = "…"
	}
	if start+len(window) < len(line) {
		after = "…"
	}
	return printable(before + string(window) + after), column - start + len([]rune(before))
}

// printable keeps hostile file content from steering a terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case unicode.IsPrint(r):
			return r
		default:
			return '\uFFFD'
		}
	}, text)
}
