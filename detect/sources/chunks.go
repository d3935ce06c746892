package sources

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"time"

	"fwsync/detect"
	"fwsync/detect/maillog"
)

// MaxLine is the longest line that is looked at, in bytes; longer ones are
// skipped and counted, and never held in memory as a whole.
const MaxLine = 1 << 20

const (
	chunkSize = 1 << 18 // what stays in a core's cache while it is parsed
	usualLine = 1 << 12 // a chunk has room for one more of these …
	overread  = 64      // … and for this much behind, which the search for newlines loads
)

// chunk is a run of whole lines and what was found in them. Its buffers are
// reused.
type chunk struct {
	seq     int
	source  string
	buf     []byte
	lines   []byte // part of buf
	start   int64  // where the source was read from for this chunk …
	offset  int64  // … where lines begins, behind skipped lines …
	end     int64  // … and where the next chunk begins
	cursor  string // of a journal's last entry here, if known
	signals []detect.Signal

	// Overlong is at first the number of lines skipped whole before lines,
	// tooLong of those within.
	stats    Stats
	tooLong  int64
	newlines newlines
	kept     []maillog.Kept
	lastTime time.Time
}

func newChunk() *chunk { return &chunk{buf: make([]byte, usualLine+chunkSize+overread)} }

// room makes room for another read behind the n bytes that are there.
func (k *chunk) room(n int) []byte {
	if len(k.buf) < n+chunkSize+overread {
		longer := make([]byte, MaxLine+chunkSize+overread)
		copy(longer, k.buf[:n])
		k.buf = longer
	}
	return k.buf[n : n+chunkSize]
}

// chunker cuts a stream into chunks.
type chunker struct {
	in       io.Reader
	offset   int64 // of the first byte not yet part of a chunk
	carry    []byte
	final    bool
	skipping bool // inside an over-long line
	done     bool
	broken   error // of the last read
}

// next fills k; false at the end.
func (c *chunker) next(ctx context.Context, k *chunk) (bool, error) {
	k.start, k.stats, k.tooLong, k.lastTime, k.lines, k.cursor = c.offset, Stats{}, 0, time.Time{}, nil, ""
	n := len(c.carry)
	k.room(n)
	copy(k.buf, c.carry)
	c.carry = c.carry[:0]
	skipped := int64(0) // bytes dropped before k.buf[0]
	for !c.done {
		if err := cmp.Or(c.broken, ctx.Err()); err != nil {
			return false, err
		}
		m, err := c.in.Read(k.room(n))
		if c.done = err == io.EOF; !c.done {
			c.broken = err // what came with it is read first
		}
		fresh := k.buf[n : n+m]
		if c.skipping {
			nl := bytes.IndexByte(fresh, '\n')
			if nl < 0 {
				skipped += int64(m)
				continue
			}
			c.skipping = false
			k.stats.Overlong++
			skipped += int64(nl + 1)
			m = copy(k.buf, fresh[nl+1:])
			fresh = k.buf[:m]
		}
		last := bytes.LastIndexByte(fresh, '\n')
		if last >= 0 {
			whole := n + last + 1
			k.lines = k.buf[:whole]
			c.carry = append(c.carry, k.buf[whole:n+m]...)
			return c.emit(k, skipped), nil
		}
		if n += m; n > MaxLine {
			c.skipping = true
			skipped, n = skipped+int64(n), 0
		}
	}
	if c.final {
		if c.skipping {
			c.skipping = false
			k.stats.Overlong++
		}
		k.lines = k.buf[:n]
		return c.emit(k, skipped) && k.end > k.start, nil
	}
	// The unfinished line stays unread; an over-long one is skipped again.
	if k.stats.Overlong > 0 && !c.skipping {
		return c.emit(k, skipped), nil
	}
	return false, nil
}

func (c *chunker) emit(k *chunk, skipped int64) bool {
	k.offset = k.start + skipped
	k.end = k.offset + int64(len(k.lines))
	c.offset = k.end
	return true
}

// parse finds the signals of the chunk's lines.
func (k *chunk) parse(p *maillog.Parser) {
	k.signals = k.signals[:0]
	ends := k.newlines.find(k.lines)
	if n := len(k.lines); n > 0 && k.lines[n-1] != '\n' {
		ends = append(ends, int32(n))
	}
	lines := int32(len(ends))
	k.stats.Lines += int64(lines)
	k.kept = p.Sift(k.lines, ends, k.kept[:0])
	text, signals, found := k.lines, k.signals[:cap(k.signals)], 0
	// The last line that is not malformed tells the time; what was not kept is none.
	lastBad, stamped := int32(-2), int32(-1)
	for _, kept := range k.kept {
		start, end := bounds(ends, kept.Line)
		line := text[start:end:end]
		if len(line) > MaxLine {
			k.tooLong++
		} else {
			if found == len(signals) {
				signals = append(signals, make([]detect.Signal, max(256, found/2))...)
			}
			s := &signals[found]
			switch p.ParseKept(line, kept, s) {
			case maillog.Signal:
				s.Line = int64(kept.Line) + 1
				s.Offset = k.offset + int64(start)
				found++
				continue
			case maillog.BadAddress:
				k.stats.BadAddress++
				continue
			case maillog.Uninteresting:
				continue
			}
			k.stats.Malformed++
			if bytes.IndexByte(line, 0) >= 0 {
				k.stats.WithNUL++
			}
		}
		if kept.Line-1 != lastBad {
			stamped = kept.Line - 1
		}
		lastBad = kept.Line
	}
	k.signals = signals[:found]
	if lines-1 != lastBad {
		stamped = lines - 1
	}
	k.stats.Signals = int64(len(k.signals))
	if stamped >= 0 {
		start, end := bounds(ends, stamped)
		k.lastTime, _ = p.Time(k.lines[start:end])
	}
}

// bounds says where a line begins and ends, of those that end there.
func bounds(ends []int32, line int32) (start, end int) {
	if line > 0 {
		start = int(ends[line-1]) + 1
	}
	return start, int(ends[line])
}
