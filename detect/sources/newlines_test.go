package sources

import (
	"bytes"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestNewlinesAreFoundWhereverTheyAre(t *testing.T) {
	var x newlines
	rapid.Check(t, func(t *rapid.T) {
		// What lies behind the text must not matter.
		memory := bytes.Repeat([]byte{'\n'}, 6000)
		start := rapid.IntRange(0, 63).Draw(t, "start")
		text := memory[start : start+rapid.IntRange(0, 5800).Draw(t, "length")]
		every := rapid.IntRange(1, 200).Draw(t, "every")
		var want []int32
		for i := range text {
			text[i] = rapid.SampledFrom([]byte{0, 'a', '\n' + 0x80, '\n' - 1, '\v'}).Draw(t, "byte")
			if rapid.IntRange(1, every).Draw(t, "newline") == 1 {
				text[i] = '\n'
				want = append(want, int32(i))
			}
		}
		if got := x.find(text); !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
		plain := make([]int32, len(text))
		if n := putNewlinesPlainly(plain, text, 0); !slices.Equal(plain[:n], want) {
			t.Fatalf("without the processor's instructions: got %v, want %v", plain[:n], want)
		}
	})
}
