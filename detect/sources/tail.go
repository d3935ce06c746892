package sources

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"
	"time"

	"fwsync/detect/maillog"
)

var (
	errIsDirectory = directoryError{}
	errMissing     = errors.New("there is no such file: waiting for it")
)

// directoryError is a syscall.EISDIR in words.
type directoryError struct{}

func (directoryError) Error() string { return "is a directory, not a log" }
func (directoryError) Unwrap() error { return syscall.EISDIR }

// tail follows one source.
type tail struct {
	src Source
	to  *receiver
	at  Position

	f       *os.File // open even if it is renamed or removed meanwhile
	seen    os.FileInfo
	old     *os.File // the one before it …
	oldAt   Position
	oldFor  int    // … for so many looks
	missing int    // looks at which no file was there
	from    string // the path that was read last

	sessions *maillog.Sessions // what the lines before said of the sessions that are open

	well    bool
	trouble string // what hinders it
}

// consume hands chunks over; at is the position in their file.
func (t *tail) consume(at *Position) func(*chunk, int64) error {
	return func(k *chunk, firstLine int64) error {
		locate(k, firstLine)
		if k.source != t.from { // a rotated file: its position is its own
			if f, err := os.Open(k.source); err == nil {
				if own, err := rotatedPosition(t.src.Path, f); err == nil {
					*at = own
				}
				f.Close()
			}
			t.from = k.source
		}
		if k.cursor != "" {
			t.at = Position{Path: t.src.Path, Cursor: k.cursor}
		}
		at.Offset, at.Line = k.end, firstLine-1+k.stats.Lines
		stats := k.stats
		stats.Bytes = k.end - k.start
		stats.Lines += stats.Overlong
		stats.Overlong += k.tooLong
		return t.to.give(Batch{Source: t.src.Path, Signals: k.signals, Position: t.at, Stats: stats, Health: Health{OK: t.well}})
	}
}

// say hands over what changed.
func (t *tail) say(h Health, hindered error, ended bool) error {
	trouble := ""
	if hindered != nil {
		trouble = withoutPath(hindered).Error()
		h.OK = false
		if trouble != t.trouble {
			h.note("%s", trouble)
		}
	}
	news := len(h.Notes) > 0 || h.OK != t.well || ended
	t.trouble, t.well = trouble, h.OK
	if !news {
		return nil
	}
	return t.to.give(Batch{Source: t.src.Path, Position: t.at, Health: h, Ended: ended})
}

// stream follows what has no end to come back to.
func (t *tail) stream(ctx context.Context) {
	rep := Report{Health: Health{OK: true}}
	t.src.Final, t.src.Workers = true, 1
	var at Position
	_, err := rep.stream(ctx, t.src, t.src.Reader, 0, 0, t.consume(&at))
	if ctx.Err() != nil {
		return
	}
	rep.judge()
	_ = t.say(rep.Health, err, true) // the receiver keeps its own error
}

