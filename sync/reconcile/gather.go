package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"fwsync/cloudfw"
	"fwsync/detect"
	"fwsync/detect/sources"
	"fwsync/ledger"
	"fwsync/sync/decide"
)

// Source is one log that is read on every pass.
type Source struct {
	Name string
	Log  sources.Source
	// LastLineIsNow shifts the log's time so that its last line counts as now. It is
	// meant for demonstrations, is named in every report, and has no place in
	// production: it would block for what happened long ago.
	LastLineIsNow bool
}

// Gathered is what one pass over the sources yields, before anything is stored.
type Gathered struct {
	Sources    []SourceReport
	Detections []DetectionReport
	Intake     ledger.Intake

	known     []ledger.Decision // as they were read; not of a watch
	prolonged map[int64]bool    // ids of decisions in Intake that were there before
	counted   DecisionCount     // what was stored before
	nextEnd   time.Time
	inLedger  *LedgerCount
}

// sick names the sources that could not be believed.
func (g Gathered) sick() []string {
	var names []string
	for _, s := range g.Sources {
		if !s.Health.OK {
			names = append(names, s.Name)
		}
	}
	return names
}

// gather reads every source from where the last pass stopped, feeds one detection
// engine whose windows go on from the last pass, and decides. A source that cannot
// be read is reported as sick and keeps its position; the others go on (promise P7).
func (l *Look) gather(ctx context.Context) (Gathered, error) {
	positions, err := l.Ledger.Positions(ctx)
	if err != nil {
		return Gathered{}, fmt.Errorf("reading the positions: %w", err)
	}
	windows, err := l.Ledger.Windows(ctx)
	if err != nil {
		return Gathered{}, fmt.Errorf("reading the detection windows: %w", err)
	}
	known, err := l.Ledger.Decisions(ctx, time.Time{})
	if err != nil {
		return Gathered{}, fmt.Errorf("reading the decisions: %w", err)
	}
	engine, err := l.Reading.Engine(l.Policy)
	if err != nil {
		return Gathered{}, err
	}
	g := Gathered{Intake: ledger.Intake{Positions: map[string]json.RawMessage{}, Join: true}, known: known, prolonged: map[int64]bool{}}
	var lostWindows error
	if len(windows) > 0 {
		lostWindows = engine.UnmarshalBinary(windows)
	}
	acquit(engine, decide.Closed(known, l.Now()), l.shifted())
	shifts := map[string]time.Duration{}
	for _, source := range l.Sources {
		report, position, err := l.read(ctx, source, positions[source.Name], engine)
		if err != nil {
			return Gathered{}, err
		}
		if lostWindows != nil {
			report.Health.note("counts of earlier passes were lost, attacks in progress are seen later: " + lostWindows.Error())
		}
		if source.LastLineIsNow && !report.lastLine.IsZero() {
			shifts[source.Name] = l.Now().Sub(report.lastLine)
		}
		if position != nil {
			g.Intake.Positions[source.Name] = position
		}
		g.Sources = append(g.Sources, report)
	}
	if stats := engine.Stats(); stats.Evicted+stats.Untracked+stats.Sketched > 0 && len(g.Sources) > 0 {
		g.Sources[0].Health.note(fmt.Sprintf("more sources than can be tracked: %d counts were given up and %d signals only sketched, slow attackers may be missed", stats.Evicted+stats.Untracked, stats.Sketched))
	}
	found := l.drain(engine, shifts)
	verdict := decide.Decide(decide.Input{Found: found, Rules: l.Policy.Detections, Known: known, Exempt: l.exempt(known), Now: l.Now()})
	l.Reading.redact(verdict.Decisions)
	g.Intake.Decisions = verdict.Decisions
	for _, d := range verdict.Decisions {
		if d.ID != 0 {
			g.prolonged[d.ID] = true
		}
	}
	if err := l.refreshDue(ctx, &g, positions, known); err != nil {
		return Gathered{}, err
	}
	g.Detections = detectionReports(found, verdict)
	if g.Intake.Windows, err = engine.MarshalBinary(); err != nil {
		return Gathered{}, fmt.Errorf("saving the detection windows: %w", err)
	}
	return g, nil
}

// drain takes what the engine has found since its last drain.
func (l *Look) drain(engine *detect.Engine, shifts map[string]time.Duration) (found []decide.Found) {
	for _, d := range engine.Drain() {
		f := decide.Found{Detection: d}
		l.origin(d.Evidence)
		if len(d.Evidence) > 0 {
			f.Source = d.Evidence[len(d.Evidence)-1].Source
			f.Shift = shifts[f.Source]
		}
		found = append(found, f)
	}
	return found
}

// read reads one source. The error is only of ctx; what is wrong with the source
// is in its report.
func (l *Look) read(ctx context.Context, source Source, stored json.RawMessage, engine *detect.Engine) (SourceReport, json.RawMessage, error) {
	var from sources.Position
	report := SourceReport{Name: source.Name, File: source.Log.Path, LastLineIsNow: source.LastLineIsNow, Health: Health{OK: true}}
	if stored != nil {
		if err := json.Unmarshal(stored, &from); err != nil {
			report.Health.note("the stored position is damaged, reading from the start: " + err.Error())
		}
	}
	read, err := sources.Read(ctx, source.Log, from, engine.ObserveAll)
	if ctx.Err() != nil {
		return report, nil, ctx.Err()
	}
	report.fill(read)
	if err != nil {
		report.Health.OK = false
		report.Health.note(err.Error())
	}
	if err != nil && read.Stats.Lines == 0 {
		return report, nil, nil
	}
	position, err := json.Marshal(read.Position)
	if err != nil {
		return report, nil, errors.Join(errors.New("saving the position"), err)
	}
	return report, position, nil
}

// exempt is what no detection may block: the allowlist and what people allowed.
func (l *Look) exempt(known []ledger.Decision) []cloudfw.Exempt {
	exempt := slices.Clone(l.Policy.Allowlist)
	for _, d := range known {
		if d.Verdict == ledger.Allow && d.ActiveAt(l.Now()) {
			exempt = append(exempt, cloudfw.Exempt{Prefix: d.Prefix, Reason: fmt.Sprintf("allowed by %s: %s", d.Author, d.Reason)})
		}
	}
	return exempt
}
