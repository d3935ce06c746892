package feeds

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// json finds the texts at the path. Of a list within the path each part stands for
// itself: one of another shape is taken as an entry that is none. Only what lies on the
// path is kept in memory.
func (f Format) json(text []byte, take func(string)) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	var path []string
	if f.Path != "" {
		path = strings.Split(f.Path, ".")
	} else if start := bytes.TrimSpace(text); len(start) > 0 && start[0] == '[' {
		path = []string{"[]"}
	}
	if err := follow(dec, path, take); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows its end")
	}
	return nil
}

// shape is the error of a value that is not as the path says. The decoder stands behind
// the value.
type shape struct{ error }

func follow(dec *json.Decoder, path []string, take func(string)) error {
	if len(path) > 0 && path[0] != "[]" {
		return inside(dec, path, take)
	}
	token, err := dec.Token()
	if err != nil {
		return cut(err)
	}
	if len(path) == 0 {
		text, ok := token.(string)
		if !ok {
			return misshapen(dec, token, "at the path is no text")
		}
		take(text)
		return nil
	}
	if token != json.Delim('[') {
		return misshapen(dec, token, "where the path says [] is no list")
	}
	for dec.More() {
		var other shape
		if err := follow(dec, path[1:], take); errors.As(err, &other) {
			take("")
		} else if err != nil {
			return err
		}
	}
	_, err = dec.Token()
	return cut(err)
}

// inside follows the path into an object.
func inside(dec *json.Decoder, path []string, take func(string)) error {
	token, err := dec.Token()
	if err != nil {
		return cut(err)
	}
	if token != json.Delim('{') {
		return misshapen(dec, token, fmt.Sprintf("where the path says %q is no object", path[0]))
	}
	var wrong error = shape{fmt.Errorf("there is no %q", path[0])}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return cut(err)
		}
		if name == path[0] {
			if wrong = follow(dec, path[1:], take); wrong != nil && !errors.As(wrong, new(shape)) {
				return wrong
			}
			continue
		}
		value, err := dec.Token()
		if err != nil {
			return cut(err)
		}
		if err := skip(dec, value); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return cut(err)
	}
	return wrong
}

func misshapen(dec *json.Decoder, first json.Token, why string) error {
	if err := skip(dec, first); err != nil {
		return err
	}
	return shape{errors.New(why)}
}

// skip goes behind a value whose first token was read. Its error is of what is no JSON.
func skip(dec *json.Decoder, first json.Token) error {
	for depth := 0; ; {
		switch first {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
		var err error
		if first, err = dec.Token(); err != nil {
			return cut(err)
		}
	}
}

// cut says of a list without an end that it was cut off.
func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it was cut off")
	}
	return err
}
