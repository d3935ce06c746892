package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"fwsync/ledger"
	"fwsync/sync/reconcile"
)

// enforceNow does after decisions were stored what they demand, and leaves everything else
// as it is: without the sources, through the same gates. Pending steps about rules cannot
// be left out; it asks before it makes them.
func enforceNow(cmd *cobra.Command, g *global, value decisionAnswer, yes bool) error {
	report, err := enforceOnce(cmd, g, value.Command+" --now", value.Decisions, yes)
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

func enforceOnce(cmd *cobra.Command, g *global, command string, just []ledger.Decision, yes bool) (reconcile.Report, error) {
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
	controller.Command, controller.Progress, controller.Just = command, progress(), just
	if !yes {
		controller.Approve = func(r reconcile.Report) (bool, error) { return askBeside(cmd, r) }
	}
	report, err := controller.Enforce(cmd.Context(), reconcile.Gathered{})
	return report, errors.Join(err, w.keepMetrics(report, err, time.Since(started)))
}

// askBeside asks only if there are steps that are not about what was decided.
func askBeside(cmd *cobra.Command, r reconcile.Report) (bool, error) {
	n := r.Beside()
	if n == 0 {
		return true, nil
	}
	pending := plural(n, "pending step") + " about rules or books cannot be left out"
	return agree(cmd, pending+": make "+plural(r.Summary.Steps, "step")+"?", func(s *screen) { renderPlans(s, r) },
		withHint(fmt.Errorf("the decision is stored and not enforced: %s, and there is no terminal to ask on", pending), "fwsync plan shows them; pass --yes to make them too, or run fwsync reconcile"))
}
