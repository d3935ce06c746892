//go:build !amd64

package sources

import "bytes"

// markNewlines sets, for each 64 bytes of text, the bits of the newlines among
// them; text has 64 bytes for each mark.
func markNewlines(marks []uint64, text []byte) {
	clear(marks)
	for at := 0; ; at++ {
		i := bytes.IndexByte(text[at:], '\n')
		if i < 0 {
			return
		}
		at += i
		marks[at>>6] |= 1 << (at & 63)
	}
}
