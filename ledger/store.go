package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"time"
)

// The errors that a store reports by name; the text around them says which ledger
// and what to do.
var (
	ErrLocked  = errors.New("the ledger is locked by another process")
	ErrCorrupt = errors.New("the ledger is damaged")
	// ErrUnreachable is for stores that are a server: nothing was read, and whether a
	// write that was under way is stored is not known.
	ErrUnreachable = errors.New("the ledger's server cannot be reached")
)

// Intake is what one pass over the sources leaves behind. It is saved as a whole
// or not at all, so a crash neither loses a decision nor reads a line twice.
type Intake struct {
	Decisions []Decision                 // to be added (ID 0) or merged into what is there (ID set: prolonged, counted on)
	Positions map[string]json.RawMessage // by source name
	Windows   []byte                     // the detection engine's state; nil keeps what is there
	// Join has each new decision join the one that it is already, where another host has
	// stored that meanwhile (Decision.Joins): they are merged, with the evidence of both.
	Join bool
}

// AppliedPlan is a plan file that has been used (promise P8: once).
type AppliedPlan struct {
	Seq       int64           `json:"seq,omitempty"` // given by the store; rises with time
	ID        string          `json:"id"`
	Cloud     string          `json:"cloud,omitempty"` // as the configuration names it
	StartedAt time.Time       `json:"started_at"`
	Author    string          `json:"author"`
	Steps     int             `json:"steps"`
	Detail    json.RawMessage `json:"detail,omitempty"` // what the caller needs to show or undo it
}

// The outcomes of a journal entry that are not an error's text.
const (
	Started  = "started"
	Finished = "done"
)

// JournalEntry is one call of one plan. It is written before the call with Outcome
// "started" and again after it.
type JournalEntry struct {
	Seq       int64     `json:"seq,omitempty"` // given by the store; rises with time
	PlanID    string    `json:"plan_id"`
	Step      int       `json:"step"` // from 1
	At        time.Time `json:"at"`
	Op        string    `json:"op"`
	Subject   string    `json:"subject"`
	Outcome   string    `json:"outcome"`              // Started, Finished, or the error's text
	RequestID string    `json:"request_id,omitempty"` // the vendor's, of the last request; empty before it
}

// Revocation says which block or allow decisions end early.
type Revocation struct {
	Prefixes []netip.Prefix // exactly these prefixes
	Verdict  Verdict
	At       time.Time
	By       string
	Reason   string
}

// Store keeps the record. All methods are safe for concurrent use, return when ctx
// ends, and wrap ErrLocked or ErrCorrupt where they apply. Times are UTC.
type Store interface {
	// Decisions returns every decision that is not revoked and whose end is zero or
	// after `endsAfter`, oldest first; the zero time asks for all of them, revoked ones too.
	Decisions(ctx context.Context, endsAfter time.Time) ([]Decision, error)
	// Add stores people's decisions, all or none, and returns them with their ids.
	Add(ctx context.Context, decisions []Decision) ([]Decision, error)
	// Revoke ends the matching active decisions and returns them as they are now.
	Revoke(ctx context.Context, r Revocation) ([]Decision, error)

	// Positions and Windows return what the last Intake of this instance left; empty at
	// first, the map never nil. Every host that reads logs is an instance of its own;
	// all else in the ledger is shared.
	Positions(ctx context.Context) (map[string]json.RawMessage, error)
	Windows(ctx context.Context) ([]byte, error)
	// TakeIn saves an Intake in one transaction and returns its decisions with ids.
	//
	// A decision with an id is merged with the one that is there, whoever changed it
	// since it was read: the longer end, the earlier start, the higher attempt, score and
	// count, the widest span of what was seen. One that somebody revoked stays revoked,
	// one that is not to lapse never lapses again; the result shows it. An id that does not exist fails the whole intake. A source
	// that the positions do not name keeps its position.
	TakeIn(ctx context.Context, in Intake) ([]Decision, error)

	// UsePlan records that a plan is about to be applied. It is false when a plan of
	// that id has been recorded before.
	UsePlan(ctx context.Context, p AppliedPlan) (bool, error)
	// Record appends to the journal.
	Record(ctx context.Context, e JournalEntry) error
	// Journal returns a plan's entries in the order they were written.
	Journal(ctx context.Context, planID string) ([]JournalEntry, error)
	// Unfinished returns the entries of calls that were started and never settled,
	// oldest first: what a crash left open.
	Unfinished(ctx context.Context) ([]JournalEntry, error)
	// Settle marks every unfinished call as settled, once the cloud was read again.
	Settle(ctx context.Context, at time.Time) error

	// Gaps returns what the last KeepGaps of a cloud left: the gaps that there were
	// and since when.
	Gaps(ctx context.Context, cloud string) ([]Gap, error)
	// KeepGaps replaces a cloud's gaps, all or none. One that was there before keeps
	// the time at which it was first seen; one that is not named is forgotten.
	KeepGaps(ctx context.Context, cloud string, gaps []Gap) error

	Incidents

	// PastDecisions, PastPlans and PastEntries return a page of the history, also what
	// has ended or was revoked.
	PastDecisions(ctx context.Context, p Past) ([]Decision, error)
	PastPlans(ctx context.Context, p Past) ([]AppliedPlan, error)
	PastEntries(ctx context.Context, p Past) ([]JournalEntry, error)
	// Compact deletes what is of before keepSince, which must not be in the future:
	// decisions that ended then, and plans with their journal; never a decision that
	// has not ended, an unfinished call, or the last plan of a cloud. What it forgets no
	// longer counts as an earlier attempt, and a plan of before can no longer be told to
	// have been used: keep at least as long as blocks escalate and plan files are valid.
	// It works in parts; with an error, what is counted is deleted.
	Compact(ctx context.Context, keepSince time.Time) (Compacted, error)

	// Acquire takes the writer lease or says who holds it, with a *HeldError; it does
	// not wait. The lease keeps nobody from reading, or from adding decisions.
	Acquire(ctx context.Context, c Claim) (Lease, error)

	Close() error
}
