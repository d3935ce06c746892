package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"fwsync/ledger"
	"fwsync/policies"
	"fwsync/sync/reconcile"
)

// rollbackAnswer is what rollback prints.
type rollbackAnswer struct {
	Schema  string            `json:"schema"`
	To      time.Time         `json:"to"`
	Changes []ledger.Decision `json:"changes"`
	Report  reconcile.Report  `json:"report"`
}

func newRollback(g *global) *cobra.Command {
	var flags limitFlags
	var yes bool
	cmd := &cobra.Command{
		Use:   "rollback TO",
		Short: "bring the decisions back to what they were then, and the clouds to what follows",
		Long: `TO is the id of an applied plan (its first letters do): the state right after it; or a
time, as 2026-03-02T12:00:00Z, or as 2h for two hours ago.

What was decided since is revoked; what was taken back since and has not ended holds
again. The plan that follows goes through all gates and is shown first. It is refused
where the policy files have changed since: they are not in the ledger. What other
people have changed in the cloud meanwhile is theirs and stays.

Exit codes: 0 done, 3 refused, 4 something is not enforced.`,
		Example: `  fwsync rollback 2h
  fwsync rollback 5b1e77aa0c2d --yes`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOutput(g); err != nil {
				return err
			}
			w, err := open(cmd.Context(), g, true)
			if err != nil {
				return err
			}
			defer w.close()
			w.protection = !flags.sickProtection
			to, err := timeOf(cmd, w, args[0])
			if err != nil {
				return err
			}
			defer announceStop(cmd.Context(), cmd.ErrOrStderr())()
			controller, err := w.controller(flags.limits(w.config.Limits))
			if err != nil {
				return err
			}
			controller.Command, controller.Progress = "rollback", progress()
			if !yes {
				controller.Approve = func(r reconcile.Report) (bool, error) { return ask(cmd, r) }
			}
			report, changes, err := controller.Rollback(cmd.Context(), to)
			if report.Schema == "" {
				return refusedRollback(err)
			}
			value := rollbackAnswer{"fwsync.rollback/v1", to, changes, report}
			if changes == nil {
				value.Changes = []ledger.Decision{}
			}
			if printErr := answer(cmd, g, value, func(s *screen) { renderRollback(s, value) }); printErr != nil {
				return printErr
			}
			if err != nil {
				return err
			}
			return ending(report)
		},
	}
	flags.register(cmd)
	cmd.Flags().BoolVar(&yes, "yes", false, "do it without asking")
	return cmd
}

// refusedRollback gives a refusal its exit code.
func refusedRollback(err error) error {
	if changed, ok := errors.AsType[*reconcile.PoliciesChangedError](err); ok {
		return &outcome{exitRefused, changed.Error(), changed.Hint()}
	}
	if errors.Is(err, reconcile.ErrNoPlan) {
		return withHint(err, "fwsync history --kind plans lists what was applied")
	}
	return err
}

// timeOf reads TO.
func timeOf(cmd *cobra.Command, w *work, text string) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at.UTC(), nil
	}
	if ago, err := policies.ParseDuration(text); err == nil && ago > 0 {
		return time.Now().Add(-ago).UTC(), nil
	}
	at, err := reconcile.When(cmd.Context(), w.store, text)
	if err != nil {
		return at, withHint(err, "TO is a plan's id (fwsync history --kind plans), a time such as 2026-03-02T12:00:00Z, or 2h")
	}
	return at, nil
}

func renderRollback(s *screen, value rollbackAnswer) {
	s.line("back to %s: %s", stampOf(value.To), plural(len(value.Changes), "decision"))
	for _, d := range value.Changes[:min(len(value.Changes), mostRows)] {
		if d.RevokedAt.IsZero() {
			s.line("  again    %s %s %s", d.Verdict, d.Prefix, until(d.End))
		} else {
			s.line("  revoked  %s %s", d.Verdict, d.Prefix)
		}
	}
	if more := len(value.Changes) - mostRows; more > 0 {
		s.line("  and %d more (-o json lists them all)", more)
	}
	for _, c := range value.Report.Each() {
		renderCloud(s, value.Report, c)
	}
}
