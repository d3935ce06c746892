package main

import (
	"errors"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"fwsync/cloudfw"
	"fwsync/sync/gates"
	"fwsync/sync/reconcile"
	"fwsync/sync/verify"
)

func newReconcile(g *global) *cobra.Command {
	var flags limitFlags
	var allFeeds bool
	var accepted []string
	cmd := &cobra.Command{
		Use:   "reconcile",
		Short: "the scheduled job, once: read the logs, decide, plan, check, apply, verify",
		Long: `Reads every source from where the last run stopped, turns attacks into decisions,
merges them with the policies, plans the way from the live state, lets the gates
refuse what must not happen, applies the rest step by step and reads it all back.

Exit codes: 0 all is enforced, 1 error, 3 refused by a gate, 4 something is not
enforced, 5 a source is sick (the rest is done), 6 another fwsync is at work.`,
		Example: `  fwsync reconcile
  fwsync reconcile -o json | jq .summary
  fwsync reconcile --max-new-blocks 3000      after a look at fwsync plan`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkOutput(g); err != nil {
				return err
			}
			ctx := inRun(cmd.Context())
			w, err := open(ctx, g, true)
			if err != nil {
				return err
			}
			defer w.close()
			started := time.Now()
			w.protection = !flags.sickProtection
			defer announceStop(ctx, cmd.ErrOrStderr())()
			controller, err := w.controller(flags.limits(w.config.Limits))
			if err != nil {
				return err
			}
			if err := knownFeeds(controller.Feeds, accepted); err != nil {
				return err
			}
			controller.Progress, controller.AllFeeds, controller.AcceptFeeds = progress(), allFeeds, accepted
			report, err := controller.RunOnce(ctx)
			if err == nil {
				w.compact(ctx, w.policy)
			}
			defer tell(cmd, w.config, report)
			if g.verbose {
				tellPass(ctx, slog.Default(), report, err, []string{"asked"}, time.Since(started))
			}
			return conclude(cmd, g, report, errors.Join(err, w.keepMetrics(report, err, time.Since(started))))
		},
	}
	flags.register(cmd)
	cmd.Flags().BoolVar(&allFeeds, "all-feeds", false, "read every feed, whether or not it is due")
	cmd.Flags().StringSliceVar(&accepted, "accept-feed", nil, "read the `FEED` and believe it, however much of it has come or gone")
	return cmd
}

// conclude prints what a run got to and chooses how it ends.
func conclude(cmd *cobra.Command, g *global, report reconcile.Report, err error) error {
	if report.Schema == "" {
		return err
	}
	if printErr := answer(cmd, g, report, func(s *screen) { renderReport(s, report) }); printErr != nil {
		return printErr
	}
	if err != nil {
		return err
	}
	return ending(report)
}

// ending is the outcome of a report without an error.
func ending(r reconcile.Report) error {
	var refusals []gates.Refusal
	var gaps []verify.Gap
	for _, c := range r.Each() {
		refusals = append(refusals, c.Refusals...)
		if c.Verification != nil {
			gaps = append(gaps, c.Verification.Gaps...)
		}
	}
	switch sick := r.Sick(); {
	case len(refusals) > 0:
		var hints []string
		for _, refusal := range refusals {
			hints = append(hints, refusal.Hint)
		}
		return &outcome{exitRefused, "the plan was refused by " + plural(len(refusals), "gate") + ": " + refusals[0].Message, strings.Join(hints, "\n      ")}
	case len(gaps) > 0:
		return gapped(gaps)
	case len(sick) > 0:
		return &outcome{exitSick, "a source is sick: " + strings.Join(sick, "; "), "what the other sources say is enforced; no block was taken back because of it"}
	}
	return nil
}

// progress is a bar on stderr while a plan is applied, on a terminal only.
func progress() func(done, of int, next cloudfw.Step) {
	if !term.IsTerminal(int(os.Stderr.Fd())) {
		return nil
	}
	var bar *progressbar.ProgressBar
	return func(done, of int, next cloudfw.Step) {
		if bar == nil {
			bar = progressbar.NewOptions(of, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(24))
		}
		bar.Describe(string(next.Op))
		_ = bar.Set(done)
		if done == of-1 {
			_ = bar.Finish()
		}
	}
}
