package feeds

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
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

// parse reads a list. Single lines that are no entries are counted, a text that is none
// of this format is an error.
func (f Format) parse(text []byte) (entries []Entry, bad int, err error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if start := strings.ToLower(string(bytes.TrimSpace(text[:min(len(text), 64)]))); strings.HasPrefix(start, "<!doctype") || strings.HasPrefix(start, "<html") {
		return nil, 0, errors.New("it is a web page, not a list")
	}
	take := func(entry string) {
		if p, ok := prefixOf(entry); ok {
			entries = append(entries, Entry{Prefix: p})
		} else {
			bad++
		}
	}
	switch f.Kind {
	case "csv":
		err = f.csv(text, take)
	case "json":
		var value any
		if err = json.Unmarshal(text, &value); err == nil {
			err = f.walk(value, take)
		}
	case "jsonl":
		for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
			line := bytes.TrimSpace(lines.Bytes())
			var value any
			switch {
			case len(line) == 0:
			case json.Unmarshal(line, &value) != nil || f.walk(value, take) != nil:
				bad++
			}
		}
	default:
		for line := range strings.Lines(string(text)) {
			if i := strings.IndexAny(line, "#;"); i >= 0 {
				line = line[:i]
			}
			if line = strings.TrimSpace(line); line != "" {
				take(line)
			}
		}
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

// walk finds the texts at the path.
func (f Format) walk(value any, take func(string)) error {
	if f.Path == "" {
		if _, text := value.(string); text {
			return follow(value, nil, take)
		}
		return follow(value, []string{"[]"}, take)
	}
	return follow(value, strings.Split(f.Path, "."), take)
}

func follow(value any, path []string, take func(string)) error {
	if len(path) == 0 {
		text, ok := value.(string)
		if !ok {
			return fmt.Errorf("at the path is no text but %T", value)
		}
		take(text)
		return nil
	}
	if path[0] == "[]" {
		list, ok := value.([]any)
		if !ok {
			return errors.New("where the path says [] is no list")
		}
		for _, each := range list {
			if err := follow(each, path[1:], take); err != nil {
				return err
			}
		}
		return nil
	}
	object, ok := value.(map[string]any)
	if !ok {
		return fmt.Errorf("where the path says %q is no object", path[0])
	}
	inner, there := object[path[0]]
	if !there {
		return fmt.Errorf("there is no %q", path[0])
	}
	return follow(inner, path[1:], take)
}
