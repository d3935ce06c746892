package reconcile

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"fwsync/feeds"
	"fwsync/ledger"
	"fwsync/sync/decide"
)

// Feed is a list of addresses that others say are bad.
type Feed struct {
	feeds.Feed
	Score int           // of its decisions, where there is no room for all
	Hold  time.Duration // how long the blocks of a sick feed are held; 0: DefaultHold
}

// DefaultHold is how long what a sick feed said last is believed.
const DefaultHold = 7 * 24 * time.Hour

// FeedReport is how a feed is.
type FeedReport struct {
	Read    bool      `json:"read"`           // in this pass
	Entries int       `json:"entries"`        // of the last reading that was believed
	Bad     int       `json:"bad"`            // lines of this reading that are no entries
	LeftOut int       `json:"left_out"`       // entries of this reading that may not be blocked
	Tried   time.Time `json:"tried,omitzero"` // the last reading
	Good    time.Time `json:"good,omitzero"`  // the last one that was believed
	Next    time.Time `json:"next,omitzero"`
}

// feedKey is where the state of a feed lies among the positions.
func feedKey(name string) string { return "feed:" + name }

// feedState is what an earlier reading left; one that is damaged counts as none. After
// the clock was set back the feed is due, and held from now.
func feedState(stored json.RawMessage, now time.Time) (s feeds.State) {
	if stored != nil && json.Unmarshal(stored, &s) != nil {
		return feeds.State{}
	}
	if s.Tried.After(now) {
		s.Tried = time.Time{}
	}
	if s.Good.After(now) {
		s.Good = now
	}
	return s
}

// reading is one feed, before and after it was read.
type reading struct {
	Feed
	before feeds.State
	read   bool
	result feeds.Result
}

// readings are of all feeds, with what earlier readings left.
func (l *Look) readings(positions map[string]json.RawMessage) []*reading {
	all := make([]*reading, len(l.Feeds))
	for i, f := range l.Feeds {
		all[i] = &reading{Feed: f, before: feedState(positions[feedKey(f.Name)], l.Now())}
	}
	return all
}

// get reads the feed.
func (r *reading) get(ctx context.Context, accept bool, known []ledger.Decision, now time.Time) {
	r.before.Standing = decide.Standing(known, r.Name, now)
	r.read = true
	if accept {
		r.result = r.Accept(ctx, now, r.before)
	} else {
		r.result = r.Refresh(ctx, now, r.before)
	}
}

// state is the feed's, as it is now.
func (r *reading) state() feeds.State {
	if r.read {
		return r.result.State
	}
	return r.before
}

// report says how the feed is.
func (r *reading) report() SourceReport {
	s := r.state()
	report := SourceReport{
		Name: r.Name, File: r.From.Place(), Health: Health{OK: s.Sick == ""},
		Feed: &FeedReport{Read: r.read, Entries: s.Count, Tried: s.Tried, Good: s.Good, Next: r.Due(s)},
	}
	if r.read {
		report.Feed.Bad, report.Feed.LeftOut = r.result.Bad, r.result.Left
	}
	if s.Sick != "" {
		report.Health.note(s.Sick)
		if !s.Good.IsZero() {
			until := "is held until "
			if !r.held(s.Tried) {
				until = "was held until "
			}
			report.Health.note(fmt.Sprintf("what it said at %s %s%s", s.Good.UTC().Format(time.RFC3339), until, s.Good.Add(r.hold()).UTC().Format(time.RFC3339)))
		}
	}
	if r.read {
		report.Health.Notes = append(report.Health.Notes, r.result.Notes...)
	}
	return report
}

func (r *reading) hold() time.Duration {
	if r.Hold == 0 {
		return DefaultHold
	}
	return r.Hold
}

// held reports whether what the feed said last is still believed, though it is sick.
func (r *reading) held(now time.Time) bool {
	return !r.before.Good.IsZero() && now.Sub(r.before.Good) <= r.hold()
}

// decisions are what follows from the reading. A feed that cannot be believed freezes
// its own part: its blocks stay, and are held for as long as Hold (promise P7).
func (r *reading) decisions(known []ledger.Decision, now time.Time) []ledger.Decision {
	in := decide.FeedInput{Name: r.Name, Term: r.Block, Score: r.Score, Known: known, Now: now}
	switch {
	case r.result.Sick == "":
		in.Unchanged, in.Delta, in.Gone = r.result.Unchanged, r.result.Delta, r.result.Gone
		in.Entries = make([]decide.FeedEntry, len(r.result.Entries))
		for i, e := range r.result.Entries {
			in.Entries[i] = decide.FeedEntry{Prefix: e.Prefix, Until: e.Until, Reason: e.Reason}
		}
	case r.held(now):
		in.Unchanged = true
	default:
		return nil
	}
	return decide.Feed(in)
}

