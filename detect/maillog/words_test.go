package maillog

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

func TestWordsAgreeWithBytes(t *testing.T) {
	addr := rapid.OneOf(
		rapid.StringMatching(`[0-9]{1,3}(\.[0-9]{1,3}){3}`),
		rapid.StringMatching(`[0-9.:/]{1,16}`),
		rapid.SampledFrom([]string{"1.2.3.4", "255.255.255.255", "256.1.1.1", "01.2.3.4", "1.2.3.00", "1.2.3", "1.2.3.4.", "unknown", "1.2.3.1000", "0.0.0.0", "1..2.3"}),
	)
	rapid.Check(t, func(t *rapid.T) {
		inner := []byte(addr.Draw(t, "address"))
		b := append(append([]byte{'['}, inner...), rapid.SampledFrom([]string{"]: SASL LOGIN authentication", "]", ".9]: and some more text"}).Draw(t, "after")...)
		inner = b[1:bytes.IndexByte(b, ']')]
		got, rest, ok := bracketed(b)
		if !ok || got != parseAddr(inner) || string(rest) != string(b[len(inner)+2:]) {
			t.Fatalf("%q: %v, %q, %v; want %v", b, got, rest, ok, parseAddr(inner))
		}
	})
}
