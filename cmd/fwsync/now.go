package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"fwsync/sync/reconcile"
)

// enforceNow does after a decision was stored what reconcile does, without its sources:
// through the same gates, with everything else that is pending.
func enforceNow(cmd *cobra.Command, g *global, value decisionAnswer) error {
	report, err := enforceOnce(cmd, g, value.Command+" --now")
	if leaseHeld(err) {
		err = withHint(err, "the decision is stored: whoever is at work enforces it next, or fwsync reconcile does")
	}
	if report.Schema == "" {
		if printErr := answer(cmd, g, value, func(s *screen) { renderDecisions(s, value) }); printErr != nil {
			return printErr
		}
		return err
	}
	value.Report = &report
	printErr := answer(cmd, g, value, func(s *screen) {
		renderDecisions(s, value)
		for _, c := range report.Each() {
			renderCloud(s, report, c)
		}
		renderLapses(s, value, report)
		renderETA(s, report)
	})
	if printErr != nil || err != nil {
		return errors.Join(printErr, err)
	}
	return ending(report)
}

func enforceOnce(cmd *cobra.Command, g *global, command string) (reconcile.Report, error) {
	w, err := open(cmd.Context(), g, true)
	if err != nil {
		return reconcile.Report{}, err
	}
	defer w.close()
	w.protection = true
	started := time.Now()
	defer announceStop(cmd.Context(), cmd.ErrOrStderr())()
	controller, err := w.controller((&limitFlags{}).limits(w.config.Limits))
	if err != nil {
		return reconcile.Report{}, fmt.Errorf("the decision is stored and not enforced: %w", err)
	}
	controller.Command, controller.Progress = command, progress()
	report, err := controller.Enforce(cmd.Context(), reconcile.Gathered{})
	return report, errors.Join(err, w.keepMetrics(report, err, time.Since(started)))
}
