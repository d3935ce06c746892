package maillog

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// read says what the parser makes of a line without its shortcut.
func read(tagged []byte) (f found) {
	switch {
	case len(tagged) < 10:
	case has(tagged, "postfix"):
		postfix(tagged, &f)
	case has(tagged, "dovecot"):
		dovecot(tagged, &f)
	}
	return f
}

// skipped reports whether Sift skips a line that other lines follow.
func skipped(tagged []byte) bool {
	line := append([]byte("Nov 23 20:17:43 mailserver "), tagged...)
	text := append(bytes.Clone(line), "\nNov 23 20:17:43 mailserver postfix/smtpd[1]: connect from a[192.0.2.1]\nNov 23 20:17:43 mail"...)
	return len(New(Options{}).Sift(text, []int32{int32(len(line))}, nil)) == 0
}

func TestWhatIsSkippedSaysNothing(t *testing.T) {
	f, err := os.Open("testdata/postfix-real.log.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	log, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	var tagged [][]byte
	n := 0
	for line := range bytes.Lines(log) {
		line = bytes.TrimSuffix(line, []byte("\n"))[len("Nov 23 20:17:43 mailserver "):]
		tagged = append(tagged, line)
		if skipped(line) {
			n++
			if read(line).kind != 0 {
				t.Fatalf("skipped: %q", line)
			}
		}
	}
	if 3*n < len(tagged) {
		t.Errorf("only %d of %d lines are skipped", n, len(tagged))
	}
	rapid.Check(t, func(t *rapid.T) {
		// Half of one line, half of another, and a byte changed.
		a, b := rapid.SampledFrom(tagged).Draw(t, "line"), rapid.SampledFrom(tagged).Draw(t, "other")
		line := append(bytes.Clone(a[:rapid.IntRange(0, len(a)).Draw(t, "cut")]), b[rapid.IntRange(0, len(b)).Draw(t, "from"):]...)
		if len(line) > 0 {
			line[rapid.IntRange(0, len(line)-1).Draw(t, "at")] = rapid.SampledFrom([]byte("[]: a0")).Draw(t, "byte")
		}
		if skipped(line) && read(line).kind != 0 {
			t.Fatalf("skipped: %q", line)
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		var text []byte
		var ends []int32
		for range rapid.IntRange(1, 30).Draw(t, "lines") {
			line := bytes.Clone(rapid.SampledFrom(tagged).Draw(t, "line"))
			if rapid.IntRange(0, 3).Draw(t, "change") == 0 {
				line[rapid.IntRange(0, len(line)-1).Draw(t, "at")] = rapid.SampledFrom([]byte("[]: a0/=\xff")).Draw(t, "byte")
				line = line[:rapid.IntRange(0, len(line)).Draw(t, "cut")]
			}
			text = append(append(text, "Nov 23 20:17:43 mailserver "...), line...)
			ends = append(ends, int32(len(text)))
			text = append(text, '\n')
		}
		plainly := New(Options{}).sifting(text, ends, make([]Kept, len(ends)))
		for range ends {
			plainly.siftLine()
		}
		var got, want []int32
		for _, k := range New(Options{}).Sift(text, ends, nil) {
			got = append(got, k.Line)
		}
		for _, k := range plainly.kept[:plainly.found] {
			want = append(want, k.Line)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%q: kept %d, with plain instructions %d", text, got, want)
		}
	})
}
