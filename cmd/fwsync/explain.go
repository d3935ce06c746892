package main

import (
	"errors"

	"github.com/spf13/cobra"

	"fwsync/cloudfw"
)

func newExplain(g *global) *cobra.Command {
	return &cobra.Command{
		Use:   "explain ADDRESS",
		Short: "show who decided on an address, which live rule enforces it, and until when",
		Example: `  fwsync explain 198.51.100.7
  fwsync explain 2001:db8:bad::1 -o json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOutput(g); err != nil {
				return err
			}
			p, err := cloudfw.ParsePrefix(args[0])
			if err != nil {
				return withHint(err, "explain takes one address, such as 198.51.100.7")
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
			e, err := look.Explain(cmd.Context(), p.Addr())
			if err != nil && len(w.clouds) == 1 {
				return err
			}
			return errors.Join(answer(cmd, g, e, func(s *screen) { renderExplanation(s, e) }), err)
		},
	}
}
