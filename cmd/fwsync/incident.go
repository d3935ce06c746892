package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fwsync/policies"
	"fwsync/sync/reconcile"
)

func newIncident(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "incident",
		Short: "lay a prepared overlay of rules over the policies for a time, and take it back exactly",
		Long: `Incidents are declared in the policies, in peace time: rules that stand above all
others while the incident lasts. A person starts one with an end and a reason. Its
start changes nothing but what the incident is about, reads no log and needs no
detection; every reconcile keeps its rules in place until the end and takes them away
then. Where the border knows end times the rules bear one, so that they lapse even if
fwsync, its host and its ledger are gone: at the half hour that is not before the end.`,
		Example: `  fwsync incident list
  fwsync incident start smtp-storm --for 2h --reason "427 sources, see ticket 4711"
  fwsync incident status
  fwsync incident undo smtp-storm`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			var names []string
			for _, c := range cmd.Commands() {
				names = append(names, c.Name())
			}
			err := errors.New("unknown command " + quote("incident "+args[0]))
			if near := nearest(args[0], names); near != "" {
				return withHint(err, "did you mean fwsync incident %s?", near)
			}
			return withHint(err, "it is one of %s", strings.Join(names, ", "))
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newIncidentStart(g), newIncidentList(g), newIncidentStatus(g), newIncidentExtend(g), newIncidentStop(g), newIncidentUndo(g), newIncidentBundle(g))
	return cmd
}

// incidentFlags are those of the commands that change something.
type incidentFlags struct {
	limitFlags
	yes    bool
	bundle string
}

func (f *incidentFlags) register(cmd *cobra.Command) {
	f.limitFlags.register(cmd)
	cmd.Flags().BoolVar(&f.yes, "yes", false, "go on without asking")
}

// change runs a command that changes the clouds, and concludes it.
func (f *incidentFlags) change(cmd *cobra.Command, g *global, do func(context.Context, *reconcile.Controller) (reconcile.IncidentReport, error)) error {
	if err := checkOutput(g); err != nil {
		return err
	}
	w, err := openIncidents(cmd, g, f.bundle, true)
	if err != nil {
		return err
	}
	defer w.close()
	w.protection = !f.sickProtection
	defer announceStop(cmd.Context(), cmd.ErrOrStderr())()
	controller, err := w.controller(f.limits(w.config.Limits))
	if err != nil {
		return err
	}
	controller.Progress = progress()
	if !f.yes {
		controller.Approve = func(r reconcile.Report) (bool, error) {
			return agree(cmd, r.Command+": make "+plural(r.Summary.Steps, "step")+"?", func(s *screen) {
				renderPlans(s, r)
				renderETA(s, r)
			}, withHint(fmt.Errorf("%s asks before the first change, and there is no terminal to ask on", r.Command), "pass --yes to go on without asking"))
		}
	}
	report, err := do(cmd.Context(), controller)
	tellRun(cmd.Context(), w.config) // its next pass tells the chats
	return concludeIncident(cmd, g, report, err)
}

// concludeIncident prints what a command got to and chooses how it ends.
func concludeIncident(cmd *cobra.Command, g *global, report reconcile.IncidentReport, err error) error {
	if report.Schema == "" {
		return err
	}
	if printErr := answer(cmd, g, report, func(s *screen) { renderIncidents(s, report) }); printErr != nil {
		return printErr
	}
	if err != nil {
		return err
	}
	if report.Report != nil {
		return ending(*report.Report)
	}
	for _, i := range report.Incidents {
		if len(i.Gaps) > 0 {
			return gapped(i.Gaps)
		}
	}
	return nil
}

// length reads how long an incident lasts.
func length(text string) (time.Duration, error) {
	d, err := policies.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, withHint(fmt.Errorf("--for %q is not a time to come", text), "write 30m, 2h or 1d")
	}
	return d, nil
}

