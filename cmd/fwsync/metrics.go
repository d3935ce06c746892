package main

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"fwsync/sync/reconcile"
)

// metrics are the figures that others watch. Those of one pass are set anew by each; the
// counters go on for as long as the process lives. docs/metrics.md is made from them.
type metrics struct {
	*prometheus.Registry

	lastRun, lastSuccess                       prometheus.Gauge
	gaps, oldest, refusals, used, limit        *prometheus.GaugeVec
	foreign                                    *prometheus.GaugeVec
	lastEnforced                               *prometheus.GaugeVec
	blocks, sick                               prometheus.Gauge
	decisions                                  *prometheus.CounterVec
	calls, callSeconds, lines, signals, broken *prometheus.CounterVec
	sourceOK, sourceRead                       *prometheus.GaugeVec
	passes                                     *prometheus.CounterVec
	passSeconds, enforcement                   prometheus.Histogram

	counted map[string]float64 // what counters were last told, by name and labels
}

func newMetrics() *metrics {
	m := &metrics{Registry: prometheus.NewRegistry(), counted: map[string]float64{}}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "fwsync", Name: name, Help: help}, labels)
		m.MustRegister(g)
		return g
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "fwsync", Name: name, Help: help}, labels)
		m.MustRegister(c)
		return c
	}
	histogram := func(name, help string, buckets ...float64) prometheus.Histogram {
		h := prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: "fwsync", Name: name, Help: help, Buckets: buckets})
		m.MustRegister(h)
		return h
	}
	m.lastRun = gauge("last_run_timestamp_seconds", "When the last run ended, whatever came of it.").WithLabelValues()
	m.lastSuccess = gauge("last_success_timestamp_seconds", "When a run last ended without an error, a refusal or a gap; 0 before the first.").WithLabelValues()
	m.gaps = gauge("gaps", "What is demanded and not enforced.", "cloud")
	m.oldest = gauge("oldest_gap_seconds", "For how long the oldest of them has been known; 0 without gaps.", "cloud")
	m.refusals = gauge("refusals", "Gates that refused the plan.", "cloud")
	m.used = gauge("capacity_used", "Use of a bounded resource after the run's plan.", "cloud", "what")
	m.limit = gauge("capacity_limit", "Its limit, where it is known.", "cloud", "what")
	m.foreign = gauge("foreign_objects", "Objects of other people that stand beside ours and are not touched.", "cloud", "where")
	m.lastEnforced = gauge("last_verified_timestamp_seconds", "When the cloud was last read back and everything was enforced.", "cloud")
	m.blocks = gauge("active_blocks", "Decisions to block that are in force.").WithLabelValues()
	m.sick = gauge("sick_sources", "Sources that could not be believed.").WithLabelValues()
	m.decisions = counter("decisions_total", "Decisions that detections led to: new ones, and those that were prolonged.", "kind")
	m.calls = counter("calls_total", "What was done with the cloud, by what came of it.", "cloud", "op", "outcome")
	m.callSeconds = counter("call_seconds_total", "How long that took, waiting for the vendor's limit of calls included.", "cloud", "op", "outcome")
	m.lines = counter("source_lines_total", "Lines that were read.", "source")
	m.signals = counter("source_signals_total", "Lines among them that are a signal.", "source")
	m.broken = counter("source_unreadable_lines_total", "Lines among them that could not be read: no syslog line, no address to trust, too long.", "source")
	m.sourceOK = gauge("source_healthy", "1 if the source can be believed, else 0.", "source")
	m.sourceRead = gauge("source_last_line_timestamp_seconds", "When the source last had a new line, as fwsync saw it.", "source")
	m.passes = counter("runs_total", "Runs, by how they ended: done, error, refused, gaps, held.", "outcome")
	m.passSeconds = histogram("run_seconds", "How long runs took, reading the cloud back included.", .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 180, 600)
	m.enforcement = histogram("enforcement_seconds", "From the log line that crossed a threshold, by its own stamp, to the block being read back from the cloud.", .5, 1, 2, 3, 5, 10, 30, 60, 180, 600, 3600)
	return m
}

// watched adds the figures of the process itself.
func (m *metrics) watched() {
	m.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
}

