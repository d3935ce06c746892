// Package plan computes the ordered steps from what is live to what is wanted. It
// is pure: no I/O, no clock, no logger; the result explains itself. What may not
// happen is decided by sync/gates on the finished plan, and how steps reach the
// cloud is sync/apply's business.
package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"fwsync/cloudfw"
	"fwsync/cloudfw/lower"
)

// Schema is the version of the plan's JSON form. A plan file of another version is
// refused.
const Schema = "fwsync.plan/v1"

// DefaultTTL is how long a plan file may be applied.
const DefaultTTL = 30 * time.Minute

// Input is everything that a plan depends on.
type Input struct {
	Intent     cloudfw.Intent
	Live       cloudfw.Snapshot // sorted, with every group that the intent names
	Limits     cloudfw.Limits
	Cloud      string // the configured cloud; empty when there is only one
	PolicyHash string
	Now        time.Time
}

// Plan is the steps and everything a person needs to judge them. It is data:
// sorted, numbered by position, serialisable, the same for the same Input.
type Plan struct {
	Schema     string          `json:"schema"`
	ID         string          `json:"id"` // names this plan in the ledger; a plan file is used once
	Owner      cloudfw.Owner   `json:"owner"`
	Cloud      string          `json:"cloud,omitempty"`
	CreatedAt  time.Time       `json:"created_at"`
	ExpiresAt  time.Time       `json:"expires_at"`
	PolicyHash string          `json:"policy_hash"`
	Live       string          `json:"live"` // fingerprint of the observed state
	Steps      []cloudfw.Step  `json:"steps"`
	Capacity   []Use           `json:"capacity"`
	Untouched  []Untouched     `json:"untouched"`
	Shelved    []lower.Shelved `json:"shelved,omitempty"`
	Notes      []string        `json:"notes,omitempty"`
}

// Use is one bounded resource before and after the plan. Limit 0 means unknown.
type Use struct {
	What   string `json:"what"`
	Before int    `json:"before"`
	After  int    `json:"after"`
	Limit  int    `json:"limit"`
}

// Untouched counts objects of other people that fwsync saw and leaves alone.
type Untouched struct {
	Where string `json:"where"`
	Count int    `json:"count"`
}

// Compute plans the way from live to intent. The error is lower.Lower's.
//
// The order of the steps keeps every intermediate state safe (promise P2):
//
//  1. new books, and new addresses into the blocked books that exist;
//  2. each firewall list swept from the top: a wanted rule that is live moves up to
//     its place, a missing one is inserted there. Ours end up on top, in order;
//  3. what is left of ours is deleted from the bottom up;
//  4. addresses leave books, then unused books go;
//  5. security groups: lists, then rules, then what is left.
func Compute(in Input) (Plan, error) {
	p := Plan{
		Schema: Schema, Owner: in.Intent.Owner, Cloud: in.Cloud,
		CreatedAt: in.Now.UTC(), ExpiresAt: in.Now.UTC().Add(DefaultTTL),
		PolicyHash: in.PolicyHash, Live: in.Live.Fingerprint(),
	}
	wanted, err := p.order(in)
	if err != nil {
		return Plan{}, err
	}
	p.Shelved = wanted.Shelved
	p.Capacity = capacity(in.Intent.Owner, in.Live, wanted, in.Limits)
	p.Untouched = untouched(in.Intent.Owner, in.Live)
	p.ID = p.identify()
	return p, nil
}

// order fills in the steps and the notes. Two edits of a book in place would not be
// safe, so such a book is retired: its addresses go to another book under a rule of
// its own, and the old pair is left over.
//
//   - It loses addresses while its rule has to be put in place: the rule, once there,
//     would block the leavers, which it may not have done where it stood.
//   - It gains addresses while a rule that is left over refers to it: somebody made
//     that rule do something else, and it would do it to the newcomers.
func (p *Plan) order(in Input) (lower.Wanted, error) {
	retired := map[string]bool{}
	for {
		wanted, err := lower.Lower(in.Intent, in.Live, in.Limits, retired)
		if err != nil {
			return lower.Wanted{}, err
		}
		books := diffBooks(in.Intent.Owner, in.Live, wanted.Books)
		p.Steps, p.Notes = append([]cloudfw.Step{}, books.before...), books.notes
		// Peers are resolved as they will be: the wanted books first.
		world := cloudfw.Snapshot{Books: slices.Concat(wanted.Books, in.Live.Books)}
		unsafe := false
		for _, key := range wanted.Keys(in.Live) {
			steps, notes := sweep(in.Intent.Owner, key.Border.Firewall(), in.Live.List(key), wanted.Rules[key], world)
			for _, s := range steps {
				for _, peer := range []cloudfw.Peer{s.Rule.Source, s.Rule.Destination} {
					if books.shrinks(peer) || s.Op == cloudfw.DeleteRule && books.grows(peer) {
						retired[peer.Value] = true
						unsafe = true
					}
				}
			}
			p.Steps = append(p.Steps, steps...)
			p.Notes = append(p.Notes, notes...)
		}
		if unsafe {
			continue
		}
		p.Steps = append(p.Steps, books.after...)
		p.Steps = append(p.Steps, diffGroups(in.Intent.Owner, in.Live, wanted, in.Limits)...)
		return wanted, nil
	}
}

// Changes reports whether the plan has anything to do.
func (p Plan) Changes() bool { return len(p.Steps) > 0 }

// identify hashes everything but the id itself.
func (p Plan) identify() string {
	p.ID = ""
	text, err := json.Marshal(p)
	if err != nil {
		panic("plan: a plan is plain data and always marshals: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return "plan-" + hex.EncodeToString(sum[:8])
}

// Intact reports whether the plan still is what Compute returned: a plan file that
// was edited by hand has another content than its id says.
func (p Plan) Intact() bool { return p.ID == p.identify() }
