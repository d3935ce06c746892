package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"fwsync/cloudfw"
)

// ProtectConfig is a feed of ranges that must never be blocked, such as those of a
// CDN or of a cloud that fetches on behalf of others.
type ProtectConfig struct {
	Name string `yaml:"name" mapstructure:"name"`
	File string `yaml:"file" mapstructure:"file"` // text, one prefix a line, or a JSON list of texts
}

// completeFeeds checks the feeds' names and makes their paths absolute.
func (c *Config) completeFeeds(bad func(key, value, want string) error) error {
	names := map[string]bool{}
	for i := range c.Protect {
		f := &c.Protect[i]
		if f.File == "" {
			return bad(fmt.Sprintf("protect[%d].file", i), "", "name the file with the ranges, one prefix a line or a JSON list")
		}
		f.Name = cmp.Or(f.Name, filepath.Base(f.File))
		if names[f.Name] {
			return bad(fmt.Sprintf("protect[%d].name", i), f.Name, "each feed has a name of its own")
		}
		names[f.Name] = true
		f.File = c.within(f.File)
	}
	return nil
}

// What a feed may hold at the most. A range wider than this is no provider's: it would
// exempt half of the internet from every block.
const (
	mostFeedBytes = 8 << 20
	widestFeed4   = 8
	widestFeed6   = 16
)

// protectedRanges reads every feed, as it is now. One that cannot be believed is an
// error where protection is demanded; otherwise it is named on stderr and left out as
// a whole: half a feed protects half of what it should, and nobody sees which half.
func protectedRanges(feeds []ProtectConfig, demanded bool) ([]cloudfw.Exempt, error) {
	var all []cloudfw.Exempt
	for _, feed := range feeds {
		ranges, err := readFeed(feed)
		switch {
		case err == nil:
			all = append(all, ranges...)
		case demanded:
			return nil, withHint(fmt.Errorf("the protected ranges of %s: %w", feed.Name, err), "mend the file, take it out of protect in fwsync.yaml, or pass --ignore-sick-protection to go on without it")
		default:
			fmt.Fprintf(os.Stderr, "fwsync: warning: the protected ranges of %s are left out: %v\n", feed.Name, err)
		}
	}
	return all, nil
}

func readFeed(feed ProtectConfig) ([]cloudfw.Exempt, error) {
	file, err := os.Open(feed.File)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, mostFeedBytes+1))
	if err != nil {
		return nil, err
	}
	if len(data) > mostFeedBytes {
		return nil, fmt.Errorf("%s has more than %d MiB", feed.File, mostFeedBytes>>20)
	}
	reason := "the ranges of " + feed.Name
	var ranges []cloudfw.Exempt
	add := func(line int, text string) error {
		p, err := cloudfw.ParsePrefix(text)
		if err != nil {
			return fmt.Errorf("%s:%d: %w", feed.File, line, err)
		}
		widest := widestFeed4
		if cloudfw.FamilyOf(p) == cloudfw.IPv6 {
			widest = widestFeed6
		}
		if p.Bits() < widest {
			return fmt.Errorf("%s:%d: %s is wider than /%d, which is no provider's range", feed.File, line, p, widest)
		}
		ranges = append(ranges, cloudfw.Exempt{Prefix: p, Reason: reason})
		return nil
	}
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("[")) {
		err = eachRangeListed(feed.File, data, add)
	} else {
		err = eachRangeLine(data, add)
	}
	if err == nil && len(ranges) == 0 {
		err = fmt.Errorf("%s names no range", feed.File)
	}
	return ranges, err
}

// eachRangeLine goes through plain text: one prefix a line, # begins a comment.
func eachRangeLine(data []byte, add func(line int, text string) error) error {
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		text, _, _ := strings.Cut(line, "#")
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		if err := add(number, text); err != nil {
			return err
		}
	}
	return nil
}

// eachRangeListed goes through a JSON list of texts.
func eachRangeListed(file string, data []byte, add func(line int, text string) error) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	line := func() int { return 1 + bytes.Count(data[:dec.InputOffset()], []byte("\n")) }
	if _, err := dec.Token(); err != nil {
		return fmt.Errorf("%s:%d: %w", file, line(), err)
	}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return fmt.Errorf("%s:%d: %w", file, line(), cut(err))
		}
		text, ok := token.(string)
		if !ok {
			return fmt.Errorf("%s:%d: %v is not a text; the list holds prefixes such as \"198.51.100.0/24\"", file, line(), token)
		}
		if err := add(line(), text); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return fmt.Errorf("%s:%d: %w", file, line(), cut(err))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s:%d: something follows the list", file, line())
	}
	return nil
}

// cut says of a list without an end that it was cut off.
func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the list was cut off")
	}
	return err
}
