package maillog

import (
	"bytes"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// What is read eight bytes at a time must be what reading one after the other says.
func TestWordsAreReadAsBytesAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		of := rapid.SampledFrom([]byte("09azAZ/:@[`{]. \x00\x7f\x80\xb0\xff"))
		b := rapid.SliceOfN(of, 24, 24).Draw(t, "bytes")
		n := bytes.IndexFunc(b[:8], func(r rune) bool { return r < '0' || r > '9' && r < 'A' || r > 'Z' && r < 'a' || r > 'z' })
		if n < 0 {
			n = 8
		}
		if got := alphanumerics(word(b)); got != n {
			t.Errorf("%q begins with %d letters and digits, not %d", b[:8], n, got)
		}

		clock := []byte("12:34:56")
		for range rapid.IntRange(0, 2).Draw(t, "changes") {
			clock[rapid.IntRange(0, 7).Draw(t, "at")] = rapid.SampledFrom([]byte("0123456789:;/ \x00\x89\x8a\xff")).Draw(t, "byte")
		}
		h, ok1 := digits(clock[0:2])
		m, ok2 := digits(clock[3:5])
		s, ok3 := digits(clock[6:8])
		ok := ok1 && ok2 && ok3 && clock[2] == ':' && clock[5] == ':' && h < 24 && m < 60 && s <= 60
		if sec, good := timeOfDay(clock); good != ok || ok && sec != h*3600+m*60+s {
			t.Errorf("%q is %d, %v", clock, sec, good)
		}
	})
}

func TestWhatIsLookedForIsFoundWhereverItIs(t *testing.T) {
	found := 0
	rapid.Check(t, func(t *rapid.T) {
		sep := rapid.SampledFrom([]string{", rip=", ">, method=", " (", " from "}).Draw(t, "what")
		part := rapid.OneOf(rapid.Just(sep), rapid.Just(sep[:1]), rapid.Just(sep[:len(sep)-1]), rapid.StringOfN(rapid.SampledFrom([]rune("ab, =r\x00\u00ad")), 0, 20, -1), rapid.Just(strings.Repeat("x", 500)))
		b := []byte(strings.Join(rapid.SliceOfN(part, 0, 8).Draw(t, "text"), ""))
		want := bytes.LastIndex(b[max(0, len(b)-tail):], []byte(sep))
		if want >= 0 {
			want += max(0, len(b)-tail)
			found++
		}
		if got := lastIndex(b, sep); got != want {
			t.Errorf("the last %q of %q is at %d, not %d", sep, b, want, got)
		}
		if got, want := indexEarly(b, sep), bytes.Index(b, []byte(sep)); got != want {
			t.Errorf("the first %q of %q is at %d, not %d", sep, b, want, got)
		}
	})
	if found == 0 {
		t.Error("nothing was found")
	}
}

func TestProcessIDsOfAllLengths(t *testing.T) {
	for _, c := range []struct {
		text string
		ok   bool
	}{{"[1]: x", true}, {"[123456]: x", true}, {"[1234567]: x", true}, {"[12345678]: x", true}, {"[]: x", false}, {"[1a]: x", false}, {"[1]:x", false}, {"[1] : x", false}, {"[12\xff4]: x", false}} {
		for _, rest := range []string{"", " and what is said behind it"} {
			got, ok := afterPID([]byte(c.text + rest))
			if ok != c.ok || ok && string(got) != "x"+rest {
				t.Errorf("%q: %q, %v", c.text+rest, got, ok)
			}
		}
	}
}
