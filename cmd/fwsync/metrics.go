package main

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
)

// metrics are the figures that others watch. Those of one pass are set anew by each; the
// counters go on for as long as the process lives. No label is an address, or anything
// else that an attacker can multiply. docs/metrics.md is made from them.
type metrics struct {
	*prometheus.Registry
	all []metric

	lastRun, lastSuccess                   gauge
	gaps, oldestGap, refusals, failed      gauge
	used, limit, foreign, lastVerified     gauge
	blocks, decisionsIn                    gauge
	sick, sourceOK, sourceRead, sourceOKAt gauge
	feedEntries                            gauge
	leaseHeld, leaseHeldAt, trouble        gauge
	policy, policyLoaded, build            gauge
	runs, decisions, reloads               counter
	steps, stepSeconds                     counter
	calls, callSeconds, callWaits          counter
	lines, signals, broken                 counter
	runSeconds, enforcement                prometheus.Histogram

	counted   map[counted]float64 // what counters were last told
	unwatched []time.Time         // when the thresholds of blocks were crossed that no run has confirmed yet
}

// metric is one row of docs/metrics.md.
type metric struct {
	name, kind, help string
	labels           []string
}

type gauge struct{ *prometheus.GaugeVec }

func (g gauge) set(value float64, labels ...string) { g.WithLabelValues(labels...).Set(value) }

type counter struct {
	name string
	*prometheus.CounterVec
}

func (c counter) add(more float64, labels ...string) { c.WithLabelValues(labels...).Add(more) }

