package sources

import "golang.org/x/sys/cpu"

var hasAVX2 = cpu.X86.HasAVX2

// putNewlines puts into at the places of text's newlines, counted from first on, and
// returns how many there are. Text is a multiple of 64 bytes, at as long as it, for
// some of what is written there is overwritten.
func putNewlines(at []int32, text []byte, first int) int {
	if !hasAVX2 {
		return putNewlinesPlainly(at, text, first)
	}
	return putNewlinesAVX2(at, text, first)
}

//go:noescape
func putNewlinesAVX2(at []int32, text []byte, first int) int
