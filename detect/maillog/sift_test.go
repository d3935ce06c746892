package maillog_test

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"fwsync/detect"
	"fwsync/detect/maillog"
)

// TestSiftKeepsWhatSaysSomething holds reading a text's kept lines to reading each line.
func TestSiftKeepsWhatSaysSomething(t *testing.T) {
	var lines [][]byte
	logs, err := filepath.Glob("testdata/*/lines.log")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range logs {
		log, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, bytes.Split(log, []byte("\n"))...)
	}
	for _, name := range []string{"postfix-real.log", "postfix-slowauth.rfc3339.log"} {
		all := bytes.Split(unpacked(t, name), []byte("\n"))
		lines = append(lines, all[:min(len(all), 2000)]...)
	}
	tenMore := ten(t)
	skipped, signals := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		o := maillog.Options{Reference: reference}
		if rapid.Bool().Draw(t, "declared") {
			o.Declared = tenMore
		}
		var text []byte
		var ends []int32
		from := rapid.IntRange(0, len(lines)-1).Draw(t, "from")
		for i := range rapid.IntRange(1, 40).Draw(t, "lines") {
			line := bytes.Clone(lines[(from+i)%len(lines)])
			switch rapid.IntRange(0, 9).Draw(t, "change") {
			case 0:
				line = bytes.Clone(lines[rapid.IntRange(0, len(lines)-1).Draw(t, "other")])
			case 1:
				line = line[:rapid.IntRange(0, len(line)).Draw(t, "cut")]
			case 2:
				if len(line) > 0 {
					line[rapid.IntRange(0, len(line)-1).Draw(t, "at")] = rapid.SampledFrom([]byte("[]: a0/=\xff")).Draw(t, "byte")
				}
			case 3:
				line = bytes.Replace(line, []byte("mailserver"), []byte("another-host"), 1)
			}
			text = append(text, line...)
			ends = append(ends, int32(len(text)))
			text = append(text, '\n')
		}
		one, other := maillog.New(o), maillog.New(o)
		kept := one.Sift(text, ends, nil)
		skipped += len(ends) - len(kept)
		start := int32(0)
		for i, end := range ends {
			line := text[start:end:end]
			start = end + 1
			var want, got detect.Signal
			verdict := other.ParseInto(line, &want)
			if len(kept) == 0 || kept[0].Line != int32(i) {
				if verdict != maillog.Uninteresting {
					t.Fatalf("skipped %q, verdict %d", line, verdict)
				}
				continue
			}
			if v := one.ParseKept(line, kept[0], &got); v != verdict || v == maillog.Signal && !reflect.DeepEqual(got, want) {
				t.Fatalf("%q: verdict %d, %+v, want %d, %+v", line, v, got, verdict, want)
			}
			if verdict == maillog.Signal {
				signals++
			}
			kept = kept[1:]
		}
	})
	if skipped == 0 || signals == 0 {
		t.Errorf("%d lines skipped, %d signals", skipped, signals)
	}
}