// mostAtOnce are as many feeds as are read at the same time.
const mostAtOnce = 8

// refreshDue reads the feeds that are due, into what was gathered, and tells of all. One
// that hangs holds up no other for longer than itself.
func (l *Look) refreshDue(ctx context.Context, g *Gathered, positions map[string]json.RawMessage, known []ledger.Decision) error {
	now, all := l.Now(), l.readings(positions)
	var wg sync.WaitGroup
	free := make(chan struct{}, mostAtOnce)
	for _, r := range all {
		accept := slices.Contains(l.AcceptFeeds, r.Name)
		if r.Due(r.before).After(now) && !l.AllFeeds && !accept {
			continue
		}
		wg.Go(func() {
			free <- struct{}{}
			r.get(ctx, accept, known, now)
			<-free
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for _, r := range all {
		g.Sources = append(g.Sources, r.report())
		if !r.read {
			continue
		}
		decisions := r.decisions(known, now)
		for _, d := range decisions {
			if d.ID != 0 {
				g.prolonged[d.ID] = true
			}
		}
		g.Intake.Decisions = append(g.Intake.Decisions, decisions...)
		var err error
		if g.Intake.Positions[feedKey(r.Name)], err = json.Marshal(r.result.State); err != nil {
			return fmt.Errorf("saving the state of the feed %s: %w", r.Name, err)
		}
	}
	return nil
}

// Refreshed is what the reading of a feed came to.
type Refreshed struct {
	Report  SourceReport
	Next    time.Time // when it is due again
	Counted DecisionCount
}

// RefreshFeed reads a feed now, and stores what follows.
func (l *Look) RefreshFeed(ctx context.Context, f Feed) (Refreshed, error) {
	r, err := l.reading(ctx, f)
	if err != nil {
		return Refreshed{}, err
	}
	known, err := l.Ledger.Decisions(ctx, time.Time{})
	if err != nil {
		return Refreshed{}, fmt.Errorf("reading the decisions: %w", err)
	}
	now := l.Now()
	r.get(ctx, false, known, now)
	if ctx.Err() != nil {
		return Refreshed{}, ctx.Err()
	}
	decisions := r.decisions(known, now)
	state, err := json.Marshal(r.result.State)
	if err != nil {
		return Refreshed{}, fmt.Errorf("saving the state of the feed %s: %w", f.Name, err)
	}
	for part := range slices.Chunk(decisions, intakePart) {
		if _, err := l.Ledger.TakeIn(ctx, ledger.Intake{Decisions: part, Join: true}); err != nil {
			return Refreshed{}, fmt.Errorf("storing what the feed %s says: %w", f.Name, err)
		}
	}
	if _, err := l.Ledger.TakeIn(ctx, ledger.Intake{Positions: map[string]json.RawMessage{feedKey(f.Name): state}}); err != nil {
		return Refreshed{}, fmt.Errorf("saving the state of the feed %s: %w", f.Name, err)
	}
	refreshed := Refreshed{Report: r.report(), Next: f.Due(r.result.State)}
	for _, d := range decisions {
		refreshed.Counted.add(d, d.ID == 0)
	}
	return refreshed, nil
}

// intakePart is as many decisions as are stored at once, so that what is detected
// meanwhile gets its turn. What a crash leaves out comes with the next reading: the
// state is stored last.
const intakePart = 1000

// FeedStanding is how a feed was when it was read last.
func (l *Look) FeedStanding(ctx context.Context, f Feed) (Refreshed, error) {
	r, err := l.reading(ctx, f)
	if err != nil {
		return Refreshed{}, err
	}
	return Refreshed{Report: r.report(), Next: f.Due(r.before)}, nil
}

func (l *Look) reading(ctx context.Context, f Feed) (*reading, error) {
	positions, err := l.Ledger.Positions(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the positions: %w", err)
	}
	return &reading{Feed: f, before: feedState(positions[feedKey(f.Name)], l.Now())}, nil
}
