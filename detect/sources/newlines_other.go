//go:build !amd64

package sources

// putNewlines puts into at the places of text's newlines, counted from first on, and
// returns how many there are.
func putNewlines(at []int32, text []byte, first int) int { return putNewlinesPlainly(at, text, first) }
