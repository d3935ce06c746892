package reconcile

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"sync"
	"time"

	"fwsync/detect"
	"fwsync/detect/sources"
	"fwsync/ledger"
	"fwsync/policies"
	"fwsync/sync/decide"
)

// Watch follows the sources and puts what they amount to into the ledger while it
// happens: a decision at once, the places in the logs and the counters now and then,
// together. A watch that is killed goes on from the last of these: it reads again what
// came since and comes to the same decisions, none of them twice.
//
// While the ledger cannot be written it goes on counting and keeps what was decided;
// nothing is saved that would skip a line whose decision is not stored.
type Watch struct {
	look  Look
	pause time.Duration // between two looks at what was found
	// Decided is called with decisions after they were stored. May be nil.
	Decided func([]ledger.Decision)
	// Trouble is called when the ledger could not be written, and with nil when it could
	// be again. May be nil.
	Trouble func(error)
	// Turned is called when a source becomes sick, and when it is well again. May be nil.
	Turned func(source string, is Health)

	mu        sync.Mutex         // of all below
	again     context.CancelFunc // begins following anew
	engine    *detect.Engine
	positions map[string]sources.Position // by path
	names     map[string]string           // by path
	reports   map[string]*SourceReport    // by name
	waiting   map[foundKey]decide.Found   // not yet stored
	known     []ledger.Decision
	places    map[int64]int // in known, by id
	knownAt   time.Time
	knownCost time.Duration
	storeCost time.Duration
	saved     time.Time
	saveAfter time.Duration // then
	dirty     bool          // something was read since
	troubled  bool
	recent    []DetectionReport // since Gathered was asked last
	counted   DecisionCount     // likewise
	beside    map[string]SourceReport
}

type foundKey struct {
	prefix netip.Prefix
	rule   string
}

const (
	lookAgain   = 50 * time.Millisecond
	saveEvery   = 10 * time.Second
	savedSpeed  = 100_000 // bytes of counters a second, at most: many are saved less often
	storeTime   = 10 * time.Second
	mostRecent  = 1000            // detections that are told between two passes
	knownFor    = 2 * time.Second // what people and other hosts decided is seen after this time
	retryLedger = time.Second
)

// NewWatch takes up where the ledger says that the last watch or run of this
// instance stopped.
func NewWatch(ctx context.Context, look Look) (*Watch, error) {
	w := &Watch{
		look: look, pause: lookAgain, positions: map[string]sources.Position{}, names: map[string]string{}, reports: map[string]*SourceReport{},
		waiting: map[foundKey]decide.Found{}, saved: look.Now(),
	}
	positions, err := look.Ledger.Positions(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the positions: %w", err)
	}
	windows, err := look.Ledger.Windows(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the detection windows: %w", err)
	}
	if w.engine, err = look.Reading.Engine(look.Policy); err != nil {
		return nil, err
	}
	var lost error
	if len(windows) > 0 {
		lost = w.engine.UnmarshalBinary(windows)
	}
	if err := w.learn(ctx); err != nil {
		return nil, err
	}
	for _, s := range look.Sources {
		w.names[s.Log.Path] = s.Name
		report := &SourceReport{Name: s.Name, File: s.Log.Path, LastLineIsNow: s.LastLineIsNow, Health: Health{OK: true}}
		w.reports[s.Name] = report
		var at sources.Position
		if stored, ok := positions[s.Name]; ok {
			if err := json.Unmarshal(stored, &at); err != nil {
				report.Health.note("the stored position is damaged, reading from the start: " + err.Error())
			}
		}
		w.positions[s.Log.Path] = at
		if lost != nil {
			report.Health.note("counts of earlier runs were lost, attacks in progress are seen later: " + lost.Error())
		}
	}
	return w, nil
}

// Run follows the sources until ctx ends, and then saves everything. Its error is of
// what stops it: two sources with one file, a last save that failed.
func (w *Watch) Run(ctx context.Context) error {
	stop := w.tick(ctx)
	err := w.follow(ctx)
	stop()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	w.mu.Lock()
	defer w.mu.Unlock()
	return errors.Join(err, w.store(last, true))
}

// follow follows the sources, and begins again where it was when they are to be read
// for other signals.
func (w *Watch) follow(ctx context.Context) error {
	for {
		w.mu.Lock()
		var logs []sources.Source
		for _, s := range w.look.Sources {
			logs = append(logs, s.Log)
		}
		from := maps.Clone(w.positions)
		reading, again := context.WithCancel(ctx)
		w.again = again
		w.mu.Unlock()
		err := sources.Follow(reading, logs, from, func(b sources.Batch) error {
			w.take(b)
			return nil
		})
		if err == nil {
			<-reading.Done() // streams that have ended are no reason to stop
		}
		again()
		if err != nil || ctx.Err() != nil {
			return err
		}
	}
}