// count brings a counter to what it is by now.
func (m *metrics) count(c *prometheus.CounterVec, name string, now float64, labels ...string) bool {
	key := fmt.Sprint(name, labels)
	more := now - m.counted[key]
	if more < 0 {
		more = now // it was begun anew
	}
	m.counted[key] = now
	c.WithLabelValues(labels...).Add(more)
	return more > 0
}

// pass tells what a run came to.
func (m *metrics) pass(r reconcile.Report, err error, took time.Duration) {
	at := float64(r.At.UnixNano()) / float64(time.Second)
	outcome := "done"
	refused := 0
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
	m.passes.WithLabelValues(outcome).Inc()
	m.passSeconds.Observe(took.Seconds())
	m.lastRun.Set(at)
	if outcome == "done" {
		m.lastSuccess.Set(at)
	}
	m.blocks.Set(float64(r.Decisions.Active))
	m.sick.Set(float64(len(r.Sick())))
	m.decisions.WithLabelValues("new").Add(float64(r.Decisions.New))
	m.decisions.WithLabelValues("prolonged").Add(float64(r.Decisions.Prolonged))
	for _, s := range r.Sources {
		m.source(s, r.At)
	}
	for _, c := range r.Each() {
		m.cloud(c, at)
	}
	if outcome == "done" {
		for _, d := range r.Detections {
			if d.Blocked && !d.Continued {
				m.enforcement.Observe(r.At.Sub(d.CrossedAt).Seconds())
			}
		}
	}
}

func (m *metrics) source(s reconcile.SourceReport, at time.Time) {
	if m.count(m.lines, "lines", float64(s.Lines), s.Name) {
		m.sourceRead.WithLabelValues(s.Name).Set(float64(at.UnixNano()) / float64(time.Second))
	}
	m.count(m.signals, "signals", float64(s.Signals), s.Name)
	m.count(m.broken, "broken", float64(s.Malformed+s.BadAddress+s.Overlong), s.Name)
	healthy := 0.0
	if s.Health.OK {
		healthy = 1
	}
	m.sourceOK.WithLabelValues(s.Name).Set(healthy)
}

func (m *metrics) cloud(c *reconcile.CloudReport, at float64) {
	m.refusals.WithLabelValues(c.Name).Set(float64(len(c.Refusals)))
	for _, u := range c.Capacity {
		m.used.WithLabelValues(c.Name, u.What).Set(float64(u.After))
		if u.Limit > 0 {
			m.limit.WithLabelValues(c.Name, u.What).Set(float64(u.Limit))
		}
	}
	for _, u := range c.Plan.Untouched {
		m.foreign.WithLabelValues(c.Name, u.Where).Set(float64(u.Count))
	}
	for _, t := range c.Timings {
		m.count(m.calls, "calls", float64(t.Count), c.Name, t.Op, t.Outcome)
		m.count(m.callSeconds, "seconds", t.Seconds, c.Name, t.Op, t.Outcome)
	}
	if c.Verification == nil {
		return
	}
	age := int64(0)
	for _, g := range c.Verification.Gaps {
		age = max(age, g.AgeSeconds)
	}
	m.gaps.WithLabelValues(c.Name).Set(float64(len(c.Verification.Gaps)))
	m.oldest.WithLabelValues(c.Name).Set(float64(age))
	if len(c.Verification.Gaps) == 0 {
		m.lastEnforced.WithLabelValues(c.Name).Set(at)
	}
}

// keepMetrics writes what a run came to into a file for the textfile collector of
// Prometheus' node exporter, whole or not at all; an empty path writes nothing. A
// scheduled job is gone before anybody could ask it. After a run that failed, what
// could not be found out is missing from the file.
func keepMetrics(path string, r reconcile.Report, err error, took time.Duration) error {
	if path == "" || r.Schema == "" {
		return nil
	}
	m := newMetrics()
	m.pass(r, err, took)
	return m.write(path)
}

func (m *metrics) write(path string) error {
	if path == "" {
		return nil
	}
	if err := prometheus.WriteToTextfile(path, m); err != nil {
		return withHint(fmt.Errorf("writing the metrics: %w", err), "name a file in a folder that may be written in metrics, or take the key out")
	}
	return nil
}