func newMetrics() *metrics {
	m := &metrics{Registry: prometheus.NewRegistry(), counted: map[counted]float64{}}
	m.lastRun = m.gauge("last_run_timestamp_seconds", "When the last run ended, whatever came of it.")
	m.lastSuccess = m.gauge("last_success_timestamp_seconds", "When a run last ended without an error, a refusal or a gap; 0 before the first. Absent with --detect-only.")
	m.runs = m.counter("runs_total", "Runs, by how they ended: done, error, refused, gaps, or held (another fwsync had the writer lease).", "outcome")
	m.runSeconds = m.histogram("run_seconds", "How long runs took, reading the cloud back included.", .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 180, 600)
	m.enforcement = m.histogram("enforcement_seconds", "From the log line that crossed a threshold, by its own stamp, to a run that read the cloud back and found everything enforced.", .5, 1, 2, 3, 5, 10, 30, 60, 180, 600, 3600)

	m.gaps = m.gauge("gaps", "What is demanded and not enforced.", "cloud")
	m.oldestGap = m.gauge("oldest_gap_seconds", "For how long the oldest of them has been known; 0 without gaps.", "cloud")
	m.lastVerified = m.gauge("last_verified_timestamp_seconds", "When the target was last read back and everything demanded of it was enforced.", "cloud", "target")
	m.refusals = m.gauge("refusals", "Gates that refused the plan of the last run.", "cloud")
	m.failed = m.gauge("cloud_failed", "1 if the cloud could not be read or brought into shape in the last run, else 0.", "cloud")
	m.used = m.gauge("capacity_used", "Use of a bounded resource after the plan of the last run.", "cloud", "what")
	m.limit = m.gauge("capacity_limit", "Its limit, where it is known.", "cloud", "what")
	m.foreign = m.gauge("foreign_objects", "Objects of other people that stand beside ours and are not touched.", "cloud", "where")

	m.blocks = m.gauge("active_blocks", "Prefixes that must be blocked, as the last run saw it: the ledger's blocks but for what the policies or an allow withhold.")
	m.decisionsIn = m.gauge("ledger_decisions", "Decisions in the ledger, by state: block and allow are in force, later begins in the future, ended and revoked are history.", "state")
	m.decisions = m.counter("decisions_total", "Decisions that detections led to: new ones, and those that were prolonged.", "kind")

	m.steps = m.counter("steps_total", "Steps that were made, and observations (op observe), by what came of them: done, or the kind of error.", "cloud", "op", "outcome")
	m.stepSeconds = m.counter("step_seconds_total", "How long they took, waiting for the vendor's limit of calls included.", "cloud", "op", "outcome")
	m.calls = m.counter("calls_total", "Requests to the vendor, repeats included, by API and what came of them: done, or the kind of error.", "cloud", "api", "outcome")
	m.callSeconds = m.counter("call_seconds_total", "How long they took, without the waiting.", "cloud", "api")
	m.callWaits = m.counter("call_wait_seconds_total", "How long they waited before they were sent, for the vendor's limit of calls.", "cloud", "api")

	m.lines = m.counter("source_lines_total", "Lines that were read.", "source")
	m.signals = m.counter("source_signals_total", "Lines among them that are a signal.", "source")
	m.broken = m.counter("source_unreadable_lines_total", "Lines among them that could not be read: no syslog line, no address to trust, too long.", "source")
	m.sourceOK = m.gauge("source_healthy", "1 if the source can be believed, else 0.", "source")
	m.sourceOKAt = m.gauge("source_last_healthy_timestamp_seconds", "When the source could last be believed.", "source")
	m.sourceRead = m.gauge("source_last_line_timestamp_seconds", "When the source last had a new line, as fwsync saw it.", "source")
	m.feedEntries = m.gauge("feed_entries", "Entries of a feed when it was last believed.", "source")
	m.sick = m.gauge("sick_sources", "Sources that cannot be believed.")

	m.leaseHeld = m.gauge("lease_held", "1 while this process has the writer lease, else 0; fwsync run has it during a run only.")
	m.leaseHeldAt = m.gauge("lease_last_held_timestamp_seconds", "When this process last got or gave back the writer lease.")
	m.trouble = m.gauge("trouble", "1 while something hinders a part of fwsync run, else 0: policies (the files are refused, those before go on), ledger (it cannot be written).", "part")
	m.policy = m.gauge("policy_info", "1; the label is the hash of the policies that are in force.", "hash")
	m.policyLoaded = m.gauge("policy_loaded_timestamp_seconds", "When they were loaded.")
	m.reloads = m.counter("policy_reloads_total", "Attempts of fwsync run to load the policies again, by outcome: loaded or refused.", "outcome")
	m.build = m.gauge("build_info", "1; the labels say what was built.", "version", "revision", "goversion")

	b := built()
	m.build.set(1, b.Version, b.Revision, b.Go)
	return m
}

func (m *metrics) gauge(name, help string, labels ...string) gauge {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: m.register(name, "gauge", help, labels), Help: help}, labels)
	m.MustRegister(g)
	return gauge{g}
}

func (m *metrics) counter(name, help string, labels ...string) counter {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: m.register(name, "counter", help, labels), Help: help}, labels)
	m.MustRegister(c)
	return counter{name, c}
}

func (m *metrics) histogram(name, help string, buckets ...float64) prometheus.Histogram {
	h := prometheus.NewHistogram(prometheus.HistogramOpts{Name: m.register(name, "histogram", help, nil), Help: help, Buckets: buckets})
	m.MustRegister(h)
	return h
}

func (m *metrics) register(name, kind, help string, labels []string) string {
	m.all = append(m.all, metric{"fwsync_" + name, kind, help, labels})
	return "fwsync_" + name
}

// watched adds the figures of the process itself.
func (m *metrics) watched() {
	m.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
}

// write leaves the figures in a file, whole or not at all; an empty path writes nothing.
func (m *metrics) write(path string) error {
	if path == "" {
		return nil
	}
	if err := prometheus.WriteToTextfile(path, m); err != nil {
		return withHint(fmt.Errorf("writing the metrics: %w", err), "name a file in a folder that may be written in metrics, or take the key out")
	}
	return nil
}
