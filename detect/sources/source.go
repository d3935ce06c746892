package sources

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"fwsync/detect"
	"fwsync/detect/maillog"
)

// Source is one log. The zero value of each optional field is its default.
type Source struct {
	// Path of a file; "-" is standard input. A gzip or zstd file is read
	// unpacked, but has no position; neither has a journal's export.
	Path string
	// Reader replaces the file; Path is then only its name.
	Reader io.Reader
	// Format is how its entries are written; zero means to look.
	Format Format
	// Location is the zone of stamps without one; nil means UTC.
	Location *time.Location
	// Reference dates stamps without a year: none is more than a day later.
	// Zero means the file's modification time, for a stream the present.
	Reference time.Time
	// Final says that a last line without a newline is complete. Otherwise it
	// is left for the next run.
	Final bool
	// Workers is how many goroutines parse; 0 means one per core, at most 8.
	Workers int
	// Declared are the signals of the policy that are not built in; may be nil.
	Declared *maillog.Declared
}

// Report says what was read.
type Report struct {
	// Position is where the next run goes on; zero for a stream, but for a
	// journal's cursor.
	Position Position
	Stats    Stats
	Health   Health
	// LastLineTime is the stamp of the last well-formed line, zero without one.
	LastLineTime time.Time
	Duration     time.Duration

	sessions *maillog.Sessions // across the files of one run
}

// Stats are the figures of one run over one source.
type Stats struct {
	// Lines and Bytes that were read, newlines included.
	Lines, Bytes int64
	// Signals is the number of lines that are a signal.
	Signals int64
	// Malformed lines have no syslog header or no valid time, BadAddress lines
	// no client address to trust, Overlong lines more than MaxLine bytes; all
	// of them are counted in Lines too.
	Malformed, BadAddress, Overlong int64
	// WithNUL is how many of the malformed lines contain NUL bytes.
	WithNUL int64
}

// BytesPerSecond returns the speed, 0 if no time passed.
func (r *Report) BytesPerSecond() float64 {
	if r.Duration <= 0 {
		return 0
	}
	return float64(r.Stats.Bytes) / r.Duration.Seconds()
}

// Health says whether the source can be believed. OK is false if lines were
// lost or most of what was read is no log; Notes are for people.
type Health struct {
	OK    bool
	Notes []string
}

func (h *Health) note(format string, args ...any) {
	h.Notes = append(h.Notes, fmt.Sprintf(format, args...))
}

func (h *Health) sick(format string, args ...any) {
	h.OK = false
	h.note(format, args...)
}

// Read reads src from a position (zero: from the start) to its end and passes
// its signals on in the order of the log, many at a time, from one goroutine at
// a time; the slice and Signal.Raw are only valid during the call. A rotated log is read to its end
// first. After an error, also of ctx (looked at between chunks), the report
// covers what was passed on so far and its position can be used.
func Read(ctx context.Context, src Source, from Position, observe func([]detect.Signal)) (Report, error) {
	return read(ctx, src, from, func(k *chunk, firstLine int64) error {
		locate(k, firstLine)
		if len(k.signals) > 0 {
			observe(k.signals)
		}
		return nil
	})
}

// locate says where the chunk's signals are.
func locate(k *chunk, firstLine int64) {
	for i := range k.signals {
		s := &k.signals[i]
		s.Line += firstLine - 1
		s.Source = k.source
	}
}

func read(ctx context.Context, src Source, from Position, consume func(k *chunk, firstLine int64) error) (Report, error) {
	started := time.Now()
	rep := Report{Health: Health{OK: true}}
	err := rep.run(ctx, src, from, consume)
	rep.Duration = time.Since(started)
	rep.judge()
	if err != nil {
		err = fmt.Errorf("reading log %q: %w", src.Path, err)
	}
	return rep, err
}

