// Package plan computes the ordered steps from what is live to what is wanted. It
// is pure: no I/O, no clock, no logger; the result explains itself. What may not
// happen is decided by sync/gates on the finished plan, and how steps reach the
// cloud is sync/apply's business.
package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"fwsync/cloudfw"
	"fwsync/cloudfw/lower"
)

// Schema is the version of the plan's JSON form. A plan file of another version is
// refused.
const Schema = "fwsync.plan/v1"

// DefaultTTL is how long a plan file may be applied.
const DefaultTTL = 30 * time.Minute

// Kind is what a plan is for.
type Kind string

// The kinds. Reconcile makes the account what the intent says. Adopt and release change
// who owns what and nothing else, overlay and lift what an incident is about.
const (
	Reconcile Kind = "reconcile"
	Adopt     Kind = "adopt"   // what is as we want it but for its description becomes ours
	Release   Kind = "release" // what is ours becomes other people's
	Overlay   Kind = "overlay" // an incident's rules come to stand above all others
	Lifting   Kind = "lift"    // what an incident put there goes
)

// Input is everything that a plan depends on.
type Input struct {
	Intent     cloudfw.Intent
	Live       cloudfw.Snapshot // sorted, with every group that the intent names
	Limits     cloudfw.Limits
	Cloud      string // the configured cloud; empty when there is only one
	PolicyHash string
	Now        time.Time
	Kind       Kind           // empty means Reconcile
	Only       []string       // of Adopt and Release: ids or names of objects; empty means all that there are
	Overlay    []cloudfw.Rule // of Overlay
	Lift       Lift           // of Lifting
}

// Plan is the steps and everything a person needs to judge them. It is data:
// sorted, numbered by position, serialisable, the same for the same Input.
type Plan struct {
	Schema     string            `json:"schema"`
	Kind       Kind              `json:"kind"`
	Only       []string          `json:"only,omitempty"` // what an adopt or a release was asked for
	ID         string            `json:"id"`             // names this plan in the ledger; a plan file is used once
	Owner      cloudfw.Owner     `json:"owner"`
	Cloud      string            `json:"cloud,omitempty"`
	CreatedAt  time.Time         `json:"created_at"`
	ExpiresAt  time.Time         `json:"expires_at"`
	PolicyHash string            `json:"policy_hash"`
	Live       string            `json:"live"` // fingerprint of the observed state
	Steps      []cloudfw.Step    `json:"steps"`
	Proof      Proof             `json:"proof"`
	Calls      Calls             `json:"calls"`
	Capacity   []Use             `json:"capacity"`
	Untouched  []Untouched       `json:"untouched"`
	Shelved    []lower.Shelved   `json:"shelved,omitempty"`
	Condensed  []lower.Condensed `json:"condensed,omitempty"`
	Notes      []string          `json:"notes,omitempty"`

	peaks peaks
}

// Use is one bounded resource before and after the plan. Peak is the most at any
// moment on the way, as what is new stands beside what is old for a while. Limit 0
// means unknown. Warning says that at least 80 % of what may run out will be used.
type Use struct {
	What    string `json:"what"`
	Before  int    `json:"before"`
	After   int    `json:"after"`
	Peak    int    `json:"peak"`
	Limit   int    `json:"limit"`
	Warning bool   `json:"warning,omitempty"`
}

// Untouched counts objects of other people that fwsync saw and leaves alone.
type Untouched struct {
	Where string `json:"where"`
	Count int    `json:"count"`
}

// Compute plans the way from live to intent, or who shall own what. The error is
// lower.Lower's.
//
// The order of the steps keeps every intermediate state safe (promise P2), and the
// packet engine looks at each: the result is in Proof.
//
//  1. new books, and new addresses into the blocked books that exist;
//  2. each firewall list from the top: what may stay stays, a wanted rule that is live
//     moves to its place, a missing one is inserted there;
//  3. what is left of ours is deleted from the bottom up;
//  4. addresses leave books, then unused books go;
//  5. security groups: lists, then rules, then what is left.
func Compute(in Input) (Plan, error) {
	p := Plan{
		Schema: Schema, Owner: in.Intent.Owner, Cloud: in.Cloud,
		CreatedAt: in.Now.UTC(), ExpiresAt: in.Now.UTC().Add(DefaultTTL),
		PolicyHash: in.PolicyHash, Live: in.Live.Fingerprint(),
		Kind: cmp.Or(in.Kind, Reconcile), Only: in.Only,
	}
	var err error
	switch p.Kind {
	case Reconcile:
		err = p.reconcile(in)
	case Adopt:
		err = p.adopt(in)
	case Release:
		p.release(in)
	case Overlay:
		err = p.overlay(in)
	case Lifting:
		p.lift(in)
	default:
		err = fmt.Errorf("%q is no kind of plan", in.Kind)
	}
	if err != nil {
		return Plan{}, err
	}
	p.ID = p.identify()
	return p, nil
}

func (p *Plan) reconcile(in Input) error {
	wanted, err := p.order(in)
	if err != nil {
		return err
	}
	p.Shelved, p.Condensed = wanted.Shelved, wanted.Condensed
	p.Capacity = capacity(in.Intent.Owner, in.Live, wanted, in.Limits, p.peaks)
	p.Notes = append(append(p.Notes, endless(wanted.Endless)...), scarce(p.Capacity)...)
	p.Untouched = untouched(in.Intent.Owner, in.Live)
	return nil
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
