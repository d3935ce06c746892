package main

import (
	"errors"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// global holds the flags that every command has.
type global struct {
	config  string
	output  string
	verbose bool
}

func newRoot() *cobra.Command {
	g := &global{}
	root := &cobra.Command{
		Use:   "fwsync",
		Short: "keep an Alibaba Cloud edge equal to its policies plus the attackers of the day",
		Long: `fwsync keeps the edge of an Alibaba Cloud account (Cloud Firewall policies and
address books, ECS security groups and prefix lists) equal to what its policy
files declare plus the attackers its detectors see, and proves that it did.

It works on the built-in simulator unless fwsync.yaml names a cloud.`,
		Example: `  fwsync reconcile                          the scheduled job, once
  fwsync plan --out change.plan             what would change, for review
  fwsync apply change.plan                  exactly that
  fwsync block 198.51.100.7 --for 2h --reason "floods port 25"
  fwsync explain 198.51.100.7               who blocked it, where, until when`,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			level := slog.LevelWarn
			if g.verbose {
				level = slog.LevelDebug
			}
			slog.SetDefault(newLog(cmd.ErrOrStderr(), level, false))
			return nil
		},
	}
	flags := root.PersistentFlags()
	flags.StringVar(&g.config, "config", os.Getenv("FWSYNC_CONFIG"), "the configuration `file` (default ./fwsync.yaml)")
	flags.StringVarP(&g.output, "output", "o", "table", "`format` of the answer: table, json or yaml")
	flags.BoolVarP(&g.verbose, "verbose", "v", false, "say on stderr what goes on")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return withHint(err, "%s", flagHint(cmd, err))
	})
	root.AddCommand(
		newReconcile(g), newRun(g), newPlan(g), newApply(g), newAdopt(g), newRelease(g),
		newBlock(g), newUnblock(g), newAllow(g),
		newHistory(g), newRollback(g), newExport(g), newIncident(g),
		newNotify(g), newStatus(g), newDoctor(g), newExplain(g), newDetect(g), newReplay(g),
		newValidate(g), newLint(g), newPolicy(g), newSimulator(g), newVersion(g),
	)
	_ = root.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "json", "yaml"}, cobra.ShellCompDirectiveNoFileComp))
	hintUsage(root)
	root.Args = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		err := errors.New("unknown command " + quote(args[0]))
		var names []string
		for _, c := range cmd.Commands() {
			names = append(names, c.Name())
		}
		if near := nearest(args[0], names); near != "" {
			return withHint(err, "did you mean %s?", quote(near))
		}
		return withHint(err, "fwsync --help lists the commands")
	}
	root.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	return root
}

// hintUsage lets wrong arguments of every command end with how they are written.
func hintUsage(parent *cobra.Command) {
	for _, cmd := range parent.Commands() {
		hintUsage(cmd)
		if args := cmd.Args; args != nil {
			cmd.Args = func(cmd *cobra.Command, given []string) error {
				if err := args(cmd, given); err != nil {
					return withHint(err, "usage: %s", cmd.UseLine())
				}
				return nil
			}
		}
	}
}

// flagHint names the flag that was probably meant.
func flagHint(cmd *cobra.Command, err error) string {
	if name, ok := strings.CutPrefix(err.Error(), "unknown flag: --"); ok {
		if near := nearest(name, flagNames(cmd)); near != "" {
			return "did you mean --" + near + "?"
		}
	}
	return cmd.CommandPath() + " --help lists the flags"
}
