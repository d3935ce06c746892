package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"fwsync/cloudfw"
)

// ErrRunning is the error of a start while an incident of the same name has not ended.
var ErrRunning = errors.New("an incident of that name is running")

// Ending is how an incident came to its end.
type Ending string

// The endings.
const (
	Expired Ending = "expired" // its time was over
	Stopped Ending = "stopped" // a person ended it; its rules went the way of all that is wanted no longer
	Undone  Ending = "undone"  // a person took back just what its start had changed
)

// Incident is an overlay of rules that a person started, with all that is needed to go
// on with it, to end it and to undo it, whatever became of the policy files meanwhile.
type Incident struct {
	ID        int64          `json:"id"` // given by the store; 0 before
	Name      string         `json:"name"`
	Summary   string         `json:"summary,omitempty"`
	StartedAt time.Time      `json:"started_at"`
	Until     time.Time      `json:"until"`
	Author    string         `json:"author"`
	Reason    string         `json:"reason"`
	Rules     []cloudfw.Rule `json:"rules"`             // as declared when it was started, groups resolved
	Permanent bool           `json:"permanent"`         // the rules do not bear the firewall's own end time
	Made      []Made         `json:"made"`              // the before-image: what the start put where nothing was
	Plans     []string       `json:"plans"`             // the ids of all plans that were made for it
	LiveAt    time.Time      `json:"live_at,omitzero"`  // when all its rules were first seen live; zero: its start was not finished
	EndedAt   time.Time      `json:"ended_at,omitzero"` // zero: nobody and nothing has ended it
	EndedBy   string         `json:"ended_by,omitempty"`
	Ending    Ending         `json:"ending,omitempty"`
}

// Made is one object that an incident put into a cloud. What was there before is
// nothing, so the before-image of a cloud is the cloud without these. Exactly one of
// Rule and Book is set; both are as they were written, a rule with its id once that is
// known. A rule whose end was edited is there once for each end that it had.
type Made struct {
	Cloud string                `json:"cloud"`          // as the configuration names it; empty when it is the only one
	Plan  string                `json:"plan,omitempty"` // the plan that last wrote it
	Rule  *cloudfw.FirewallRule `json:"rule,omitempty"`
	Book  *cloudfw.AddressBook  `json:"book,omitempty"`
}

// Same reports whether two are the same object with the same content.
func (m Made) Same(o Made) bool {
	if m.Cloud != o.Cloud || (m.Rule == nil) != (o.Rule == nil) {
		return false
	}
	if m.Rule != nil {
		return m.Rule.Same(*o.Rule)
	}
	return m.Book.Name == o.Book.Name
}

// ActiveAt reports whether the rules must be in force: it was started, nobody has
// ended it and its time is not over.
func (i Incident) ActiveAt(now time.Time) bool {
	return i.EndedAt.IsZero() && !i.StartedAt.After(now) && now.Before(i.Until)
}

// Overlay are the rules as they must be in force, with the firewall's own end time
// unless the incident goes without.
func (i Incident) Overlay() []cloudfw.Rule {
	rules := slices.Clone(i.Rules)
	for n := range rules {
		rules[n].Validity = cloudfw.Validity{}
		if !i.Permanent {
			rules[n].Validity = cloudfw.Lapsing(i.StartedAt, i.Until)
		}
	}
	return rules
}

// Incidents keeps what people started. Stores do what Store promises.
type Incidents interface {
	// Incidents returns every incident that has not ended or ended after endedAfter,
	// oldest first; the zero time asks for all.
	Incidents(ctx context.Context, endedAfter time.Time) ([]Incident, error)
	// StartIncident stores a new one and returns it with its id. ErrRunning: one of the
	// same name has not ended.
	StartIncident(ctx context.Context, i Incident) (Incident, error)
	// KeepIncident replaces the one with this id. One that has ended stays ended: its
	// ending is kept. An id that does not exist is an error.
	KeepIncident(ctx context.Context, i Incident) error
}

// Normal is the incident as every store gives it back. It refuses what no incident may
// be.
func (i Incident) Normal() (Incident, error) {
	switch {
	case i.Name == "":
		return i, errors.New("the incident has no name")
	case i.StartedAt.IsZero() || i.Until.IsZero():
		return i, fmt.Errorf("incident %q has no start or no end", i.Name)
	case !i.Until.After(i.StartedAt):
		return i, fmt.Errorf("incident %q ends before it starts", i.Name)
	case i.EndedAt.IsZero() != (i.Ending == ""):
		return i, fmt.Errorf("incident %q has an ending without a time, or a time without an ending", i.Name)
	}
	for _, t := range []*time.Time{&i.StartedAt, &i.Until, &i.LiveAt, &i.EndedAt} {
		*t = toMillisecond(*t)
	}
	for _, s := range []*string{&i.Name, &i.Summary, &i.Author, &i.Reason, &i.EndedBy} {
		*s = CleanText(*s)
	}
	text, err := json.Marshal(i)
	if err != nil {
		return i, fmt.Errorf("encoding incident %q: %w", i.Name, err)
	}
	var normal Incident // once through JSON, as stores keep it
	return normal, json.Unmarshal(text, &normal)
}

// After is the incident as it is to be kept in the place of an older version.
func (i Incident) After(old Incident) Incident {
	if !old.EndedAt.IsZero() {
		i.EndedAt, i.EndedBy, i.Ending = old.EndedAt, old.EndedBy, old.Ending
	}
	return i
}
