package main

import (
	"maps"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"fwsync/sync/reconcile"
)

// mostUnwatched bounds the blocks that wait to be confirmed. More are not timed.
const mostUnwatched = 10_000

// counted is one series of a counter whose figure somebody else keeps.
type counted struct {
	counter         string
	of, what, which string // its labels
}

// count brings a counter to what it is by now, and reports whether it rose.
func (m *metrics) count(c counter, now float64, of string, labels ...string) bool {
	key := counted{counter: c.name, of: of}
	for i, to := range []*string{&key.what, &key.which}[:len(labels)] {
		*to = labels[i]
	}
	more := now - m.counted[key]
	if more < 0 {
		more = now // it was begun anew
	}
	m.counted[key] = now
	c.add(more, append([]string{of}, labels...)...)
	return more > 0
}

// begunAnew says that the figures of a cloud that was opened again start at nothing.
func (m *metrics) begunAnew(cloud string) {
	maps.DeleteFunc(m.counted, func(key counted, _ float64) bool {
		switch key.counter {
		case m.steps.name, m.stepSeconds.name, m.calls.name, m.callSeconds.name, m.callWaits.name:
			return key.of == cloud
		}
		return false
	})
}

// pass tells what a run came to. Of one that did not get to a report, that it ended.
func (m *metrics) pass(r reconcile.Report, err error, took time.Duration) {
	if r.Schema == "" {
		r.At = time.Now()
	}
	outcome, refused := "done", 0
	for _, c := range r.Each() {
		refused += len(c.Refusals)
	}
	switch {
	case err != nil:
		outcome = "error"
	case refused > 0:
		outcome = "refused"
	case r.Summary.Gaps > 0:
		outcome = "gaps"
	}
	m.runs.add(1, outcome)
	m.runSeconds.Observe(took.Seconds())
	m.lastRun.set(seconds(r.At))
	if outcome == "done" {
		m.lastSuccess.set(seconds(r.At))
	}
	if r.Schema == "" {
		return
	}
	m.blocks.set(float64(r.Decisions.Active))
	if r.Ledger != nil {
		for state, n := range map[string]int{"block": r.Ledger.Blocks, "allow": r.Ledger.Allows, "later": r.Ledger.Later, "ended": r.Ledger.Ended, "revoked": r.Ledger.Revoked} {
			m.decisionsIn.set(float64(n), state)
		}
	}
	for _, c := range r.Each() {
		m.cloud(c, r.At)
	}
	m.gathered(r)
	if outcome == "done" {
		for _, crossed := range m.unwatched {
			m.enforcement.Observe(r.At.Sub(crossed).Seconds())
		}
		m.unwatched = nil
	}
}

// gathered tells what the sources gave.
func (m *metrics) gathered(r reconcile.Report) {
	m.decisions.add(float64(r.Decisions.New), "new")
	m.decisions.add(float64(r.Decisions.Prolonged), "prolonged")
	m.sick.set(float64(len(r.Sick())))
	for _, s := range r.Sources {
		m.source(s, r.At)
	}
	for _, d := range r.Detections {
		if d.Blocked && !d.Continued && len(m.unwatched) < mostUnwatched {
			m.unwatched = append(m.unwatched, d.CrossedAt)
		}
	}
}

func (m *metrics) source(s reconcile.SourceReport, at time.Time) {
	if m.count(m.lines, float64(s.Lines), s.Name) {
		m.sourceRead.set(seconds(at), s.Name)
	}
	m.count(m.signals, float64(s.Signals), s.Name)
	m.count(m.broken, float64(s.Malformed+s.BadAddress+s.Overlong), s.Name)
	m.sourceOK.set(truth(s.Health.OK), s.Name)
	if s.Feed != nil {
		m.feedEntries.set(float64(s.Feed.Entries), s.Name)
		at = s.Feed.Good
	}
	if s.Health.OK && !at.IsZero() {
		m.sourceOKAt.set(seconds(at), s.Name)
	}
}

func (m *metrics) cloud(c *reconcile.CloudReport, at time.Time) {
	m.failed.set(truth(c.Failed != ""), c.Name)
	m.refusals.set(float64(len(c.Refusals)), c.Name)
	for _, s := range c.Timings {
		m.count(m.steps, float64(s.Count), c.Name, s.Op, s.Outcome)
		m.count(m.stepSeconds, s.Seconds, c.Name, s.Op, s.Outcome)
	}
	for _, call := range c.Calls {
		for outcome, n := range call.Outcomes {
			m.count(m.calls, float64(n), c.Name, call.API, outcome)
		}
		m.count(m.callSeconds, call.Seconds, c.Name, call.API)
		m.count(m.callWaits, call.Waited, c.Name, call.API)
	}
	if c.Plan.ID == "" {
		return // the cloud could not be read: what it held before is the last that is known
	}
	// Books and lists come and go.
	of := prometheus.Labels{"cloud": c.Name}
	m.used.DeletePartialMatch(of)
	m.limit.DeletePartialMatch(of)
	m.foreign.DeletePartialMatch(of)
	for _, u := range c.Capacity {
		m.used.set(float64(u.After), c.Name, u.What)
		if u.Limit > 0 {
			m.limit.set(float64(u.Limit), c.Name, u.What)
		}
	}
	for _, u := range c.Plan.Untouched {
		m.foreign.set(float64(u.Count), c.Name, u.Where)
	}
	if c.Verification == nil {
		return
	}
	age, broken := int64(0), map[string]bool{}
	for _, g := range c.Verification.Gaps {
		age, broken[g.Target] = max(age, g.AgeSeconds), true
	}
	m.gaps.set(float64(len(c.Verification.Gaps)), c.Name)
	m.oldestGap.set(float64(age), c.Name)
	for _, target := range c.Targets() {
		if !broken[target] {
			m.lastVerified.set(seconds(at), c.Name, target)
		}
	}
}

// loaded tells which policies are in force from now on.
func (m *metrics) loaded(hash string) {
	m.policy.Reset()
	m.policy.set(1, hash)
	m.policyLoaded.set(seconds(time.Now()))
}

// lease tells whether this process has the writer lease.
func (m *metrics) lease(held bool) {
	m.leaseHeld.set(truth(held))
	m.leaseHeldAt.set(seconds(time.Now()))
}

// keepMetrics writes what a run came to into a file for the textfile collector of
// Prometheus' node exporter. A scheduled job is gone before anybody could ask it. After
// a run that failed, what could not be found out is missing from the file; when a run
// last succeeded stays in it.
func (w *work) keepMetrics(r reconcile.Report, err error, took time.Duration) error {
	if w.config.Metrics == "" {
		return nil
	}
	m := newMetrics()
	m.lastSuccess.set(lastSuccessIn(w.config.Metrics))
	m.loaded(w.policy.Hash())
	m.lease(false) // the file outlives the process
	m.pass(r, err, took)
	return m.write(w.config.Metrics)
}

// lastSuccessIn is what a file of metrics says about when a run last succeeded, 0
// without one.
func lastSuccessIn(path string) float64 {
	text, _ := os.ReadFile(path)
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "fwsync_last_success_timestamp_seconds "); ok {
			at, _ := strconv.ParseFloat(strings.TrimSpace(value), 64)
			return at
		}
	}
	return 0
}

func seconds(t time.Time) float64 { return float64(t.UnixNano()) / float64(time.Second) }

func truth(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
