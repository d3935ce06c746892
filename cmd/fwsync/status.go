package main

import (
	"errors"

	"github.com/spf13/cobra"
)

func newStatus(g *global) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "compare what must be true with what is",
		Long: `Reads the ledger and the cloud, no log, and changes nothing: active blocks, what
enforces them, gaps, pending changes, capacity, how the feeds were when they were
read last, and what belongs to others.

Exit codes: 0 all is enforced, 4 something is not, 5 a feed is sick.`,
		Example: `  fwsync status
  fwsync status -o json | jq .verification.gaps`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkOutput(g); err != nil {
				return err
			}
			w, err := open(cmd.Context(), g, false)
			if err != nil {
				return err
			}
			defer w.close()
			look, err := w.look((&limitFlags{}).limits(w.config.Limits))
			if err != nil {
				return err
			}
			report, err := look.Standing(cmd.Context())
			if err != nil && len(w.clouds) == 1 {
				return err
			}
			if err := errors.Join(answer(cmd, g, report, func(s *screen) { renderStatus(s, report) }), err); err != nil {
				return err
			}
			for _, c := range report.Each() {
				c.Refusals = nil // of a plan that nobody asked to apply
			}
			return ending(report)
		},
	}
}