func (rep *Report) run(ctx context.Context, src Source, from Position, consume func(*chunk, int64) error) error {
	if src.Reader == nil && src.Path == "-" {
		src.Reader = os.Stdin
		if info, err := os.Stdin.Stat(); err == nil && info.Mode().IsRegular() {
			src.Reader = promptly(os.Stdin)
		}
	}
	if src.Reader != nil {
		_, err := rep.stream(ctx, src, src.Reader, 0, 0, consume)
		return err
	}
	f, err := os.Open(src.Path)
	if err != nil {
		return withoutPath(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return withoutPath(err)
	}
	if info.IsDir() {
		return errIsDirectory
	}
	if src.Reference.IsZero() {
		src.Reference = info.ModTime()
	}
	if !info.Mode().IsRegular() {
		_, err := rep.stream(ctx, src, f, 0, 0, consume)
		return err
	}
	how, err := packingOf(f)
	if err != nil {
		return withoutPath(err)
	}
	if how == exported || src.Format == JournalExport {
		_, err := rep.stream(ctx, src, f, 0, 0, consume)
		return withoutPath(err)
	}
	if how != plain {
		z, err := unpack(f, how)
		if err == nil {
			_, err = rep.stream(ctx, src, z, 0, 0, consume)
			z.Close()
		}
		if err != nil && ctx.Err() == nil {
			err = fmt.Errorf("unpacking, %d lines so far: %w", rep.Stats.Lines, err)
		}
		return err
	}
	if err := rep.catchUp(ctx, src, &from, f, info, consume); err != nil {
		return err
	}
	return rep.file(ctx, src, f, from, consume)
}

// file reads an open file from a position that is known to be its own.
func (rep *Report) file(ctx context.Context, src Source, f *os.File, from Position, consume func(*chunk, int64) error) error {
	if rep.sessions == nil && from.Offset > 0 {
		n := min(from.Offset, chunkSize)
		if err := rep.warmUp(src, io.NewSectionReader(f, from.Offset-n, n), n < from.Offset); err != nil {
			return withoutPath(err)
		}
	}
	if _, err := f.Seek(from.Offset, io.SeekStart); err != nil {
		return withoutPath(err)
	}
	before := from
	if before.HeadLength == 0 {
		var err error
		if before, err = positionOf(src.Path, f); err != nil {
			return err
		}
	}
	end, err := rep.stream(ctx, src, promptly(f), from.Offset, from.Line, consume)
	pos, idErr := positionOf(src.Path, f)
	if same, _, err := before.isIn(f); err == nil && !same {
		pos = before // truncated meanwhile: the next run must see that
	}
	pos.Path, pos.Offset, pos.Line = src.Path, end.offset, end.line
	rep.Position = pos
	if err != nil {
		return withoutPath(err)
	}
	return idErr
}

// warmUp tells the sessions what the lines just before a position said of them, so
// that a summary behind it does not count again what an earlier run counted. cut says
// that the first of them has lost its beginning.
func (rep *Report) warmUp(src Source, lines io.Reader, cut bool) error {
	k := chunk{lines: make([]byte, chunkSize, chunkSize+64)}
	n, err := io.ReadFull(lines, k.lines)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return err
	}
	if k.lines = k.lines[:n]; n == 0 {
		return nil
	}
	if cut {
		k.lines = k.lines[bytes.IndexByte(k.lines, '\n')+1:]
	}
	k.parse(maillog.New(maillog.Options{Reference: src.Reference, Location: src.Location, Declared: src.Declared}))
	before := maillog.Sessions{Reference: src.Reference, Stamped: !k.lastTime.IsZero()}
	before.Settle(k.signals)
	before.Untimed, before.Unstamped = 0, 0
	rep.sessions = &before
	return nil
}

type reached struct{ offset, line int64 }

// stream reads r, whose first byte is at this offset and line of the source.
func (rep *Report) stream(ctx context.Context, src Source, r io.Reader, offset, line int64, consume func(*chunk, int64) error) (reached, error) {
	if src.Reference.IsZero() {
		src.Reference = time.Now()
	}
	at := reached{offset, line}
	if rep.sessions == nil {
		rep.sessions = &maillog.Sessions{}
	}
	rep.sessions.Reference = src.Reference
	var j *journal
	if offset == 0 {
		var err error
		if r, j, err = formatted(r, src.Format); err != nil {
			return at, err
		}
	}
	p := pipeline{
		chunks:  chunker{in: r, offset: offset, final: src.Final},
		options: maillog.Options{Reference: src.Reference, Location: src.Location, Declared: src.Declared},
		source:  src.Path,
		workers: src.Workers,
	}
	err := p.run(ctx, func(k *chunk) error {
		at.line += k.stats.Overlong // those skipped whole come before the rest
		inLines := k.stats.Lines
		rep.sessions.Stamped = rep.sessions.Stamped || !k.lastTime.IsZero()
		k.signals = rep.sessions.Settle(k.signals)
		k.stats.Signals = int64(len(k.signals))
		if j != nil {
			if k.cursor = j.cursorAt(k.end); k.cursor != "" {
				rep.Position.Path, rep.Position.Cursor = src.Path, k.cursor
			}
		}
		if err := consume(k, at.line+1); err != nil {
			return err
		}
		at.line += inLines
		at.offset = k.end
		k.stats.Overlong += k.tooLong
		k.stats.Lines += k.stats.Overlong - k.tooLong
		k.stats.Bytes = k.end - k.start
		rep.Stats.add(&k.stats)
		if !k.lastTime.IsZero() {
			rep.LastLineTime = k.lastTime
		}
		return nil
	})
	return at, err
}

func (s *Stats) add(o *Stats) {
	s.Lines += o.Lines
	s.Bytes += o.Bytes
	s.Signals += o.Signals
	s.Malformed += o.Malformed
	s.BadAddress += o.BadAddress
	s.Overlong += o.Overlong
	s.WithNUL += o.WithNUL
}

func (rep *Report) judge() {
	s, h := &rep.Stats, &rep.Health
	if s.Overlong > 0 {
		h.note("%d lines of more than %d bytes were skipped", s.Overlong, MaxLine)
	}
	if s.WithNUL > 0 {
		h.note("%d lines contain NUL bytes", s.WithNUL)
	}
	if x := rep.sessions; x != nil && x.Untimed > 0 {
		h.note("%d signals have no time of their own: they count at %s", x.Untimed, x.Reference.UTC().Format(time.RFC3339))
	}
	if x := rep.sessions; x != nil && x.Unstamped > 0 {
		h.note("%d lines would be signals but have no stamp, unlike others: they were not believed", x.Unstamped)
	}
	if 2*(s.Malformed+s.Overlong) > s.Lines {
		h.sick("%d of %d lines are not syslog lines: not a mail log, or a damaged one", s.Malformed+s.Overlong, s.Lines)
	} else if s.Malformed > 0 {
		h.note("%d of %d lines are not syslog lines", s.Malformed, s.Lines)
	}
	if s.BadAddress > 0 {
		h.note("%d lines name no client address that can be trusted", s.BadAddress)
	}
}

// withoutPath unwraps the path that the caller's message names already.
func withoutPath(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
