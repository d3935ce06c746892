package detect

import (
	"crypto/sha256"
	"encoding/hex"
	"unicode"
	"unicode/utf8"
)

// MaxEvidenceText is the longest text of one piece of evidence, in bytes.
const MaxEvidenceText = 300

const maxSamples = 3

type samples struct {
	n  int
	at [maxSamples]Evidence
}

func (x *samples) add(s *Signal) {
	if x.n == maxSamples {
		return
	}
	sum := sha256.Sum256(s.Raw)
	x.at[x.n] = Evidence{Source: s.Source, Line: s.Line, Offset: s.Offset, Hash: hex.EncodeToString(sum[:8]), Text: printable(s.Raw)}
	x.n++
}

// printable returns line as text that cannot move a cursor, reorder a
// terminal's line or break a JSON encoder.
func printable(line []byte) string {
	out := make([]byte, 0, min(len(line), MaxEvidenceText))
	for len(line) > 0 {
		r, n := utf8.DecodeRune(line)
		if (r == utf8.RuneError && n == 1) || !unicode.IsPrint(r) {
			r = '?'
		}
		if len(out)+utf8.RuneLen(r) > MaxEvidenceText {
			break
		}
		out = utf8.AppendRune(out, r)
		line = line[n:]
	}
	return string(out)
}
