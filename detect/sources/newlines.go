package sources

import "math/bits"

// newlines are the places of a text's newlines. To look for each line's end by
// itself costs several times as much as to look at the bytes, 64 at a time.
type newlines struct {
	at    []int32
	marks []uint64 // bit i of marks[n] is set if byte 64n+i is a newline
}

// find finds those of text, whose memory must go on, whatever is there, to a
// multiple of 64 bytes.
func (x *newlines) find(text []byte) []int32 {
	words := (len(text) + 63) / 64
	if cap(x.marks) < words {
		x.marks = make([]uint64, words)
	}
	marks := x.marks[:words]
	markNewlines(marks, text[:64*words])
	if tail := len(text) % 64; tail > 0 {
		marks[words-1] &= 1<<tail - 1
	}
	n := 0
	for i, word := range marks {
		if len(x.at) < n+64 {
			x.at = append(x.at, make([]int32, max(4096, n))...)
		}
		// Most words hold one newline or none: what is written for none is
		// overwritten, and no branch needs to be guessed.
		x.at[n] = int32(i<<6 + bits.TrailingZeros64(word))
		n += bits.OnesCount64(word)
		if rest := word & (word - 1); rest != 0 {
			for to := n - bits.OnesCount64(rest); rest != 0; to++ {
				x.at[to] = int32(i<<6 + bits.TrailingZeros64(rest))
				rest &= rest - 1
			}
		}
	}
	return x.at[:n]
}