// tick looks at what was found, whether or not anything is read.
func (w *Watch) tick(ctx context.Context) (stop func()) {
	var ticking sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	ticking.Go(func() {
		timer := time.NewTimer(w.pause)
		defer timer.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-timer.C:
			}
			w.mu.Lock()
			wait := w.pause
			if w.due() {
				if err := w.store(ctx, w.saveDue()); err != nil {
					wait = retryLedger
				}
				wait = max(wait, 4*w.storeCost) // of many sources each look takes a while
			}
			w.mu.Unlock()
			timer.Reset(wait)
		}
	})
	return func() {
		cancel()
		ticking.Wait()
	}
}

func (w *Watch) due() bool {
	return w.engine.Pending() > 0 || len(w.waiting) > 0 || w.saveDue()
}

// saveDue reports whether positions and counters are to be saved: not when nothing was
// read since.
func (w *Watch) saveDue() bool {
	return w.dirty && w.look.Now().Sub(w.saved) >= max(saveEvery, w.saveAfter)
}

// take counts what was read.
func (w *Watch) take(b sources.Batch) {
	w.mu.Lock()
	defer w.mu.Unlock()
	name := w.names[b.Source]
	w.engine.ObserveAll(b.Signals)
	w.dirty = w.dirty || b.Stats.Lines > 0
	if b.Position != (sources.Position{}) {
		w.positions[b.Source] = b.Position
	}
	r := w.reports[name]
	r.Lines += b.Stats.Lines
	r.Bytes += b.Stats.Bytes
	r.Signals += b.Stats.Signals
	r.Malformed += b.Stats.Malformed
	r.BadAddress += b.Stats.BadAddress
	r.Overlong += b.Stats.Overlong
	turned := r.Health.OK != b.Health.OK
	r.Health.OK = b.Health.OK
	if len(b.Health.Notes) > 0 {
		r.Health.Notes = slices.Clone(b.Health.Notes) // of the past only the latest news
	}
	if b.Health.OK && len(b.Health.Notes) == 0 && b.Stats.Lines > 0 {
		r.Health.Notes = nil
	}
	if turned && w.Turned != nil {
		w.Turned(name, Health{OK: r.Health.OK, Notes: slices.Clone(b.Health.Notes)})
	}
}

// learn reads what was decided so far.
func (w *Watch) learn(ctx context.Context) error {
	started := time.Now()
	known, err := w.look.Ledger.Decisions(ctx, time.Time{})
	if err != nil {
		return fmt.Errorf("reading the decisions: %w", err)
	}
	w.known, w.knownAt, w.knownCost = known, w.look.Now(), time.Since(started)
	w.places = make(map[int64]int, len(known))
	for i, d := range known {
		w.places[d.ID] = i
	}
	acquit(w.engine, decide.Closed(known, w.look.Now()), w.look.shifted())
	return nil
}

// store decides about what was found and puts it into the ledger; everything also
// the positions and counters.
func (w *Watch) store(ctx context.Context, everything bool) error {
	ctx, cancel := context.WithTimeout(ctx, storeTime) // meanwhile nothing is counted
	defer cancel()
	err := w.tryStore(ctx, everything)
	if w.Trouble != nil && (err != nil || w.troubled) {
		w.Trouble(err)
	}
	w.troubled = err != nil
	return err
}

func (w *Watch) tryStore(ctx context.Context, everything bool) error {
	now, started := w.look.Now(), time.Now()
	defer func() { w.storeCost = time.Since(started) }()
	w.drain(now)
	if len(w.waiting) > 0 && now.Sub(w.knownAt) >= max(knownFor, 20*w.knownCost) {
		if err := w.learn(ctx); err != nil {
			return err
		}
	}
	found := slices.Collect(maps.Values(w.waiting))
	verdict := decide.Decide(decide.Input{Found: found, Rules: w.look.Policy.Detections, Known: w.known, Exempt: w.look.exempt(w.known), Now: now})
	w.look.Reading.redact(verdict.Decisions)
	intake := ledger.Intake{Decisions: verdict.Decisions, Join: true}
	if everything {
		if err := w.fill(&intake); err != nil {
			return err
		}
	}
	var stored []ledger.Decision
	if len(intake.Decisions) > 0 || everything {
		var err error
		if stored, err = w.look.Ledger.TakeIn(ctx, intake); err != nil {
			return fmt.Errorf("storing decisions and positions: %w", err)
		}
		for _, d := range stored {
			if i, ok := w.places[d.ID]; ok {
				w.known[i] = d
				continue
			}
			w.places[d.ID] = len(w.known)
			w.known = append(w.known, d)
		}
		if everything {
			w.saved, w.dirty = now, false
			w.saveAfter = time.Duration(len(intake.Windows)) * time.Second / savedSpeed
		}
	}
	clear(w.waiting)
	for _, d := range verdict.Decisions {
		if d.ID == 0 {
			w.counted.New++
		} else {
			w.counted.Prolonged++
		}
	}
	w.remember(detectionReports(found, verdict))
	if w.Decided != nil && len(stored) > 0 {
		w.Decided(stored)
	}
	return nil
}

