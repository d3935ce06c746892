package feeds

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
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

func (f Format) csv(text []byte, take func(string)) error {
	r := csv.NewReader(bytes.NewReader(text))
	r.FieldsPerRecord, r.LazyQuotes, r.Comment, r.TrimLeadingSpace, r.ReuseRecord = -1, true, '#', true, true
	column, named := 0, false
	if n, err := strconv.Atoi(f.Column); err == nil && n > 0 {
		column = n - 1
	} else if f.Column != "" {
		named = true
	}
	for first := true; ; first = false {
		row, err := r.Read()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			take("")
			continue
		case first && named:
			column = -1
			for i, name := range row {
				if strings.EqualFold(strings.TrimSpace(name), f.Column) {
					column = i
				}
			}
			if column < 0 {
				return fmt.Errorf("there is no column %q in the first line", f.Column)
			}
			continue
		case column >= len(row):
			take("")
			continue
		}
		if _, ok := prefixOf(row[column]); first && !ok {
			continue // a heading
		}
		take(row[column])
	}
}
