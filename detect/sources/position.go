package sources

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
)

// headSize is how much of a file's start tells it from another one.
const headSize = 1024

// Position says how far a file was read and which file that was, so that the
// next run goes on there even if the file was renamed meanwhile. The zero
// value is the start of any file.
type Position struct {
	Path string `json:"path"`
	// Device and Inode of the file, zero where the system has none.
	Device uint64 `json:"device"`
	Inode  uint64 `json:"inode"`
	// HeadHash is the SHA-256 (hex) of the file's first HeadLength bytes, at
	// most 1,024: an inode can be used again, a log's first line cannot.
	HeadHash   string `json:"head_hash"`
	HeadLength int64  `json:"head_length"`
	// Offset and Line are the bytes and lines read so far.
	Offset int64 `json:"offset"`
	Line   int64 `json:"line"`
	// Cursor is a journal's instead of all that: `journalctl --after-cursor` goes on
	// there. It is the reader's to hand to it.
	Cursor string `json:"cursor,omitempty"`
}

func positionOf(path string, f *os.File) (Position, error) {
	info, err := f.Stat()
	if err != nil {
		return Position{}, withoutPath(err)
	}
	p := Position{Path: path, HeadLength: min(info.Size(), headSize)}
	p.Device, p.Inode = identity(info)
	p.HeadHash, err = headHash(f, p.HeadLength)
	return p, err
}

func headHash(f *os.File, n int64) (string, error) {
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(f, 0, n)); err != nil {
		return "", withoutPath(err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// isIn reports whether f is the file that p is a position in, and how large it is.
func (p *Position) isIn(f *os.File) (same bool, size int64, err error) {
	info, err := f.Stat()
	if err != nil {
		return false, 0, withoutPath(err)
	}
	size = info.Size()
	if p.HeadLength == 0 {
		device, inode := identity(info)
		return device == p.Device && inode == p.Inode, size, nil
	}
	if size < p.HeadLength {
		return false, size, nil
	}
	hash, err := headHash(f, p.HeadLength)
	return hash == p.HeadHash, size, err
}
