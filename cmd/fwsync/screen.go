package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fatih/color"
	"golang.org/x/term"
)

// screen writes for people: titles, aligned columns, and colour if the writer is a
// terminal and NO_COLOR is not set. The first write error is kept for flush.
type screen struct {
	out    *bufio.Writer
	colour bool
}

func newScreen(w io.Writer) *screen {
	file, ok := w.(*os.File)
	_, silent := os.LookupEnv("NO_COLOR")
	return &screen{out: bufio.NewWriterSize(w, 1<<16), colour: ok && !silent && term.IsTerminal(int(file.Fd()))}
}

func (s *screen) flush() error { return s.out.Flush() }

func (s *screen) line(format string, args ...any) { fmt.Fprintf(s.out, format+"\n", args...) }

func (s *screen) title(text string) { s.line("\n%s", s.paint(color.Bold, text)) }

func (s *screen) good(text string) string { return s.paint(color.FgGreen, text) }
func (s *screen) bad(text string) string  { return s.paint(color.FgRed, text) }

func (s *screen) paint(attribute color.Attribute, text string) string {
	if !s.colour {
		return text
	}
	c := color.New(attribute)
	c.EnableColor()
	return c.Sprint(text)
}

// columns prints rows aligned, indented by two.
func (s *screen) columns(header []string, rows [][]string) {
	s.longColumns(header, len(rows), func(i int) []string { return rows[i] })
}

// alignedRows are so many that no more are held to align them.
const alignedRows = 4096

// longColumns is columns for what may be hundreds of thousands of rows: of more than
// alignedRows the later ones may need wider columns. text/tabwriter would hold them all.
// Several goroutines ask for rows, each for different ones.
func (s *screen) longColumns(header []string, n int, row func(i int) []string) {
	var widths []int
	above := min(len(header), 1)
	n += above
	block := make([][]string, min(n, alignedRows))
	for from := 0; from < n; from += len(block) {
		block = block[:min(len(block), n-from)]
		inParts(len(block), func(i int) {
			if block[i] = header; from+i >= above {
				block[i] = row(from + i - above)
			}
		})
		widths = s.aligned(block, widths)
	}
}

// aligned prints rows whose columns have at least these widths, and returns those that they
// have. Line ends and the like in cells would break the table and are blanked.
func (s *screen) aligned(rows [][]string, widths []int) []int {
	for _, row := range rows {
		for i := range row {
			if strings.ContainsAny(row[i], "\t\n\v\f\r") {
				row[i] = blanks.Replace(row[i])
			}
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
		}
	}
	var line []byte
	for _, row := range rows {
		line = append(line[:0], "  "...)
		for i, cell := range row {
			line = append(line, cell...)
			if i == len(row)-1 {
				break
			}
			for range widths[i] + 2 - utf8.RuneCountInString(cell) {
				line = append(line, ' ')
			}
		}
		s.out.Write(append(line, '\n'))
	}
	return widths
}

var blanks = strings.NewReplacer("\t", " ", "\n", " ", "\v", " ", "\f", " ", "\r", " ")

// clock is a time for people, in UTC and to the second.
func clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	// A table has thousands, and this layout need not be read each time.
	text := t.UTC().AppendFormat(make([]byte, 0, len(time.RFC3339)), time.RFC3339)
	text[bytes.IndexByte(text, 'T')] = ' '
	return string(text)
}

// until is the end of a decision for people.
func until(t time.Time) string {
	if t.IsZero() {
		return "until taken back"
	}
	return "until " + clock(t)
}

func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}
