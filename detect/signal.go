package detect

import (
	"net/netip"
	"time"
)

// Signal is one fact about one source address, read from one log line.
type Signal struct {
	Kind Kind
	// Addr is the client's address, unmapped and without a zone, taken from
	// the position where the daemon writes it.
	Addr netip.Addr
	// Time is the line's own stamp, in UTC.
	Time time.Time
	// Count is how many events the line stands for ("message repeated 3 times",
	// "auth failed, 3 attempts"); 0 means one.
	Count int
	// Account is the login name that was tried, as the daemon writes it; nil where
	// the line tells none. A stranger chose it. Like Raw it is only valid during the
	// call that passes the signal on.
	Account []byte
	// Source, Line (from 1) and Offset (bytes from the start) say where the
	// line is; they are only copied into evidence.
	Source string
	Line   int64
	Offset int64
	// Raw is the whole line without its newline. It is only valid during the
	// call that passes the signal on: keep a copy, never the slice. May be nil.
	Raw []byte
}

// Times returns how many events the signal stands for: Count, at least one.
func (s *Signal) Times() int { return max(1, s.Count) }
