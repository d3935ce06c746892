package main

import (
	"log/slog"
	"os"

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
	root.SetFlagErrorFunc(flagError)
	root.AddCommand(
		newReconcile(g), newRun(g), newPlan(g), newApply(g), newAdopt(g), newRelease(g),
		newBlock(g), newUnblock(g), newAllow(g),
		newHistory(g), newRollback(g), newExport(g), newIncident(g),
		newNotify(g), newStatus(g), newDoctor(g), newExplain(g), newDetect(g), newReplay(g),
		newValidate(g), newLint(g), newPolicy(g), newSimulator(g), newVersion(g),
	)
	_ = root.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "json", "yaml"}, cobra.ShellCompDirectiveNoFileComp))
	strictHelp(root)
	hintUsage(root)
	root.Args = known
	root.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	return root
}
