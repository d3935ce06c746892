package reconcile

import (
	"context"
	"encoding/json"
	"fmt"
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

// feedKey is where the state of a feed lies among the positions.
func feedKey(name string) string { return "feed:" + name }

// state is what an earlier reading left; one that is damaged counts as none.
func feedState(stored json.RawMessage) (s feeds.State) {
	if stored != nil && json.Unmarshal(stored, &s) != nil {
		return feeds.State{}
	}
	return s
}

// Refreshed is what the reading of a feed leaves behind.
type Refreshed struct {
	Report    SourceReport
	Intake    ledger.Intake
	Next      time.Time // when it is due again
	New, Gone int
}

// refresh reads a feed and says what follows. A feed that cannot be believed freezes its
// own part: its blocks stay, and are held for as long as Hold (promise P7).
func (f Feed) refresh(ctx context.Context, stored json.RawMessage, known []ledger.Decision, now time.Time) (Refreshed, error) {
	before := feedState(stored)
	result := f.Refresh(ctx, now, before)
	if ctx.Err() != nil {
		return Refreshed{}, ctx.Err()
	}
	r := Refreshed{
		Report: SourceReport{Name: f.Name, File: f.From.Place(), Lines: int64(result.Used), Malformed: int64(result.Bad), BadAddress: int64(result.Left), Health: Health{OK: result.Sick == "", Notes: result.Notes}},
		Next:   f.Due(result.State),
	}
	in := decide.FeedInput{Name: f.Name, Term: f.Block, Score: f.Score, Known: known, Now: now, Unchanged: result.Unchanged, Delta: result.Delta, Gone: result.Gone}
	hold := f.Hold
	if hold == 0 {
		hold = DefaultHold
	}
	switch {
	case result.Sick == "":
		for _, e := range result.Entries {
			in.Entries = append(in.Entries, decide.FeedEntry{Prefix: e.Prefix, Until: e.Until, Reason: e.Reason})
		}
		r.Intake.Decisions = decide.Feed(in)
	case !before.Good.IsZero() && now.Sub(before.Good) <= hold:
		in.Unchanged = true
		r.Intake.Decisions = decide.Feed(in)
		r.Report.Health.note(result.Sick)
		r.Report.Health.note(fmt.Sprintf("what it said at %s is held until %s", before.Good.UTC().Format(time.RFC3339), before.Good.Add(hold).UTC().Format(time.RFC3339)))
	default:
		r.Report.Health.note(result.Sick)
	}
	for _, d := range r.Intake.Decisions {
		switch {
		case d.ID == 0:
			r.New++
		case !d.RevokedAt.IsZero():
			r.Gone++
		}
	}
	position, err := json.Marshal(result.State)
	if err != nil {
		return r, fmt.Errorf("saving the state of the feed %s: %w", f.Name, err)
	}
	r.Intake.Positions = map[string]json.RawMessage{feedKey(f.Name): position}
	return r, nil
}

// RefreshFeed reads a feed now, and stores what follows.
func (l *Look) RefreshFeed(ctx context.Context, f Feed) (Refreshed, error) {
	positions, err := l.Ledger.Positions(ctx)
	if err != nil {
		return Refreshed{}, fmt.Errorf("reading the positions: %w", err)
	}
	known, err := l.Ledger.Decisions(ctx, time.Time{})
	if err != nil {
		return Refreshed{}, fmt.Errorf("reading the decisions: %w", err)
	}
	r, err := f.refresh(ctx, positions[feedKey(f.Name)], known, l.Now())
	if err != nil {
		return r, err
	}
	if _, err := l.Ledger.TakeIn(ctx, r.Intake); err != nil {
		return r, fmt.Errorf("storing what the feed %s says: %w", f.Name, err)
	}
	return r, nil
}

// FeedDue is when a feed is to be read next.
func (l *Look) FeedDue(ctx context.Context, f Feed) (time.Time, error) {
	positions, err := l.Ledger.Positions(ctx)
	if err != nil {
		return time.Time{}, fmt.Errorf("reading the positions: %w", err)
	}
	return f.Due(feedState(positions[feedKey(f.Name)])), nil
}

// refreshDue reads the feeds that are due, into what was gathered.
func (l *Look) refreshDue(ctx context.Context, g *Gathered, positions map[string]json.RawMessage, known []ledger.Decision) error {
	for _, f := range l.Feeds {
		stored := positions[feedKey(f.Name)]
		if f.Due(feedState(stored)).After(l.Now()) && !l.AllFeeds {
			continue
		}
		r, err := f.refresh(ctx, stored, known, l.Now())
		if err != nil {
			return err
		}
		g.Sources = append(g.Sources, r.Report)
		g.Intake.Decisions = append(g.Intake.Decisions, r.Intake.Decisions...)
		for key, position := range r.Intake.Positions {
			g.Intake.Positions[key] = position
		}
		for _, d := range r.Intake.Decisions {
			if d.ID != 0 {
				g.prolonged = append(g.prolonged, d.ID)
			}
		}
	}
	return nil
}
