package main

import (
	"errors"

	"github.com/spf13/cobra"

	"fwsync/sync/plan"
)

func newAdopt(g *global) *cobra.Command {
	cmd := newTakeover(g, plan.Adopt)
	cmd.Use = "adopt [ID…]"
	cmd.Short = "plan to take over what is, but for its description, what fwsync wants"
	cmd.Long = `Finds objects of other people that are what fwsync wants and does not have: rules
with the same content, address books and prefix lists with the very name. The plan
writes fwsync's mark into their descriptions and changes nothing else; what a book
holds is the next reconcile's business. What nearly fits is listed with what differs.
What bears the mark of another owner is never taken over.

With IDs, or names of books and lists, only those. Nothing is changed until the plan,
saved with --out, is applied with fwsync apply FILE.

Exit codes: 0 nothing to adopt, 2 changes pending, 3 a gate would refuse.`
	cmd.Example = `  fwsync adopt
  fwsync adopt blocked4-1 --out adopt.plan && fwsync apply adopt.plan`
	return cmd
}

func newRelease(g *global) *cobra.Command {
	var all bool
	cmd := newTakeover(g, plan.Release)
	cmd.Use = "release ID… | --all"
	cmd.Short = "plan to give up objects: they stay as they are and are fwsync's no more"
	cmd.Long = `The plan takes fwsync's mark out of the descriptions of its own rules, books and
lists and changes nothing else: what they drop and accept stays, and nobody looks
after it any more. What is still declared or blocked is made again by the next
reconcile; books and lists keep their names and are in its way until they are
renamed, deleted or adopted.

Nothing is changed until the plan, saved with --out, is applied with fwsync apply FILE.

Exit codes: 0 nothing to release, 2 changes pending, 3 a gate would refuse.`
	cmd.Example = `  fwsync release --all --out release.plan && fwsync apply release.plan
  fwsync release ac100000-0000-4000-8000-000000000001`
	cmd.Args = func(_ *cobra.Command, args []string) error {
		switch {
		case all && len(args) > 0:
			return errors.New("--all is everything: it goes without IDs")
		case !all && len(args) == 0:
			return errors.New("release needs the IDs of what to give up, or --all")
		}
		return nil
	}
	cmd.Flags().BoolVar(&all, "all", false, "release everything that is fwsync's")
	return cmd
}

// newTakeover is what the two have in common: they plan, print and save.
func newTakeover(g *global, kind plan.Kind) *cobra.Command {
	var flags limitFlags
	var out string
	cmd := &cobra.Command{
		RunE: func(cmd *cobra.Command, args []string) error {
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
			report, err := look.Takeover(cmd.Context(), kind, args)
			return previewed(cmd, g, w, look, report, nil, err, out)
		},
	}
	flags.register(cmd)
	cmd.Flags().StringVar(&out, "out", "", "save the plan to this `file` for fwsync apply")
	return cmd
}
