package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"fwsync/ledger"
	"fwsync/sync/reconcile"
)

func newPlan(g *global) *cobra.Command {
	var flags limitFlags
	var out string
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "show what reconcile would do, and change nothing",
		Long: `Does everything that reconcile does up to the first change: reads the sources
without moving on, decides without storing, plans and asks the gates. It is built
against an interface that cannot write to the cloud.

With --out the plan is saved for fwsync apply FILE, which executes exactly that or
nothing: the file is bound to the account, the owner, the policies, the decisions
and every object read, lasts 30 minutes and is used once.

Exit codes: 0 nothing to do, 2 changes pending, 3 a gate would refuse.`,
		Example: `  fwsync plan
  fwsync plan --out change.plan && fwsync apply change.plan
  fwsync plan -o json | jq '.plan.steps[].op'`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkOutput(g); err != nil {
				return err
			}
			if err := checkOut(cmd, out); err != nil {
				return err
			}
			w, err := open(cmd.Context(), g, false)
			if err != nil {
				return err
			}
			defer w.close()
			w.protection = !flags.sickProtection
			look, err := w.look(flags.limits(w.config.Limits))
			if err != nil {
				return err
			}
			report, fresh, err := look.Preview(cmd.Context())
			return previewed(cmd, g, w, look, report, fresh, err, out)
		},
	}
	flags.register(cmd)
	cmd.Flags().StringVar(&out, "out", "", "save the plan to this `file` for fwsync apply")
	return cmd
}

// checkOut refuses --out without a file.
func checkOut(cmd *cobra.Command, out string) error {
	if out == "" && cmd.Flags().Changed("out") {
		return withHint(errors.New("--out names no file"), "name the file that fwsync apply shall read")
	}
	return nil
}

// previewed saves a plan, if it is for all clouds and a file was named, prints it and
// chooses how the command ends.
func previewed(cmd *cobra.Command, g *global, w *work, look reconcile.Look, report reconcile.Report, fresh []ledger.Decision, err error, out string) error {
	if err != nil {
		if len(w.clouds) == 1 {
			return err
		}
		return conclude(cmd, g, report, err) // a plan file is for all clouds or none
	}
	if out != "" {
		file, err := look.File(cmd.Context(), report, fresh)
		if err != nil {
			return err
		}
		if err := savePlan(out, file); err != nil {
			return err
		}
	}
	if err := conclude(cmd, g, report, nil); err != nil {
		return err
	}
	if report.Changes() {
		return &outcome{code: exitPending}
	}
	return nil
}

// savePlan writes the file whole or not at all, readable by its owner only: it
// names attackers and rules.
func savePlan(path string, file reconcile.PlanFile) error {
	temp, err := os.CreateTemp(filepath.Dir(path), ".plan-*")
	if err != nil {
		return unsaved(path, err)
	}
	defer os.Remove(temp.Name())
	if err := file.Write(temp); err != nil {
		return unsaved(path, err)
	}
	if err := temp.Close(); err != nil {
		return unsaved(path, err)
	}
	if err := os.Rename(temp.Name(), path); err != nil {
		return unsaved(path, err)
	}
	return nil
}

// unsaved is the error of a file that could not be written, by its name: on the way it has
// another one.
func unsaved(path string, err error) error {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		err = at.Err
	}
	return withHint(fmt.Errorf("saving the plan %q: %w", path, err), "--out names a file in a folder that there is and that you may write to")
}
