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
	Source string `json:"source"` // name of the source
	Line   int64  `json:"line"`   // line number within it, from 1
	Hash   string `json:"hash"`   // first 16 hex digits of the line's SHA-256
	Text   string `json:"text"`   // the line, shortened and free of control characters
}

// Decision is a block or an allow of a prefix for a time.
type Decision struct {
	ID        int64        `json:"id"` // given by the store; 0 before
	Verdict   Verdict      `json:"verdict"`
	Prefix    netip.Prefix `json:"prefix"`
	Start     time.Time    `json:"start"` // UTC
	End       time.Time    `json:"end"`   // UTC; zero means until revoked
	Reason    string       `json:"reason"`
	Author    string       `json:"author"`         // "fwsync" for detections, else the person
	Rule      string       `json:"rule,omitempty"` // the detection's name; empty for people's decisions
	Attempt   int          `json:"attempt"`        // the how-manieth block of this prefix by this rule, from 1
	Score     int          `json:"score"`          // higher is worse
	Count     int          `json:"count,omitempty"`
	FirstSeen time.Time    `json:"first_seen,omitzero"`
	LastSeen  time.Time    `json:"last_seen,omitzero"`
	Evidence  []Evidence   `json:"evidence,omitempty"`

	RevokedAt    time.Time `json:"revoked_at,omitzero"` // zero unless somebody took it back
	RevokedBy    string    `json:"revoked_by,omitempty"`
	RevokeReason string    `json:"revoke_reason,omitempty"`
}

// ActiveAt reports whether the decision holds at the given time: it has started,
// has not ended, and is not revoked.
func (d Decision) ActiveAt(now time.Time) bool {
	return !d.Start.After(now) && (d.End.IsZero() || now.Before(d.End)) && d.RevokedAt.IsZero()
}
