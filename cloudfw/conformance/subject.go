package conformance

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"fwsync/cloudfw"
)

// Subject is an account under test and what the suite may do there.
type Subject struct {
	// Open opens the account. It is called once.
	Open func(context.Context) (cloudfw.Account, error)
	// Prefix begins the names of all books and prefix lists that the suite makes, and
	// names the owner in its markers: "fwsync-OWNER-", as cloudfw.Owner.BookName writes
	// it. Whatever bears that owner's marker is taken for left over from a run that was
	// killed and is removed at the start. No two runs on one account may share it.
	Prefix string
	// Borders whose lists are edited; the internet border is observed in any case.
	// None means that no rules are made.
	Borders []cloudfw.Border
	// Group is a security group that the suite may edit. Empty leaves out security
	// groups and what refers to prefix lists.
	Group string
	// Limits are the capacities to be exhausted, field by field; 0 leaves one alone.
	Limits cloudfw.Limits
	// Slow accounts are real ones: they may show a write some seconds later, and fewer
	// calls are made where the number only makes a collision more likely.
	Slow bool
	// Stall makes the next call hang, write or read, until its client goes away, and
	// returns a channel that is closed when it does. Nil leaves out what needs it.
	Stall func() (stalled <-chan struct{})
	// Close is called once at the end, after everything has been removed. May be nil.
	Close func(cloudfw.Account)

	rest time.Duration // between two looks at a slow account; 0 means two seconds
}

// owner is the owner that the prefix stands for.
func (s Subject) owner() (cloudfw.Owner, error) {
	name := strings.TrimSuffix(strings.TrimPrefix(s.Prefix, "fwsync-"), "-")
	owner, err := cloudfw.ParseOwner(name)
	if err != nil || owner.BookName("") != s.Prefix {
		return "", fmt.Errorf("prefix %q is not of the form fwsync-OWNER-, with an owner of 1 to 32 of a-z, 0-9 and inner dashes", s.Prefix)
	}
	return owner, nil
}

// topic is one subtest.
type topic struct {
	name  string
	needs func(*trial) bool // nil: nothing
	run   func(*scene)
}

var topics = []topic{
	{"snapshots", nil, snapshots},
	{"rules read back", hasLists, rulesReadBack},
	{"rules are edited in place", hasLists, rulesAreEdited},
	{"rules keep their order", hasLists, rulesKeepTheirOrder},
	{"rules in other spellings", hasLists, oddRules},
	{"books read back", nil, booksReadBack},
	{"books change by address", nil, booksChange},
	{"books in use stay", hasLists, booksInUseStay},
	{"prefix lists", nil, prefixLists},
	{"group rules", hasGroup, groupRules},
	{"group rules refer to prefix lists", hasGroup, groupRulesReferToLists},
	{"what is not there", nil, unknownIDs},
	{"what makes no sense", nil, senselessSteps},
	{"capacity", nil, capacity},
	{"editors at the same time", nil, editorsAtTheSameTime},
	{"cancellation", nil, cancellation},
}

func hasLists(r *trial) bool { return len(r.keys) > 0 }
func hasGroup(r *trial) bool { return r.Group != "" }

// Run runs the suite on the subject, one subtest for each topic, one after the
// other. Everything it makes is removed after each, also after a failure.
func Run(t *testing.T, s Subject) {
	t.Helper()
	r := begin(t, s)
	for _, c := range topics {
		if c.needs == nil || c.needs(r) {
			t.Run(c.name, func(t *testing.T) { c.run(r.scene(t)) })
		}
	}
}

// RunApart is Run with all topics at the same time, each on a subject of its own:
// no two of them may share an account.
func RunApart(t *testing.T, subject func(*testing.T) Subject) {
	t.Helper()
	for _, c := range topics {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := begin(t, subject(t))
			if c.needs == nil || c.needs(r) {
				c.run(r.scene(t))
			}
		})
	}
}
