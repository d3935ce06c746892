package maillog

import (
	"time"

	"fwsync/detect"
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

	table []session
}

// session is what was counted in one session.
type session struct {
	key       uint64
	at        int64 // seconds
	counted   int32
	announced int32
}

const (
	sessionSets = 2048
	sessionWays = 4
	// A process id used again after this time is another session.
	sessionAge = int64(time.Hour / time.Second)
)

// Settle drops from signals what does not count, corrects what counts in part, and
// gives those without a time one. It works in place, and returns what is left.
func (t *Sessions) Settle(signals []detect.Signal) []detect.Signal {
	for i := range signals {
		if t.Stamped = t.Stamped || !signals[i].Time.IsZero(); t.Stamped {
			break
		}
	}
	kept := 0
	for i := range signals {
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
		e.announced = n
	case detect.Repeating:
		told := min(n, e.announced)
		e.announced -= told
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
	if t.table == nil {
		t.table = make([]session, sessionSets*sessionWays)
	}
	at := s.Time.Unix()
	set := t.table[s.Session%sessionSets*sessionWays:][:sessionWays]
	oldest := &set[0]
	for i := range set {
		e := &set[i]
		if e.key == s.Session {
			if age := at - e.at; age > sessionAge || age < -sessionAge {
				*e = session{key: s.Session}
			}
			e.at = at
			return e
		}
		if e.at < oldest.at {
			oldest = e
		}
	}
	*oldest = session{key: s.Session, at: at}
	return oldest
}
