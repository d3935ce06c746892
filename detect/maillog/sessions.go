package maillog

import (
	"math"
	"time"
	"unsafe"

	"fwsync/detect"
	"fwsync/detect/fetch"
)

// Sessions settles the signals of sessions that tell of one event in more than one
// line, so that each counts once: smtpd's warnings and the "auth=0/3" at its
// disconnect, sshd's "Invalid user", "Failed password" and "Connection closed by
// invalid user". It must see the signals in the order of the log.
//
// It remembers a bounded number of sessions. One that is forgotten, or whose
// earlier lines were not read, is taken by its summary alone: the failures in
// it did happen, though some of them may then have been counted before. A log that is
// read on from a position is therefore warmed up with the lines before.
type Sessions struct {
	// Reference is the time of the signals of a log whose lines have none.
	Reference time.Time
	// Stamped says that the log's lines have stamps; a signal that has one says so too.
	// A line without one is then the continuation of another, which strangers may have
	// written, and no signal.
	Stamped bool
	// Untimed counts the signals without a time that got the Reference, Unstamped those
	// that were dropped.
	Untimed, Unstamped int64

	sets *[sessionSets]sessionSet
}

// sessionSet is the sessions that share a place: one line of the processor's cache.
type sessionSet [4]session

// session is what was counted in one session.
type session struct {
	// The upper 48 bits are those of the signals' Session, whose lowest name the set; the
	// lower 16 are how many failures were announced, as far as they go.
	key     uint64
	at      uint32 // seconds since 1970
	counted int32
}

func (e *session) is(of uint64) bool { return (e.key^of)>>16 == 0 }

func (e *session) announced() int32 { return int32(uint16(e.key)) }

func (e *session) announce(n int32) {
	e.key = e.key&^math.MaxUint16 | uint64(min(max(n, 0), math.MaxUint16))
}

const (
	sessionSets = 2048
	// A process id used again after this time is another session.
	sessionAge = int64(time.Hour / time.Second)
	// So many signals' sets are fetched at once.
	settleGroup = 64
)

// Settle drops from signals what does not count, corrects what counts in part, and
// gives those without a time one. It works in place, and returns what is left.
func (t *Sessions) Settle(signals []detect.Signal) []detect.Signal {
	for i := range signals {
		if t.Stamped = t.Stamped || !signals[i].Time.IsZero(); t.Stamped {
			break
		}
	}
	if t.sets == nil && len(signals) > 0 {
		t.sets = new([sessionSets]sessionSet)
	}
	kept := 0
	for i := range signals {
		if i%settleGroup == 0 {
			t.fetch(signals[i:min(i+settleGroup, len(signals))])
		}
		s := &signals[i]
		if s.Time.IsZero() {
			if t.Stamped {
				t.Unstamped++
				continue
			}
			s.Time = t.Reference
			t.Untimed++
		}
		if s.Part != detect.Whole && !t.counts(s) {
			continue
		}
		if kept != i {
			signals[kept] = *s
		}
		kept++
	}
	return signals[:kept]
}

func (t *Sessions) set(of uint64) *sessionSet { return &t.sets[of%sessionSets] }

// fetch begins to fetch the sets of signals' sessions, which were counted in on another
// core, or not for long.
func (t *Sessions) fetch(signals []detect.Signal) {
	var sets [settleGroup]unsafe.Pointer
	n := 0
	for i := range signals {
		if signals[i].Part != detect.Whole {
			sets[n] = unsafe.Pointer(t.set(signals[i].Session))
			n++
		}
	}
	fetch.BeginWriting(sets[:n])
}

// counts settles one signal and reports whether it counts.
func (t *Sessions) counts(s *detect.Signal) bool {
	e, n := t.session(s), int32(s.Times())
	switch s.Part {
	case detect.Counted:
		e.counted += n
	case detect.Aside:
		e.counted += n
		return false
	case detect.Announcing:
		e.counted += n
		e.announce(n)
	case detect.Repeating:
		told := min(n, e.announced())
		e.announce(e.announced() - told)
		e.counted += n - told
		s.Count = int(n - told)
		return n > told
	case detect.Summary, detect.Closing:
		missing := n - e.counted
		if e.counted = max(e.counted, n); s.Part == detect.Closing {
			*e = session{}
		}
		s.Count = int(missing)
		return missing > 0
	}
	return true
}

// session returns the entry of the signal's session, in place of the oldest of
// its set if it is new.
func (t *Sessions) session(s *detect.Signal) *session {
	at := uint32(min(max(s.Time.Unix(), 0), math.MaxUint32))
	set := t.set(s.Session)
	oldest := &set[0]
	for i := range set {
		e := &set[i]
		if e.is(s.Session) {
			if age := int64(at) - int64(e.at); age > sessionAge || age < -sessionAge {
				*e = session{key: s.Session &^ math.MaxUint16}
			}
			e.at = at
			return e
		}
		if e.at < oldest.at {
			oldest = e
		}
	}
	*oldest = session{key: s.Session &^ math.MaxUint16, at: at}
	return oldest
}
