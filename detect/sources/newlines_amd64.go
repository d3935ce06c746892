package sources

// markNewlines sets, for each 64 bytes of text, the bits of the newlines among
// them; text has 64 bytes for each mark. It uses SSE2, which every amd64 has.
//
//go:noescape
func markNewlines(marks []uint64, text []byte)
