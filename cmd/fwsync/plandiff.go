package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"fwsync/sync/reconcile"
)

// staleAnswer is what apply FILE prints of a file that does not fit, for programs.
type staleAnswer struct {
	Schema string `json:"schema"`
	*reconcile.Stale
	Hint string `json:"hint"`
}

const staleSchema = "fwsync.stale/v1"

// told adds to the error of a plan file that does not fit what moved since: on
// stderr for people, whole on stdout for programs. Other errors stay as they are.
func told(cmd *cobra.Command, g *global, err error) error {
	stale, ok := errors.AsType[*reconcile.Stale](err)
	if !ok {
		return err
	}
	if g.output != "table" {
		if printErr := answer(cmd, g, staleAnswer{staleSchema, stale, stale.Hint()}, nil); printErr != nil {
			return printErr
		}
	}
	lines := stale.Moved[:min(len(stale.Moved), mostRows)]
	if more := len(stale.Moved) - len(lines); more > 0 {
		lines = append(lines[:len(lines):len(lines)], "and "+plural(more, "more difference")+" (-o json lists them all)")
	}
	text := err.Error()
	for _, line := range lines {
		text += "\n  " + line
	}
	return withHint(errors.New(strings.TrimSpace(text)), "%s", stale.Hint())
}
