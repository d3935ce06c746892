package sources

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// packedSuffixes are what compressing adds to the name of a rotated file.
var packedSuffixes = []string{".gz", ".zst"}

// unpackedName is the name of a rotated file before it was compressed.
func unpackedName(path string) (name string, packed bool) {
	for _, suffix := range packedSuffixes {
		if name, packed = strings.CutSuffix(path, suffix); packed {
			return name, true
		}
	}
	return path, false
}

// halfPacked reports whether a file may still be written by who compresses another one,
// which is there until that is done.
func halfPacked(path string) bool {
	plain, packed := unpackedName(path)
	if !packed {
		return false
	}
	_, err := os.Stat(plain)
	return err == nil
}

// isPackedIn reports whether what a compressed file unpacks to begins as the file that
// p is a position in. Of an empty file there is nothing to tell it by.
func (p *Position) isPackedIn(f *os.File, how packing) (bool, error) {
	if p.HeadLength == 0 {
		return false, nil
	}
	hash, n, err := packedHead(f, how, p.HeadLength)
	return n == p.HeadLength && hash == p.HeadHash, err
}

// packedHead hashes the first bytes of what a file unpacks to, at most as many as are
// asked for.
func packedHead(f *os.File, how packing, most int64) (hash string, n int64, err error) {
	z, err := unpack(io.NewSectionReader(f, 0, 1<<62), how)
	if err != nil {
		return "", 0, err
	}
	defer z.Close()
	h := sha256.New()
	n, err = io.Copy(h, io.LimitReader(z, most))
	return hex.EncodeToString(h.Sum(nil)), n, err
}

// rotatedPosition is the start of a rotated file, as a position: of a compressed one,
// of what it unpacks to, so that it is found again however it is kept then.
func rotatedPosition(path string, f *os.File) (Position, error) {
	p, err := positionOf(path, f)
	if err != nil {
		return p, err
	}
	how, err := packingOf(f)
	if err != nil || !how.compressed() {
		return p, err
	}
	p.HeadHash, p.HeadLength, err = packedHead(f, how, headSize)
	return p, err
}

// wholePacked is whole for a compressed file. Offsets and lines are those of what it
// unpacks to. What is damaged is lost, and makes the source sick.
func (rep *Report) wholePacked(ctx context.Context, src Source, f *os.File, how packing, from Position, consume func(*chunk, int64) error) error {
	var broken error
	end := reached{from.Offset, from.Line}
	z, err := unpack(f, how)
	if err == nil {
		defer z.Close()
		in := &noticing{Reader: z}
		if broken = rep.skipPacked(src, in, from.Offset); broken == nil {
			end, err = rep.stream(ctx, src, in, from.Offset, from.Line, consume)
			broken = in.err
		}
	} else {
		broken = err
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case broken != nil:
		rep.Health.sick("%s is damaged, what it got after byte %d is lost: %v", src.Path, end.offset, broken)
		return nil
	}
	return err
}

// skipPacked unpacks up to an offset, and tells the sessions of the lines before it.
func (rep *Report) skipPacked(src Source, z io.Reader, offset int64) error {
	n := min(offset, chunkSize)
	switch _, err := io.CopyN(io.Discard, z, offset-n); {
	case errors.Is(err, io.EOF):
		return fmt.Errorf("it ends before byte %d: %w", offset, io.ErrUnexpectedEOF)
	case err != nil:
		return err
	}
	before := &io.LimitedReader{R: z, N: n}
	if rep.sessions == nil {
		if err := rep.warmUp(src, before, n < offset); err != nil {
			return err
		}
	}
	if _, err := io.Copy(io.Discard, before); err != nil {
		return err
	}
	if before.N > 0 {
		return fmt.Errorf("it ends before byte %d: %w", offset, io.ErrUnexpectedEOF)
	}
	return nil
}

// noticing keeps what went wrong with its reader.
type noticing struct {
	io.Reader
	err error
}

func (r *noticing) Read(b []byte) (int, error) {
	n, err := r.Reader.Read(b)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}
