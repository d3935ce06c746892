package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

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
	return &screen{out: bufio.NewWriter(w), colour: ok && !silent && term.IsTerminal(int(file.Fd()))}
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

// columns prints rows aligned, indented by two. Tabs and line ends in cells would
// break the table and are blanked.
func (s *screen) columns(header []string, rows [][]string) {
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	clean := strings.NewReplacer("\t", " ", "\n", " ")
	print := func(cells []string) {
		for i, c := range cells {
			cells[i] = clean.Replace(c)
		}
		fmt.Fprintf(w, "  %s\n", strings.Join(cells, "\t"))
	}
	if len(header) > 0 {
		print(header)
	}
	for _, row := range rows {
		print(row)
	}
	w.Flush()
}

// clock is a time for people, in UTC and to the second.
func clock(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04:05Z")
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
