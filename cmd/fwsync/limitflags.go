package main

import (
	"github.com/spf13/cobra"

	"fwsync/sync/gates"
)

// limitFlags are a person's overrides of the gates for one run.
type limitFlags struct {
	newBlocks, removedBlocks, deletedRules int
	widestIPv4, widestIPv6                 int
	operatorCut                            bool
}

func (f *limitFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.IntVar(&f.newBlocks, "max-new-blocks", 0, "newly block up to this `number` of addresses")
	flags.IntVar(&f.removedBlocks, "max-removed-blocks", 0, "stop blocking up to this `number` whose decisions have not ended")
	flags.IntVar(&f.deletedRules, "max-deleted-rules", 0, "delete up to this `number` of our rules")
	flags.IntVar(&f.widestIPv4, "widest-ipv4", 0, "shortest IPv4 prefix `length` that may be blocked")
	flags.IntVar(&f.widestIPv6, "widest-ipv6", 0, "shortest IPv6 prefix `length` that may be blocked")
	flags.BoolVar(&f.operatorCut, "allow-operator-cut", false, "allow rules that cut the SSH connection this command came from")
}

// limits puts the flags over the configuration over the defaults.
func (f *limitFlags) limits(c LimitsConfig) gates.Limits {
	l := gates.DefaultLimits()
	for _, configured := range []struct {
		budget *gates.Budget
		count  int
	}{{&l.NewBlocks, c.NewBlocks}, {&l.RemovedBlocks, c.RemovedBlocks}, {&l.DeletedRules, c.DeletedRules}} {
		if configured.count > 0 {
			configured.budget.Count = configured.count
			configured.budget.Floor = min(configured.budget.Floor, configured.count)
		}
	}
	l.NewBlocks = l.NewBlocks.Widened(f.newBlocks)
	l.RemovedBlocks = l.RemovedBlocks.Widened(f.removedBlocks)
	l.DeletedRules = l.DeletedRules.Widened(f.deletedRules)
	for _, width := range []int{c.WidestIPv4, f.widestIPv4} {
		if width > 0 {
			l.WidestIPv4 = width
		}
	}
	for _, width := range []int{c.WidestIPv6, f.widestIPv6} {
		if width > 0 {
			l.WidestIPv6 = width
		}
	}
	l.OperatorCut = f.operatorCut
	return l
}
