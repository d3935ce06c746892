package sources

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Format is how a source's entries are written.
type Format uint8

const (
	// Detected is what the first bytes say: JournalExport, if they are
	// "__CURSOR=", else Lines.
	Detected Format = iota
	// Lines are syslog lines.
	Lines
	// JournalExport is what `journalctl -o export` writes.
	JournalExport
)

const journalStart = "__CURSOR="

// formatted returns r as lines, whatever its format is; journal is nil if it is
// no journal.
func formatted(r io.Reader, f Format) (lines io.Reader, j *journal, err error) {
	b := bufio.NewReaderSize(r, 1<<16)
	if f == Detected {
		start, err := b.Peek(len(journalStart))
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, nil, err
		}
		if string(start) == journalStart {
			f = JournalExport
		}
	}
	if f != JournalExport {
		return b, nil, nil
	}
	j = &journal{in: b}
	return j, j, nil
}

// journal turns the entries of a journal in export format into lines, one for
// each: "2026-11-23T20:17:43.123456+00:00 HOST IDENTIFIER[PID]: MESSAGE". What
// would not be one line, or could be taken for another part of it, is replaced.
type journal struct {
	in     *bufio.Reader
	entry  entry
	out    []byte
	given  int    // of out
	behind int64  // the offset behind out
	last   []byte // the cursor of its last entry
	ended  error

	mu    sync.Mutex
	marks []mark
}

// mark is the cursor of the entry that ends at an offset.
type mark struct {
	end    int64
	cursor string
}

// entry holds the fields that matter, each of limited length.
type entry struct {
	cursor, at, host, identifier, command, pid, syslogPID, message []byte
	any                                                            bool
}

func (e *entry) reset() {
	for _, f := range []*[]byte{&e.cursor, &e.at, &e.host, &e.identifier, &e.command, &e.pid, &e.syslogPID, &e.message} {
		*f = (*f)[:0]
	}
	e.any = false
}

// field is where a field goes, and how much of it is kept; nil for the others.
func (e *entry) field(name []byte) (*[]byte, int) {
	switch string(name) {
	case "MESSAGE":
		return &e.message, MaxLine + 1 // longer ones are counted as such
	case "__CURSOR":
		return &e.cursor, 1024
	case "__REALTIME_TIMESTAMP":
		return &e.at, 20
	case "_HOSTNAME":
		return &e.host, 255
	case "SYSLOG_IDENTIFIER":
		return &e.identifier, 128
	case "_COMM":
		return &e.command, 128
	case "_PID":
		return &e.pid, 20
	case "SYSLOG_PID":
		return &e.syslogPID, 20
	}
	return nil, 0
}

// Read returns whole lines as long as p has room for them, and waits for no more
// than the first.
func (j *journal) Read(p []byte) (int, error) {
	if j.given == len(j.out) {
		j.out, j.given = j.out[:0], 0
		for j.ended == nil && len(j.out) < len(p)/2 && (len(j.out) == 0 || j.in.Buffered() > 0) {
			j.next()
		}
		j.behind += int64(len(j.out))
		if len(j.out) > 0 && len(j.last) > 0 {
			j.mu.Lock()
			j.marks = append(j.marks, mark{j.behind, string(j.last)})
			j.mu.Unlock()
		}
	}
	n := copy(p, j.out[j.given:])
	j.given += n
	if n == 0 {
		return 0, j.ended
	}
	return n, nil
}

// cursorAt returns the cursor of the last entry that ends at an offset or before
// it, "" if that is not known any more.
func (j *journal) cursorAt(offset int64) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	cursor, n := "", 0
	for n < len(j.marks) && j.marks[n].end <= offset {
		cursor = j.marks[n].cursor
		n++
	}
	j.marks = slices.Delete(j.marks, 0, n)
	return cursor
}