// drain moves what the engine has found to what waits to be stored.
func (w *Watch) drain(now time.Time) {
	for _, f := range w.look.drain(w.engine, w.shifts(now)) {
		w.waiting[foundKey{f.Prefix, f.Rule}] = f
	}
}

// fill adds the positions and counters.
func (w *Watch) fill(intake *ledger.Intake) (err error) {
	intake.Positions = map[string]json.RawMessage{}
	for path, at := range w.positions {
		if at == (sources.Position{}) {
			continue
		}
		if intake.Positions[w.names[path]], err = json.Marshal(at); err != nil {
			return errors.Join(errors.New("saving the position"), err)
		}
	}
	if intake.Windows, err = w.engine.MarshalBinary(); err != nil {
		return fmt.Errorf("saving the detection windows: %w", err)
	}
	return nil
}

// shifts are of the sources whose last line is now.
func (w *Watch) shifts(now time.Time) map[string]time.Duration {
	shifts := map[string]time.Duration{}
	for _, s := range w.look.Sources {
		if last := w.engine.LastTime(); s.LastLineIsNow && !last.IsZero() {
			shifts[s.Name] = now.Sub(last)
		}
	}
	return shifts
}

// remember keeps detections for the next pass to tell, the latest of each.
func (w *Watch) remember(reports []DetectionReport) {
	w.recent = append(w.recent, reports...)
	if over := len(w.recent) - mostRecent; over > 0 {
		w.recent = slices.Delete(w.recent, 0, over)
	}
}

// Gathered is how the sources are, and what was detected since it was asked last.
func (w *Watch) Gathered() Gathered {
	w.mu.Lock()
	defer w.mu.Unlock()
	g := Gathered{Detections: w.recent, counted: w.counted}
	w.recent, w.counted = nil, DecisionCount{}
	for _, s := range w.look.Sources {
		r := *w.reports[s.Name]
		r.Health.Notes = slices.Clone(r.Health.Notes)
		g.Sources = append(g.Sources, r)
	}
	for _, name := range slices.Sorted(maps.Keys(w.beside)) {
		g.Sources = append(g.Sources, w.beside[name])
	}
	return g
}

// Beside tells with every Gathered how a feed is, and once what it led to.
func (w *Watch) Beside(r Refreshed) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.beside == nil {
		w.beside = map[string]SourceReport{}
	}
	w.beside[r.Report.Name] = r.Report
	w.counted.New += r.Counted.New
	w.counted.Prolonged += r.Counted.Prolonged
	w.counted.Ended += r.Counted.Ended
}

// Report is of a watch alone, without any cloud: what Gathered would say.
func (w *Watch) Report() Report {
	g := w.Gathered()
	return w.look.report("run", g, nil)
}

// Adopt goes on with other policies. What was counted goes on for the detections that
// stayed as they were. After an error the watch is as before.
func (w *Watch) Adopt(policy *policies.Policy) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	engine, err := w.look.Reading.Engine(policy)
	if err != nil {
		return err
	}
	w.drain(w.look.Now())
	windows, err := w.engine.MarshalBinary()
	if err == nil {
		err = engine.UnmarshalBinary(windows)
	}
	if err != nil {
		return fmt.Errorf("taking over what was counted: %w", err)
	}
	if !reflect.DeepEqual(policy.Signals, w.look.Policy.Signals) {
		if err := w.readFor(policy); err != nil {
			return err
		}
	}
	w.engine, w.look.Policy = engine, policy
	return nil
}

// readFor begins to read the sources for the signals that a policy declares.
func (w *Watch) readFor(policy *policies.Policy) error {
	declared, err := Declared(policy)
	if err != nil {
		return err
	}
	for _, s := range w.look.Sources {
		if s.Log.Path == "-" || s.Log.Reader != nil {
			return fmt.Errorf("source %s is a stream, which cannot be read again for other declared signals", s.Name)
		}
	}
	w.look.Sources = slices.Clone(w.look.Sources)
	for i := range w.look.Sources {
		w.look.Sources[i].Log.Declared = declared
	}
	if w.again != nil {
		w.again()
	}
	return nil
}
