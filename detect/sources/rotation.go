package sources

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// catchUp makes from a position in f: as it is, if f is the file it was made
// for; at f's start, if f was truncated or the position is another path's;
// otherwise f is a new file, and the rest of the old one is read from where it
// was rotated to.
func (rep *Report) catchUp(ctx context.Context, src Source, from *Position, f *os.File, info os.FileInfo, consume func(*chunk, int64) error) error {
	if from.Path != src.Path || from.Cursor != "" {
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
		if err := rep.rotated(ctx, src, *from, f, consume); err != nil {
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
// file is called now, and the files that came between it and f.
func (rep *Report) rotated(ctx context.Context, src Source, from Position, f *os.File, consume func(*chunk, int64) error) error {
	at, old := siblings(src.Path), -1
	var oldInfo os.FileInfo
	for i, path := range at {
		found, err := from.find(path)
		if err == nil {
			old, oldInfo = i, found
			break
		}
	}
	if old < 0 {
		rep.Health.sick("the log was replaced and the old file is not at %s.1 or beside it: what it got after byte %d is lost", src.Path, from.Offset)
		return nil
	}
	now, err := f.Stat()
	if err != nil {
		return withoutPath(err)
	}
	paths := append([]string{at[old]}, between(at, oldInfo, now)...)
	for _, path := range paths {
		if err := rep.whole(ctx, src, path, from, consume); err != nil {
			return err
		}
		rep.Health.note("the log was rotated: the rest of %s was read first", path)
		from = Position{}
	}
	return nil
}

// between returns those of the paths, the latest first, that came after the old
// file and before the one that is written to now: the oldest first. One daemon rotates
// a log in one way, so a number beside a date is no successor of it.
func between(paths []string, old, now os.FileInfo) []string {
	var out []string
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			continue
		}
		if os.SameFile(info, old) {
			slices.Reverse(out)
			return slices.DeleteFunc(out, func(other string) bool { return numbered(other) != numbered(path) })
		}
		if info.Mode().IsRegular() && !halfPacked(path) && !os.SameFile(info, now) && !info.ModTime().Before(old.ModTime()) {
			out = append(out, path)
		}
	}
	return nil
}

// numbered reports whether a rotated file is called FILE.N, not FILE-DATE.
func numbered(path string) bool {
	path, _ = unpackedName(path)
	_, err := strconv.Atoi(strings.TrimPrefix(filepath.Ext(path), "."))
	return err == nil
}

// whole reads a file that nobody writes to any more from a position to its end.
func (rep *Report) whole(ctx context.Context, src Source, path string, from Position, consume func(*chunk, int64) error) error {
	f, err := os.Open(path)
	if err != nil {
		return withoutPath(err)
	}
	defer f.Close()
	src.Path, src.Final = path, true
	if info, err := f.Stat(); err == nil {
		src.Reference = info.ModTime()
	}
	switch how, err := packingOf(f); {
	case err != nil:
		return withoutPath(err)
	case how.compressed():
		return rep.wholePacked(ctx, src, f, how, from, consume)
	}
	return rep.file(ctx, src, f, from, consume)
}

// find returns the file at path if p is a position in it.
func (p *Position) find(path string) (os.FileInfo, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	how, err := packingOf(f)
	if err != nil {
		return nil, err
	}
	same, size := false, p.Offset
	if how.compressed() {
		same, err = p.isPackedIn(f, how)
	} else {
		same, size, err = p.isIn(f)
	}
	if err != nil || !same || size < p.Offset {
		return nil, errors.Join(err, os.ErrNotExist)
	}
	return f.Stat()
}

// siblings returns where logrotate and its like may have put a log, the latest
// first: FILE.0, FILE.1 …, and FILE-20261123, each also compressed.
func siblings(path string) []string {
	var out []string
	for n := range 10 {
		plain := path + "." + strconv.Itoa(n)
		out = append(out, plain)
		for _, suffix := range packedSuffixes {
			out = append(out, plain+suffix)
		}
	}
	dated, err := filepath.Glob(escape(path) + "-[0-9]*")
	if err != nil {
		return out
	}
	slices.Sort(dated)
	slices.Reverse(dated)
	return append(out, dated[:min(len(dated), 10)]...)
}

var escape = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace
