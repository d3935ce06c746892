package sources

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// catchUp makes from a position in f: as it is, if f is the file it was made
// for; at f's start, if f was truncated or the position is another path's;
// otherwise f is a new file, and the rest of the old one is read from where it
// was rotated to.
func (rep *Report) catchUp(ctx context.Context, src Source, from *Position, f *os.File, info os.FileInfo, consume func(*chunk, int64) error) error {
	if from.Path != src.Path {
		*from = Position{}
		return nil
	}
	same, size, err := from.isIn(f)
	if err != nil {
		return err
	}
	switch {
	case same && size >= from.Offset:
		return nil
	case same:
		rep.Health.note("the file shrank from %d to %d bytes: read again from its start", from.Offset, size)
	default:
		if err := rep.rotated(ctx, src, *from, consume); err != nil {
			return err
		}
		device, inode := identity(info)
		if device == from.Device && inode == from.Inode && inode != 0 {
			rep.Health.note("the file was truncated: read from its start")
		}
	}
	*from = Position{}
	return nil
}

// rotated reads what the old file got after the position, whatever the old
// file is called now.
func (rep *Report) rotated(ctx context.Context, src Source, from Position, consume func(*chunk, int64) error) error {
	for _, path := range siblings(src.Path) {
		f, err := os.Open(path)
		if err != nil {
			continue
		}
		defer f.Close()
		if same, size, err := from.isIn(f); err != nil || !same || size < from.Offset {
			continue
		}
		old := src
		old.Path, old.Final = path, true
		if info, err := f.Stat(); err == nil {
			old.Reference = info.ModTime()
		}
		if err := rep.file(ctx, old, f, from, consume); err != nil {
			return err
		}
		rep.Health.note("the log was rotated: the rest of %s was read first", path)
		return nil
	}
	rep.Health.sick("the log was replaced and the old file is not at %s.1 or beside it: what it got after byte %d is lost", src.Path, from.Offset)
	return nil
}

// siblings returns where logrotate and its like may have put a log: FILE.1,
// FILE.0, and FILE-20261123 with the latest first.
func siblings(path string) []string {
	out := []string{path + ".1", path + ".0"}
	dated, err := filepath.Glob(escape(path) + "-[0-9]*")
	if err != nil {
		return out
	}
	slices.Sort(dated)
	slices.Reverse(dated)
	return append(out, dated[:min(len(dated), 5)]...)
}

var escape = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace
