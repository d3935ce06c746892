package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"fwsync/sync/reconcile"
)

func newApply(g *global) *cobra.Command {
	var flags limitFlags
	var yes bool
	cmd := &cobra.Command{
		Use:   "apply [FILE]",
		Short: "apply a reviewed plan file, or plan now and apply after a yes",
		Long: `With FILE, executes exactly the plan that fwsync plan --out saved, or nothing: when
the policies, the decisions or anything in the cloud has changed since, when it has
expired or was applied before, it refuses and says why.

Without FILE it does what reconcile does, but shows the plan and asks before the
first change. --yes answers for you; without a terminal it is required.`,
		Example: `  fwsync apply change.plan
  fwsync apply
  fwsync apply --yes`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOutput(g); err != nil {
				return err
			}
			var file *reconcile.PlanFile
			if len(args) == 1 {
				opened, err := os.Open(args[0])
				if err != nil {
					return withHint(fmt.Errorf("reading the plan: %w", err), "save one with: fwsync plan --out FILE")
				}
				defer opened.Close()
				read, err := reconcile.ReadPlanFile(opened)
				if err != nil {
					return fmt.Errorf("reading the plan %q: %w", args[0], err)
				}
				file = &read
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
			controller.Command, controller.Progress = "apply", progress()
			if file != nil {
				report, err := controller.ApplyFile(ctx, *file)
				return conclude(cmd, g, report, errors.Join(told(cmd, g, err), w.keepMetrics(report, err, time.Since(started))))
			}
			if !yes {
				controller.Approve = func(r reconcile.Report) (bool, error) { return ask(cmd, r) }
			}
			report, err := controller.RunOnce(ctx)
			return conclude(cmd, g, report, errors.Join(err, w.keepMetrics(report, err, time.Since(started))))
		},
	}
	flags.register(cmd)
	cmd.Flags().BoolVar(&yes, "yes", false, "apply without asking")
	return cmd
}

// ask shows the plan on stderr and waits for a yes from the terminal.
func ask(cmd *cobra.Command, r reconcile.Report) (bool, error) {
	return agree(cmd, "apply "+plural(r.Summary.Steps, "step")+"?", func(s *screen) { renderPlans(s, r) },
		withHint(errors.New("apply without a plan file asks before the first change, and there is no terminal to ask on"), "review with fwsync plan --out FILE and apply that, or pass --yes"))
}

// agree shows what is to be done on stderr and waits for a yes from the terminal;
// alone is the error where there is none.
func agree(cmd *cobra.Command, question string, show func(*screen), alone error) (bool, error) {
	in, ok := cmd.InOrStdin().(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return false, alone
	}
	s := newScreen(cmd.ErrOrStderr())
	show(s)
	s.line("")
	if err := s.flush(); err != nil {
		return false, err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s [y/N] ", question)
	text, err := bufio.NewReader(in).ReadString('\n')
	if err != nil {
		return false, fmt.Errorf("reading the answer: %w", err)
	}
	text = strings.ToLower(strings.TrimSpace(text))
	return text == "y" || text == "yes", nil
}
