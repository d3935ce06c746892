package main

import (
	"errors"
	"fmt"
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
	Notes   []string          `json:"notes"` // what is not as it was then, and stays so
	Report  reconcile.Report  `json:"report"`
}

func answerOf(back reconcile.Rollback, report reconcile.Report) rollbackAnswer {
	value := rollbackAnswer{"fwsync.rollback/v1", back.To, back.Changes, back.Notes, report}
	if value.Changes == nil {
		value.Changes = []ledger.Decision{}
	}
	if value.Notes == nil {
		value.Notes = []string{}
	}
	return value
}

func newRollback(g *global) *cobra.Command {
	var flags limitFlags
	var yes, before bool
	var out string
	cmd := &cobra.Command{
		Use:   "rollback TO",
		Short: "bring the decisions back to what they were then, and the clouds to what follows",
		Long: `TO is the id of an applied plan (its first letters do): the state right after it, or with
--before right after the plan before it; or a time, as 2026-03-02T12:00:00Z, or as 2h
for two hours ago.

What was decided since is revoked; what was taken back since and has not ended holds
again. The plan that follows goes through all gates and is shown first; --out saves it
for fwsync apply FILE instead. It is refused where the policy files have changed since:
they are not in the ledger. What other people have changed in the cloud meanwhile is
theirs and stays.

Exit codes: 0 done, 2 saved and changes pending, 3 refused, 4 something is not enforced.`,
		Example: `  fwsync rollback 2h
  fwsync rollback 5b1e77aa0c2d --before --out back.plan && fwsync apply back.plan`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOutput(g); err != nil {
				return err
			}
			if err := checkOut(cmd, out); err != nil {
				return err
			}
			if out != "" && yes {
				return withHint(errors.New("--out saves the plan, --yes applies it"), "fwsync apply FILE applies what was saved")
			}
			ctx := inRun(cmd.Context())
			w, err := open(ctx, g, out == "")
			if err != nil {
				return err
			}
			defer w.close()
			started := time.Now()
			w.protection = !flags.sickProtection
			limits := flags.limits(w.config.Limits)
			look, err := w.look(limits)
			if err != nil {
				return err
			}
			to, err := timeOf(cmd, look, args[0], before)
			if err != nil {
				return refusedRollback(err)
			}
			back, err := look.LookBack(ctx, to, author())
			if err != nil {
				return refusedRollback(err)
			}
			if out != "" {
				report, err := look.PreviewRollback(ctx, back)
				if err != nil {
					return err
				}
				file, err := look.RollbackFile(ctx, report, back)
				if err != nil {
					return err
				}
				if err := savePlan(out, file); err != nil {
					return err
				}
				if err := concludeRollback(cmd, g, answerOf(back, report)); err != nil {
					return err
				}
				if report.Changes() || len(back.Changes) > 0 {
					return &outcome{code: exitPending}
				}
				return nil
			}
			defer announceStop(ctx, cmd.ErrOrStderr())()
			controller, err := w.controller(limits)
			if err != nil {
				return err
			}
			controller.Progress = progress()
			if !yes {
				controller.Approve = func(r reconcile.Report) (bool, error) {
					return agree(cmd, fmt.Sprintf("change %s and make %s?", plural(len(back.Changes), "decision"), plural(r.Summary.Steps, "step")),
						func(s *screen) { renderRollback(s, answerOf(back, r)) },
						withHint(errors.New("rollback asks before the first change, and there is no terminal to ask on"), "review with --out FILE and apply that, or pass --yes"))
				}
			}
			report, err := controller.Rollback(ctx, back)
			err = errors.Join(err, w.keepMetrics(report, err, time.Since(started)))
			if report.Schema == "" {
				return err
			}
			if err != nil {
				return errors.Join(answer(cmd, g, answerOf(back, report), func(s *screen) { renderRollback(s, answerOf(back, report)) }), err)
			}
			return concludeRollback(cmd, g, answerOf(back, report))
		},
	}
	flags.register(cmd)
	cmd.Flags().BoolVar(&yes, "yes", false, "do it without asking")
	cmd.Flags().BoolVar(&before, "before", false, "to right before the plan instead")
	cmd.Flags().StringVar(&out, "out", "", "save the plan to this `file` for fwsync apply")
	return cmd
}

// concludeRollback prints the answer and chooses how the command ends.
func concludeRollback(cmd *cobra.Command, g *global, value rollbackAnswer) error {
	if err := answer(cmd, g, value, func(s *screen) { renderRollback(s, value) }); err != nil {
		return err
	}
	return ending(value.Report)
}

// refusedRollback gives a refusal its exit code.
func refusedRollback(err error) error {
	if changed, ok := errors.AsType[*reconcile.ChangedPolicies](err); ok {
		return &outcome{exitRefused, changed.Error(), changed.Hint()}
	}
	if errors.Is(err, reconcile.ErrNoPlan) {
		return withHint(err, "fwsync history --kind plans lists what was applied")
	}
	return err
}

// timeOf reads TO.
func timeOf(cmd *cobra.Command, look reconcile.Look, text string, before bool) (time.Time, error) {
	find := look.After
	if before {
		find = look.Before
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		if ago, wrong := policies.ParseDuration(text); wrong == nil && ago > 0 {
			at, err = time.Now().Add(-ago), nil
		}
	}
	if err == nil && before {
		return at, withHint(errors.New("--before goes with a plan's id, not with a time"), "fwsync history --kind plans lists them")
	}
	if err == nil {
		return at.UTC(), nil
	}
	at, err = find(cmd.Context(), text)
	if err != nil && !errors.Is(err, reconcile.ErrNoPlan) {
		return at, withHint(err, "TO is a plan's id (fwsync history --kind plans), a time such as 2026-03-02T12:00:00Z, or 2h")
	}
	return at, err
}

func renderRollback(s *screen, value rollbackAnswer) {
	s.line("back to %s: %s", stampOf(value.To), plural(len(value.Changes), "decision"))
	for _, d := range value.Changes[:min(len(value.Changes), mostRows)] {
		if d.RevokedAt.IsZero() {
			s.line("  again    %s %s %s", d.Verdict, d.Prefix, until(d.End))
		} else {
			s.line("  revoked  %s %s (by %s: %s)", d.Verdict, d.Prefix, d.Author, d.Reason)
		}
	}
	if more := len(value.Changes) - mostRows; more > 0 {
		s.line("  and %d more (-o json lists them all)", more)
	}
	for _, note := range value.Notes {
		s.line("note: %s", note)
	}
	for _, c := range value.Report.Each() {
		renderCloud(s, value.Report, c)
	}
}
