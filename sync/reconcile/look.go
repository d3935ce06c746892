package reconcile

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fwsync/cloudfw"
	"fwsync/ledger"
	"fwsync/policies"
	"fwsync/sync/gates"
)

// Look is everything needed to find out what would be done. It reads the clouds
// through an interface without mutating methods: a preview cannot write (promise P9).
type Look struct {
	Policy  *policies.Policy
	Owner   cloudfw.Owner
	Clouds  []Cloud // at least one
	Ledger  ledger.Store
	Sources []Source
	Feeds   []Feed
	// AllFeeds are read whether or not they are due; so are those of AcceptFeeds, whatever
	// has come and gone.
	AllFeeds    bool
	AcceptFeeds []string
	Reading     Reading
	Gates       gates.Limits
	Operator    gates.Operator
	// Providers are the ranges of others that are never blocked, as their feeds name
	// them now.
	Providers []cloudfw.Exempt
	Now       func() time.Time
	// Just are the decisions, made or taken back, that a pass is about, if it is about
	// nothing else: what is pending of others stays so. nil: it is about everything.
	Just []ledger.Decision
	// Memory is kept between the passes of one controller; nil: each reads the clouds.
	Memory *Memory

	// pretend stands for the incident of its name in the ledger: what is asked for may
	// be refused, and then nothing has changed.
	pretend *ledger.Incident
}

// Preview looks and plans; neither a cloud nor the ledger is changed. The decisions
// that a real pass would add are returned with the report. The error tells which
// clouds failed; the report has the others.
func (l *Look) Preview(ctx context.Context) (Report, []ledger.Decision, error) {
	gathered, err := l.gather(ctx)
	if err != nil {
		return Report{}, nil, err
	}
	fresh := gathered.Intake.Decisions
	gathered.inLedger = countLedger(gathered.known, l.Now())
	decisions := merge(gathered.known, fresh)
	gathered.known = nil
	jobs := l.jobs(nil)
	together(jobs, func(j *job) error {
		j.sick = gathered.sick()
		return j.look(ctx, decisions, l.Now())
	})
	return l.report("plan", gathered, jobs), fresh, failure(jobs)
}

// Standing compares what must be true with what is, without reading any source.
func (l *Look) Standing(ctx context.Context) (Report, error) {
	decisions, err := l.Ledger.Decisions(ctx, time.Time{})
	if err != nil {
		return Report{}, fmt.Errorf("reading the decisions: %w", err)
	}
	jobs := l.jobs(nil)
	together(jobs, func(j *job) error {
		if err := j.look(ctx, decisions, l.Now()); err != nil {
			return err
		}
		return j.check(j.outlook.Live)
	})
	positions, err := l.Ledger.Positions(ctx)
	if err != nil {
		return Report{}, fmt.Errorf("reading the positions: %w", err)
	}
	g := Gathered{inLedger: countLedger(decisions, l.Now())}
	for _, r := range l.readings(positions) {
		g.Sources = append(g.Sources, r.report())
	}
	return l.report("status", g, jobs), failure(jobs)
}

// failure joins what went wrong with the clouds. With several, each error bears its
// cloud's name.
func failure(jobs []*job) error {
	var all []error
	for _, j := range jobs {
		switch {
		case j.err == nil:
		case len(jobs) == 1:
			return j.err
		default:
			all = append(all, fmt.Errorf("cloud %s: %w", j.Name, j.err))
		}
	}
	return errors.Join(all...)
}

// merge replaces known decisions by their fresh versions and adds new ones.
func merge(known, fresh []ledger.Decision) []ledger.Decision {
	if len(fresh) == 0 {
		return known
	}
	byID := map[int64]ledger.Decision{}
	var added []ledger.Decision
	for _, d := range fresh {
		if d.ID != 0 {
			byID[d.ID] = d
		} else {
			added = append(added, d)
		}
	}
	merged := make([]ledger.Decision, 0, len(known)+len(added))
	for _, d := range known {
		if f, ok := byID[d.ID]; ok {
			d = f
		}
		merged = append(merged, d)
	}
	return append(merged, added...)
}