func newIncidentStart(g *global) *cobra.Command {
	var flags incidentFlags
	var start reconcile.IncidentStart
	var duration string
	cmd := &cobra.Command{
		Use:   "start NAME",
		Short: "put the incident's rules above all others, until an end",
		Long: `Shows what would be changed and how long it takes, asks, applies and reads it back.
Only the incident's rules and the books they name are put in place; whatever else is
pending waits for the next reconcile. All gates are asked.

Exit codes: 0 its rules are enforced, 1 error, 3 refused by a gate, 4 a rule of it is
not enforced, 6 another fwsync is at work.`,
		Example: `  fwsync incident start smtp-storm --for 2h --reason "427 sources, see ticket 4711"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if start.For, err = length(duration); err != nil {
				return err
			}
			if start.Name = args[0]; strings.TrimSpace(start.Reason) == "" {
				return withHint(errors.New("an incident needs a --reason, for the record"), `write --reason "…": a ticket, or what you see`)
			}
			return flags.change(cmd, g, func(ctx context.Context, c *reconcile.Controller) (reconcile.IncidentReport, error) {
				return c.StartIncident(ctx, start)
			})
		},
	}
	flags.register(cmd)
	registerBundle(cmd, &flags.bundle)
	cmd.Flags().StringVar(&duration, "for", "", "how `long`, such as 30m, 2h, 1d")
	cmd.Flags().StringVar(&start.Reason, "reason", "", "why, for the record")
	cmd.Flags().BoolVar(&start.Permanent, "without-end-time", false, "give the rules no end of their own at the firewall")
	return cmd
}

func newIncidentExtend(g *global) *cobra.Command {
	var flags incidentFlags
	var duration string
	cmd := &cobra.Command{
		Use:     "extend NAME",
		Short:   "give a running incident a later end, counted from now",
		Example: `  fwsync incident extend smtp-storm --for 4h`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			d, err := length(duration)
			if err != nil {
				return err
			}
			return flags.change(cmd, g, func(ctx context.Context, c *reconcile.Controller) (reconcile.IncidentReport, error) {
				return c.ExtendIncident(ctx, args[0], d)
			})
		},
	}
	flags.register(cmd)
	registerBundle(cmd, &flags.bundle)
	cmd.Flags().StringVar(&duration, "for", "", "how `long` from now, such as 30m, 2h, 1d")
	return cmd
}

func newIncidentStop(g *global) *cobra.Command {
	var flags incidentFlags
	cmd := &cobra.Command{
		Use:   "stop NAME",
		Short: "end an incident before its time, and bring the cloud to what the policies say",
		Long: `Ends the incident and does what reconcile does without its sources: the incident's
rules go, and whatever else is pending is done too. What others have put there stays.
To take back just what the start changed: fwsync incident undo.`,
		Example: `  fwsync incident stop smtp-storm`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return flags.change(cmd, g, func(ctx context.Context, c *reconcile.Controller) (reconcile.IncidentReport, error) {
				return c.StopIncident(ctx, args[0])
			})
		},
	}
	flags.register(cmd)
	return cmd
}

func newIncidentUndo(g *global) *cobra.Command {
	var flags incidentFlags
	cmd := &cobra.Command{
		Use:   "undo NAME",
		Short: "take back exactly what an incident changed, or say who has changed it since",
		Long: `Takes away the rules and books that the incident put into the cloud and changes
nothing else: the cloud is as it was before the start, but for what others have done
since. If one of them is not as the incident left it, nothing is done: the refusal
names it, how it was changed, and whether fwsync did that.

Exit codes: 0 all is as before, 1 error, 3 refused: something was changed since, 6
another fwsync is at work.`,
		Example: `  fwsync incident undo smtp-storm`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return flags.change(cmd, g, func(ctx context.Context, c *reconcile.Controller) (reconcile.IncidentReport, error) {
				return c.UndoIncident(ctx, args[0])
			})
		},
	}
	flags.register(cmd)
	registerBundle(cmd, &flags.bundle)
	return cmd
}

func newIncidentList(g *global) *cobra.Command {
	var bundle string
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "list the incidents that are declared, and those that were started",
		Example: `  fwsync incident list`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return lookAtIncidents(cmd, g, bundle, func(ctx context.Context, l *reconcile.Look) (reconcile.IncidentReport, error) {
				return l.Incidents(ctx)
			})
		},
	}
	registerBundle(cmd, &bundle)
	return cmd
}

func newIncidentStatus(g *global) *cobra.Command {
	var bundle string
	cmd := &cobra.Command{
		Use:   "status [NAME]",
		Short: "show what the running incidents put into the cloud, and what has become of it",
		Long: `Of the running incidents, or the newest of a name, whether it runs or not: its end,
each rule and book that it put into the cloud, whether that is live, changed, lapsed or
gone, and what of its rules is not enforced.

Exit codes: 0 all that must be enforced is, 4 a rule of a running incident is not.`,
		Example: `  fwsync incident status
  fwsync incident status smtp-storm -o json | jq '.incidents[0].objects'`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			name := strings.Join(args, "")
			return lookAtIncidents(cmd, g, bundle, func(ctx context.Context, l *reconcile.Look) (reconcile.IncidentReport, error) {
				return l.IncidentStatus(ctx, name)
			})
		},
	}
	registerBundle(cmd, &bundle)
	return cmd
}

// lookAtIncidents runs a command that changes nothing.
func lookAtIncidents(cmd *cobra.Command, g *global, bundle string, look func(context.Context, *reconcile.Look) (reconcile.IncidentReport, error)) error {
	if err := checkOutput(g); err != nil {
		return err
	}
	w, err := openIncidents(cmd, g, bundle, false)
	if err != nil {
		return err
	}
	defer w.close()
	l, err := w.look((&limitFlags{}).limits(w.config.Limits))
	if err != nil {
		return err
	}
	report, err := look(cmd.Context(), &l)
	if _, refused := errors.AsType[*reconcile.IncidentError](err); refused {
		return err
	}
	return concludeIncident(cmd, g, report, err)
}
