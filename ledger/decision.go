package ledger

import (
	"net/netip"
	"time"
)

// Verdict is what a decision says about its prefix.
type Verdict string

// The verdicts. An allow decision means "never block", it opens nothing.
const (
	Block Verdict = "block"
	Allow Verdict = "allow"
)

// Evidence is one log line behind a decision.
type Evidence struct {
	Source string `json:"source"`         // name of the source
	File   string `json:"file,omitempty"` // where the line was read; a log may have been rotated since
	Line   int64  `json:"line"`           // line number within the file, from 1
	Offset int64  `json:"offset"`         // of the line's first byte in the file
	Hash   string `json:"hash"`           // first 16 hex digits of the SHA-256 of the line as it is in the file
	Text   string `json:"text"`           // the line, shortened and free of control characters
}

// Counters are what a detection counted and what it counted up to, as they were when
// its decision was made or prolonged with the score that it has.
type Counters struct {
	Threshold           int       `json:"threshold"`
	LegitimateThreshold int       `json:"legitimate_threshold,omitempty"` // that a success put in its place
	WithinSeconds       int64     `json:"within_seconds"`
	Peak                int       `json:"peak"`              // the most within a window
	Members             int       `json:"members,omitempty"` // different addresses of a network
	Account             string    `json:"account,omitempty"` // that was attacked or used
	CrossedAt           time.Time `json:"crossed_at"`        // log time, UTC
	Signals             int       `json:"signals"`           // × Weight, divided by 4 for each of what follows, is the score
	Weight              int       `json:"weight"`
	Success             string    `json:"success,omitempty"` // kind of the latest success
	Known               bool      `json:"known,omitempty"`   // the allowlist overlaps it
}

// LongestLapse is the longest block that the firewall itself shall end. One that holds
// for longer is no emergency, and would keep shorter ones from an end of their own.
const LongestLapse = 24 * time.Hour

// Decision is a block or an allow of a prefix for a time.
type Decision struct {
	ID        int64        `json:"id"` // given by the store; 0 before
	Verdict   Verdict      `json:"verdict"`
	Prefix    netip.Prefix `json:"prefix"`
	Start     time.Time    `json:"start"` // UTC; of a detection's, log time
	End       time.Time    `json:"end"`   // UTC; zero means until revoked
	Reason    string       `json:"reason"`
	Author    string       `json:"author"`         // "fwsync" for detections, else the person
	Rule      string       `json:"rule,omitempty"` // the detection's name; empty for people's decisions
	Attempt   int          `json:"attempt"`        // the how-manieth block of this prefix by this rule, from 1
	Score     int          `json:"score"`          // higher is worse
	Count     int          `json:"count,omitempty"`
	FirstSeen time.Time    `json:"first_seen,omitzero"`
	LastSeen  time.Time    `json:"last_seen,omitzero"`
	MadeAt    time.Time    `json:"made_at,omitzero"`   // when it was decided, if that was not at its start; see Made
	Lapses    bool         `json:"lapses,omitempty"`   // the firewall itself shall end the block, where it can
	Counters  *Counters    `json:"counters,omitempty"` // of a detection's decision
	Evidence  []Evidence   `json:"evidence,omitempty"`

	RevokedAt    time.Time `json:"revoked_at,omitzero"` // zero unless somebody took it back
	RevokedBy    string    `json:"revoked_by,omitempty"`
	RevokeReason string    `json:"revoke_reason,omitempty"`
}

// Made is when the decision was made: a log may be read long after it was written.
func (d Decision) Made() time.Time {
	if d.MadeAt.IsZero() {
		return d.Start
	}
	return d.MadeAt
}

// Touched reports whether the decision was made or taken back at the given time or after.
func (d Decision) Touched(since time.Time) bool {
	return !d.Made().Before(since) || !d.RevokedAt.Before(since)
}

// ActiveAt reports whether the decision holds at the given time: it has started,
// has not ended, and is not revoked.
func (d Decision) ActiveAt(now time.Time) bool {
	return !d.Start.After(now) && (d.End.IsZero() || now.Before(d.End)) && d.RevokedAt.IsZero()
}
