package main

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"fwsync/sync/reconcile"
)

// keepMetrics writes what a run came to into a file for the textfile collector of
// Prometheus' node exporter, whole or not at all; an empty path writes nothing. A
// scheduled job is gone before anybody could ask it. After a run that failed, what
// could not be found out is missing from the file.
func keepMetrics(path string, r reconcile.Report) error {
	if path == "" || r.Schema == "" {
		return nil
	}
	reg := prometheus.NewRegistry()
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "fwsync", Name: name, Help: help}, labels)
		reg.MustRegister(g)
		return g
	}
	lastRun := gauge("last_run_timestamp_seconds", "When the last run ended, whatever came of it.")
	gaps := gauge("gaps", "What is demanded and not enforced.", "cloud")
	oldest := gauge("oldest_gap_seconds", "For how long the oldest of them has been known; 0 without gaps.", "cloud")
	refusals := gauge("refusals", "Gates that refused the plan.", "cloud")
	used := gauge("capacity_used", "Use of a bounded resource after the run's plan.", "cloud", "what")
	limit := gauge("capacity_limit", "Its limit, where it is known.", "cloud", "what")
	blocks := gauge("active_blocks", "Decisions to block that are in force.")
	sick := gauge("sick_sources", "Sources that could not be believed.")

	lastRun.WithLabelValues().Set(float64(r.At.UnixNano()) / float64(time.Second))
	blocks.WithLabelValues().Set(float64(r.Decisions.Active))
	sick.WithLabelValues().Set(float64(len(r.Sick())))
	for _, c := range r.Each() {
		refusals.WithLabelValues(c.Name).Set(float64(len(c.Refusals)))
		for _, u := range c.Capacity {
			used.WithLabelValues(c.Name, u.What).Set(float64(u.After))
			if u.Limit > 0 {
				limit.WithLabelValues(c.Name, u.What).Set(float64(u.Limit))
			}
		}
		if c.Verification == nil {
			continue
		}
		age := int64(0)
		for _, g := range c.Verification.Gaps {
			age = max(age, g.AgeSeconds)
		}
		gaps.WithLabelValues(c.Name).Set(float64(len(c.Verification.Gaps)))
		oldest.WithLabelValues(c.Name).Set(float64(age))
	}
	if err := prometheus.WriteToTextfile(path, reg); err != nil {
		return withHint(fmt.Errorf("writing the metrics: %w", err), "name a file in a folder that may be written in metrics, or take the key out")
	}
	return nil
}
