package feeds

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Format says how a list is written. The zero value is plain text.
type Format struct {
	Kind string // plain, csv, json or jsonl
	// Column of a CSV: its name in the first line, or its number from 1; "" is 1.
	Column string
	// Path to the addresses of JSON: names joined by dots, [] for each of a list, as in
	// "data.[].ip"; of JSON lines likewise, in each. "" is a list of texts.
	Path string
}

// Check refuses what is no format.
func (f Format) Check() error {
	switch f.Kind {
	case "", "plain", "csv", "json", "jsonl":
		if n, err := strconv.Atoi(f.Column); err == nil && n < 1 {
			return fmt.Errorf("columns are numbered from 1, and there is none of number %d", n)
		}
		return nil
	}
	return fmt.Errorf("%q is none of plain, csv, json, jsonl", f.Kind)
}

// mostEntries bounds the memory that a list can take.
const mostEntries = 1_000_000

// parse reads a list. Single lines that are no entries are counted, a text that is none
// of this format is an error.
func (f Format) parse(text []byte) (entries []Entry, bad int, err error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("<")) {
		return nil, 0, errors.New("it is a web page, not a list")
	}
	take := func(entry string) {
		p, ok := prefixOf(entry)
		switch {
		case !ok:
			bad++
		case len(entries) <= mostEntries:
			entries = append(entries, Entry{Prefix: p})
		}
	}
	switch f.Kind {
	case "csv":
		err = f.csv(text, take)
	case "json":
		err = f.json(text, take)
	case "jsonl":
		for line := range bytes.Lines(text) {
			if len(bytes.TrimSpace(line)) > 0 && f.json(line, take) != nil {
				bad++
			}
		}
	default:
		for line := range bytes.Lines(text) {
			if i := bytes.IndexAny(line, "#;"); i >= 0 {
				line = line[:i]
			}
			if line = bytes.TrimSpace(line); len(line) > 0 {
				take(string(line))
			}
		}
	}
	if err == nil && len(entries) > mostEntries {
		err = fmt.Errorf("it has more than %d entries", mostEntries)
	}
	return entries, bad, err
}

// csv reads each line by itself, so that a quote that nobody closes spoils no more than
// its own.
func (f Format) csv(text []byte, take func(string)) error {
	column, named := 0, false
	if n, err := strconv.Atoi(f.Column); err == nil {
		column = n - 1
	} else if f.Column != "" {
		named = true
	}
	first := true
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) == 0 || line[0] == '#' {
			continue
		}
		row, heading := fields(line), first
		first = false
		if heading && named {
			column = slices.IndexFunc(row, func(name string) bool { return strings.EqualFold(strings.TrimSpace(name), f.Column) })
			if column < 0 {
				return fmt.Errorf("there is no column %q in the first line", f.Column)
			}
			continue
		}
		if column >= len(row) {
			take("")
			continue
		}
		if _, ok := prefixOf(row[column]); heading && !ok {
			continue
		}
		take(row[column])
	}
	return nil
}

// fields are those of one line; none if it cannot be read.
func fields(line []byte) []string {
	if !bytes.ContainsRune(line, '"') {
		return strings.Split(string(line), ",")
	}
	r := csv.NewReader(bytes.NewReader(line))
	r.LazyQuotes, r.TrimLeadingSpace = true, true
	row, err := r.Read()
	if err != nil {
		return nil
	}
	return row
}
