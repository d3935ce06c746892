package main

import (
	"fmt"
	"strings"
	"testing"
)

// A table longer than what is aligned at once has all its rows, in order, and its columns only
// get wider.
func TestALongTableIsWhole(t *testing.T) {
	const n = 2*alignedRows + 10
	var text strings.Builder
	s := newScreen(&text)
	s.longColumns([]string{"NAME", "LAST"}, n, func(i int) []string {
		name := fmt.Sprintf("ä%d", i)
		if i == alignedRows+7 {
			name += strings.Repeat("x", 30) + "\t|\n"
		}
		return []string{name, "end"}
	})
	if err := s.flush(); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(text.String(), "\n"), "\n")
	if len(lines) != n+1 || !strings.HasPrefix(lines[0], "  NAME") {
		t.Fatalf("%d lines, the first %q", len(lines), lines[0])
	}
	at := 0
	for i, line := range lines[1:] {
		if !strings.HasPrefix(line, fmt.Sprintf("  ä%d", i)) || !strings.HasSuffix(line, "  end") {
			t.Fatalf("row %d is %q", i, line)
		}
		if end := strings.LastIndex(line, "end"); end < at {
			t.Fatalf("row %d is narrower than those before: %q", i, line)
		} else {
			at = end
		}
	}
	if at < 40 {
		t.Errorf("the last row ends at %d: the wide one was not reckoned with", at)
	}
}
