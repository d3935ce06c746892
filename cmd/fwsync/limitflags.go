package main

import (
	"cmp"
	"fmt"

	"github.com/spf13/cobra"

	"fwsync/sync/gates"
)

// limitFlags are a person's overrides of the gates for one run.
type limitFlags struct {
	newBlocks, removedBlocks, deletedRules int
	widestIPv4, widestIPv6                 int
	operatorCut, dropEverything            bool
	unsafeMoment, sickProtection           bool

	given func(flag string) bool
}

func (f *limitFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	f.given = flags.Changed
	cmd.PreRunE = func(*cobra.Command, []string) error { return f.check() }
	flags.IntVar(&f.newBlocks, "max-new-blocks", 0, "newly block up to this `number` of addresses")
	flags.IntVar(&f.removedBlocks, "max-removed-blocks", 0, "stop blocking up to this `number` whose decisions have not ended")
	flags.IntVar(&f.deletedRules, "max-deleted-rules", 0, "delete up to this `number` of our rules")
	flags.IntVar(&f.widestIPv4, "widest-ipv4", 0, "shortest IPv4 prefix `length` that may be blocked")
	flags.IntVar(&f.widestIPv6, "widest-ipv6", 0, "shortest IPv6 prefix `length` that may be blocked")
	flags.BoolVar(&f.operatorCut, "allow-operator-cut", false, "allow rules that cut the SSH connection this command came from")
	flags.BoolVar(&f.dropEverything, "allow-drop-everything", false, "allow rules that drop all traffic, and blocks of an eighth of the internet")
	flags.BoolVar(&f.unsafeMoment, "accept-unsafe-moment", false, "accept moments on the way that are not proven safe")
	flags.BoolVar(&f.sickProtection, "ignore-sick-protection", false, "go on without the protected ranges of a feed that cannot be believed")
}

// check refuses what makes no sense before anything is read.
func (f *limitFlags) check() error {
	for _, b := range []bounded{
		{"max-new-blocks", f.newBlocks, 0}, {"max-removed-blocks", f.removedBlocks, 0}, {"max-deleted-rules", f.deletedRules, 0},
		{"widest-ipv4", f.widestIPv4, 32}, {"widest-ipv6", f.widestIPv6, 128},
	} {
		if !f.given(b.name) {
			continue
		}
		b.name = "--" + b.name
		if err := b.check("leave the flag out for what fwsync.yaml says; fwsync plan shows what that refuses"); err != nil {
			return err
		}
	}
	return nil
}

// limits puts the flags over the configuration over the defaults. A flag's number is
// exact: that many pass and no more, whatever the percentages say.
func (f *limitFlags) limits(c LimitsConfig) gates.Limits {
	l := gates.DefaultLimits()
	for _, b := range []struct {
		budget            *gates.Budget
		configured, asked int
	}{
		{&l.NewBlocks, c.NewBlocks, f.newBlocks},
		{&l.RemovedBlocks, c.RemovedBlocks, f.removedBlocks},
		{&l.DeletedRules, c.DeletedRules, f.deletedRules},
	} {
		b.budget.Count = cmp.Or(b.configured, b.budget.Count)
		b.budget.Floor = min(b.budget.Floor, b.budget.Count)
		if b.asked > 0 {
			*b.budget = gates.UpTo(b.asked)
		}
	}
	l.WidestIPv4 = cmp.Or(f.widestIPv4, c.WidestIPv4, l.WidestIPv4)
	l.WidestIPv6 = cmp.Or(f.widestIPv6, c.WidestIPv6, l.WidestIPv6)
	l.OperatorCut, l.DropEverything, l.UnsafeMoments = f.operatorCut, f.dropEverything, f.unsafeMoment
	return l
}

// complete checks the limits of the configuration. 0 is no way to say "none": a limit
// that is not named has its default.
func (c *LimitsConfig) complete(place func(key string) string) error {
	for _, b := range []bounded{
		{"new_blocks", c.NewBlocks, 0}, {"removed_blocks", c.RemovedBlocks, 0}, {"deleted_rules", c.DeletedRules, 0},
		{"widest_ipv4", c.WidestIPv4, 32}, {"widest_ipv6", c.WidestIPv6, 128},
	} {
		key := "limits." + b.name
		b.name = place(key) + ": " + key
		if err := b.check("write a number, or take the key out for its default (docs/configuration.md)"); err != nil {
			return err
		}
	}
	if c.SpreadUnits < 0 {
		return withHint(fmt.Errorf("%s: limits.spread_units is %d", place("limits.spread_units"), c.SpreadUnits), "write the policy quota of the account, or take the key out where it is not known")
	}
	return nil
}

// bounded is a number by the name that people know it by. most 0 is no upper bound.
type bounded struct {
	name        string
	value, most int
}

func (b bounded) check(hint string) error {
	switch {
	case b.value < 1:
		return withHint(fmt.Errorf("%s is %d: it is at least 1", b.name, b.value), "%s", hint)
	case b.most > 0 && b.value > b.most:
		return withHint(fmt.Errorf("%s is %d: it is the length of a prefix, at most %d", b.name, b.value, b.most), "%s", hint)
	}
	return nil
}
