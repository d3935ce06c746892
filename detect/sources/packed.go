package sources

import (
	"bufio"
	"compress/gzip"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
)

// packing is what must be undone before a file's lines can be read, told by its
// first bytes.
type packing uint8

const (
	plain packing = iota
	gzipped
	zstandard
	exported // not compressed, but a journal's export
)

func (p packing) compressed() bool { return p == gzipped || p == zstandard }

func packingOf(f *os.File) (packing, error) {
	var magic [len(journalStart)]byte
	n, err := f.ReadAt(magic[:], 0)
	if err != nil && err != io.EOF {
		return plain, err
	}
	switch {
	case n >= 2 && [2]byte(magic[:]) == [2]byte{0x1f, 0x8b}:
		return gzipped, nil
	case string(magic[:n]) == journalStart:
		return exported, nil
	case n >= 4 && [4]byte(magic[:]) == [4]byte{0x28, 0xb5, 0x2f, 0xfd}:
		return zstandard, nil
	}
	return plain, nil
}

// unpack reads a compressed stream, all members or frames of it. A window of more
// than 64 MB is refused: it would be held in memory.
func unpack(r io.Reader, how packing) (io.ReadCloser, error) {
	r = bufio.NewReaderSize(r, 1<<16)
	if how == gzipped {
		return gzip.NewReader(r)
	}
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(64<<20), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, err
	}
	return z.IOReadCloser(), nil
}
