package detect

import (
	"net/netip"
	"time"
)

// Signal is one fact about one source address, read from one log line.
type Signal struct {
	Kind Kind
	// Part says whether other lines of the same Session tell of the same events.
	Part Part
	// Addr is the client's address, unmapped and without a zone, taken from
	// the position where the daemon writes it.
	Addr netip.Addr
	// Time is the line's own stamp, in UTC; zero where the line has none, until
	// maillog.Sessions gives it one.
	Time time.Time
	// Count is how many events the line stands for ("message repeated 3 times",
	// "auth failed, 3 attempts"); 0 means one.
	Count int
	// Account is the login name that was tried, as the daemon writes it; nil where
	// the line tells none. A stranger chose it. Like Raw it is only valid during the
	// call that passes the signal on.
	Account []byte
	// Session tells apart the sessions whose lines are told apart by Part; 0 without one.
	Session uint64
	// Source, Line (from 1) and Offset (bytes from the start) say where the
	// line is; they are only copied into evidence.
	Source string
	Line   int64
	Offset int64
	// Raw is the whole line without its newline. It is only valid during the
	// call that passes the signal on: keep a copy, never the slice. May be nil.
	Raw []byte
}

// Part is how a line's events relate to those of other lines of its session. It is
// settled, in the order of the log, by maillog.Sessions; what an engine gets is
// as it should count.
type Part uint8

const (
	// Whole lines stand for themselves.
	Whole Part = iota
	// Counted lines count; a later summary includes them.
	Counted
	// Aside lines are no signal, but a later summary includes them.
	Aside
	// Summary lines stand for Count events of their session, those of earlier lines
	// included: only what is missing counts.
	Summary
	// Closing is a summary after which the session is over.
	Closing
	// Announcing lines count; the next Repeating line tells of the same event.
	Announcing
	// Repeating lines count, unless an Announcing one did.
	Repeating
)

// Times returns how many events the signal stands for: Count, at least one.
func (s *Signal) Times() int { return max(1, s.Count) }
