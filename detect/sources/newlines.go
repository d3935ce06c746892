package sources

import "bytes"

// newlines are the places of a text's newlines. To look for each line's end by
// itself costs several times as much as to look at the bytes, 64 at a time.
type newlines struct{ at []int32 }

// newlinesStep is how many bytes are looked at between two questions whether there is
// room for the places.
const newlinesStep = 4096

// find finds those of text, whose memory must go on, whatever is there, to a
// multiple of 64 bytes.
func (x *newlines) find(text []byte) []int32 {
	whole := (len(text) + 63) &^ 63
	n := 0
	for from := 0; from < whole; from += newlinesStep {
		if len(x.at) < n+newlinesStep {
			x.at = append(x.at, make([]int32, max(2*newlinesStep, n))...)
		}
		n += putNewlines(x.at[n:], text[from:min(from+newlinesStep, whole)], from)
	}
	for n > 0 && int(x.at[n-1]) >= len(text) {
		n--
	}
	return x.at[:n]
}

// putNewlinesPlainly puts into at the places of text's newlines, counted from first on,
// and returns how many there are.
func putNewlinesPlainly(at []int32, text []byte, first int) (n int) {
	for from := 0; ; from++ {
		i := bytes.IndexByte(text[from:], '\n')
		if i < 0 {
			return n
		}
		from += i
		at[n] = int32(first + from)
		n++
	}
}