// next reads one entry and appends its line to out; one that is cut off at the end
// is left out.
func (j *journal) next() {
	j.entry.reset()
	for {
		line, err := j.in.ReadSlice('\n')
		switch {
		case err == nil && len(line) == 1:
			if j.entry.any {
				j.line()
				return
			}
			continue
		case errors.Is(err, bufio.ErrBufferFull):
			err = j.long(line)
		case err == nil:
			err = j.short(line[:len(line)-1])
		case errors.Is(err, io.EOF) && len(line) == 0 && j.entry.any:
			j.line() // the last entry may lack its empty line
		case errors.Is(err, io.EOF) && (len(line) > 0 || j.entry.any):
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			j.ended = err
			return
		}
	}
}

// short takes NAME=VALUE, or a NAME that a binary value follows.
func (j *journal) short(line []byte) error {
	j.entry.any = true
	name, value, text := bytes.Cut(line, []byte("="))
	to, most := j.entry.field(name)
	if text {
		if to != nil {
			*to = append((*to)[:0], value[:min(len(value), most)]...)
		}
		return nil
	}
	if to != nil {
		*to = (*to)[:0]
	}
	var size [8]byte
	if _, err := io.ReadFull(j.in, size[:]); err != nil {
		return cutOff(err)
	}
	rest := binary.LittleEndian.Uint64(size[:])
	for rest > 0 {
		part, err := j.in.Peek(int(min(rest, 4096)))
		if len(part) == 0 {
			return cutOff(err)
		}
		if to != nil && len(*to) < most {
			*to = append(*to, part[:min(len(part), most-len(*to))]...)
		}
		rest -= uint64(len(part))
		_, _ = j.in.Discard(len(part)) // was just seen
	}
	if c, err := j.in.ReadByte(); err != nil {
		return cutOff(err)
	} else if c != '\n' {
		return errors.New("this is no journal in export format: a binary field does not end with a newline")
	}
	return nil
}

// long takes NAME=VALUE that is longer than the buffer, which begins with start.
func (j *journal) long(start []byte) error {
	j.entry.any = true
	name, _, text := bytes.Cut(start, []byte("="))
	if !text {
		return errors.New("this is no journal in export format: a field's name is endless")
	}
	to, most := j.entry.field(name)
	value := start[len(name)+1:]
	if to != nil {
		*to = (*to)[:0]
	}
	for {
		if to != nil {
			*to = append(*to, value[:min(len(value), max(0, most-len(*to)))]...)
		}
		var err error
		if value, err = j.in.ReadSlice('\n'); err == nil {
			if value = value[:len(value)-1]; to != nil {
				*to = append(*to, value[:min(len(value), max(0, most-len(*to)))]...)
			}
			return nil
		} else if !errors.Is(err, bufio.ErrBufferFull) {
			return cutOff(err)
		}
	}
}

func cutOff(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (j *journal) line() {
	e := &j.entry
	j.last = append(j.last[:0], e.cursor...)
	micros, err := strconv.ParseInt(string(e.at), 10, 64)
	if err != nil {
		j.out = fmt.Appendf(j.out, "entry without a time\n")
		return
	}
	j.out = time.UnixMicro(micros).UTC().AppendFormat(j.out, "2006-01-02T15:04:05.000000-07:00")
	j.word(e.host, "localhost")
	identifier := e.identifier
	if len(identifier) == 0 {
		identifier = e.command
	}
	j.word(identifier, "unknown")
	pid := e.pid
	if len(e.syslogPID) > 0 {
		pid = e.syslogPID
	}
	if len(pid) > 0 && !bytes.ContainsFunc(pid, func(r rune) bool { return r < '0' || r > '9' }) {
		j.out = append(append(append(j.out, '['), pid...), ']')
	}
	j.out = append(j.out, ": "...)
	from := len(j.out)
	j.out = append(j.out, e.message...)
	for i, c := range j.out[from:] {
		if c == '\n' || c == '\r' || c == 0 {
			j.out[from+i] = '?'
		}
	}
	j.out = append(j.out, '\n')
}

// word appends a blank and b, or its substitute if it is empty.
func (j *journal) word(b []byte, substitute string) {
	j.out = append(j.out, ' ')
	if len(b) == 0 {
		j.out = append(j.out, substitute...)
	}
	for _, c := range b {
		if c <= ' ' || c >= 0x7f || c == '[' || c == ']' || c == ':' {
			c = '?'
		}
		j.out = append(j.out, c)
	}
}