// file follows a file.
func (t *tail) file(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	defer func() {
		for _, f := range []*os.File{t.f, t.old} {
			if f != nil {
				f.Close()
			}
		}
	}()
	for {
		h := Health{OK: true}
		err := t.look(ctx, &h)
		if ctx.Err() != nil || t.say(h, err, false) != nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// look reads what is new. The error is what hinders it now.
func (t *tail) look(ctx context.Context, h *Health) error {
	if t.old != nil {
		if err := t.lookOld(ctx); err != nil {
			return err
		}
	}
	if t.f == nil {
		f, info, err := t.open(ctx)
		if err != nil {
			return t.waited(err)
		}
		t.f, t.seen = f, info
	}
	if err := t.read(ctx, h); err != nil {
		return err
	}
	now, err := os.Stat(t.src.Path)
	if err != nil {
		return t.waited(err)
	}
	t.missing = 0
	switch {
	case now.IsDir():
		return errIsDirectory
	case now.Size() == 0 || os.SameFile(now, t.seen):
		// While there is no new file, or nothing in it, its writer may still write to
		// this one.
		return nil
	}
	return t.change(ctx, h)
}

// waited is what to say of a file that cannot be opened: of a missing one only
// after a while, as every rotation misses it for a moment.
func (t *tail) waited(err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if t.missing++; t.missing > patience || t.trouble != "" {
		return errMissing
	}
	return nil
}

// change goes on with the new file at the path.
func (t *tail) change(ctx context.Context, h *Health) error {
	f, info, err := t.open(ctx)
	if err != nil {
		return t.waited(err)
	}
	src := t.src
	src.Final, src.Reference = true, t.seen.ModTime()
	if err := t.readFrom(ctx, src, t.f, &t.at); err != nil {
		f.Close()
		return err
	}
	rep := Report{sessions: t.sessions}
	for _, path := range between(siblings(t.src.Path), t.seen, info) {
		if err := rep.whole(ctx, t.src, path, Position{}, t.consume(&t.at)); err != nil {
			f.Close()
			return err
		}
	}
	h.note("the log was rotated: going on with the new file")
	if t.old != nil {
		t.old.Close()
	}
	t.old, t.oldAt, t.oldFor = t.f, t.at, patience
	t.f, t.seen, t.at, t.from = f, info, Position{}, t.src.Path
	return t.read(ctx, h)
}

// open opens what is at the path. A FIFO it follows until ctx ends.
func (t *tail) open(ctx context.Context) (*os.File, os.FileInfo, error) {
	f, err := os.OpenFile(t.src.Path, os.O_RDONLY|withoutWaiting, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case info.IsDir():
		err = errIsDirectory
	case info.Mode()&fs.ModeNamedPipe != 0:
		return nil, nil, t.fifo(ctx, f)
	case !info.Mode().IsRegular():
		err = errors.New("is no file that can be followed")
	default:
		var packed packing
		if packed, err = packingOf(f); err == nil && packed != plain {
			err = errors.New("is compressed or exported: it can be read, but not followed")
		}
	}
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// fifo follows a FIFO through all its writers: opened for writing too, it never
// ends. Until it is, the first opening keeps it from breaking for a writer.
func (t *tail) fifo(ctx context.Context, first *os.File) error {
	f, err := os.OpenFile(t.src.Path, os.O_RDWR, 0)
	first.Close()
	if err != nil {
		return err
	}
	defer f.Close()
	defer context.AfterFunc(ctx, func() { f.SetReadDeadline(time.Now()) })() //nolint:errcheck // a FIFO takes one
	src := t.src
	src.Workers = 1
	rep := Report{Health: Health{OK: true}}
	var at Position
	_, err = rep.stream(ctx, src, f, 0, 0, t.consume(&at))
	return err
}

// read reads the open file to its end, unless it was truncated: then first the
// rest of its copy.
func (t *tail) read(ctx context.Context, h *Health) error {
	info, err := t.f.Stat()
	if err != nil {
		return err
	}
	src := t.src
	src.Reference = info.ModTime()
	rep := Report{Health: *h, sessions: t.sessions}
	from := t.at
	err = rep.catchUp(ctx, src, &from, t.f, info, t.consume(&t.at))
	*h, t.sessions = rep.Health, rep.sessions
	if err != nil {
		return err
	}
	t.at, t.from = from, src.Path
	if t.at.HeadLength > 0 && t.at.Offset == info.Size() {
		return nil
	}
	if info.Size()-t.at.Offset < 4*chunkSize {
		src.Workers = 1
	}
	return t.readFrom(ctx, src, t.f, &t.at)
}

func (t *tail) readFrom(ctx context.Context, src Source, f *os.File, at *Position) error {
	if at.HeadLength == 0 { // the first batch's position must be this file's
		head, err := positionOf(src.Path, f)
		if err != nil {
			return err
		}
		head.Offset, head.Line = at.Offset, at.Line
		*at = head
	}
	rep := Report{sessions: t.sessions}
	err := rep.file(ctx, src, f, *at, t.consume(at))
	t.sessions = rep.sessions
	if rep.Position.Path != "" {
		*at = rep.Position
	}
	return err
}

// lookOld reads what late writers added to the file before the open one.
func (t *tail) lookOld(ctx context.Context) error {
	info, err := t.old.Stat()
	if err == nil && info.Size() > t.oldAt.Offset {
		src := t.src
		src.Final, src.Reference, src.Workers = true, info.ModTime(), 1
		err = t.readFrom(ctx, src, t.old, &t.oldAt)
	}
	if t.oldFor--; t.oldFor <= 0 || err != nil {
		t.old.Close()
		t.old = nil
	}
	return err
}
