package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"fwsync/cloudfw"
	"fwsync/detect/sources"
	"fwsync/policies"
	"fwsync/sync/reconcile"
)

const replaySchema = "fwsync.replay/v1"

// replayAnswer is what replay prints.
type replayAnswer struct {
	Schema  string                   `json:"schema"`
	Policy  string                   `json:"policy"`
	Since   time.Time                `json:"since,omitzero"`
	Sources []reconcile.SourceReport `json:"sources"`
	reconcile.ReplayReport
	Capacity reconcile.CapacityOverTime `json:"capacity"`
}

func newReplay(g *global) *cobra.Command {
	var since, zone, policyPath, good string
	var redact bool
	cmd := &cobra.Command{
		Use:   "replay LOG…",
		Short: "show what the policy would have blocked in the past, and whom that would have hurt",
		Long: `Reads logs from the start, the oldest first, and decides as reconcile would have,
run once a minute on nothing but them: escalation and the allowlist included. It
stores nothing and talks to no cloud. Clients that had a success (a login, an accepted
message) while they would have been blocked are listed: they would have been hurt.

Blocked prefixes are false positives if they hold an address of --good or of the
allowlist, or one with a success anywhere in the logs; the others are true ones. What
the blocks would have taken of each target's limits is shown over time, as if nothing
else were in the account.

--since 14d decides nothing before 14 days ago; what was before that fills the windows.`,
		Example: `  fwsync replay /var/log/mail.log.1 /var/log/mail.log
  fwsync replay --since 14d --policies stricter.yaml /var/log/mail.log
  fwsync replay --good partners.txt /var/log/mail.log
  fwsync replay -o json examples/postfix.log | jq '.cuts'`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOutput(g); err != nil {
				return err
			}
			location, err := time.LoadLocation(zone)
			if err != nil {
				return withHint(fmt.Errorf("unknown --zone %q", zone), "write a zone such as UTC or Asia/Shanghai")
			}
			value := replayAnswer{Schema: replaySchema, Sources: []reconcile.SourceReport{}}
			if since != "" {
				ago, err := policies.ParseDuration(since)
				if err != nil {
					return withHint(fmt.Errorf("--since: %w", err), "write how long ago, such as 14d or 36h")
				}
				value.Since = time.Now().Add(-ago).UTC()
			}
			policy, name, err := detectionPolicy(g, policyPath)
			if err != nil {
				return err
			}
			value.Policy = name
			config, err := configHere(g)
			if err != nil {
				return err
			}
			options := reconcile.ReplayOptions{Reading: config.reading(redact), Since: value.Since}
			if good != "" {
				if options.Good, err = readGood(good); err != nil {
					return err
				}
			}
			if err := value.run(cmd.Context(), policy, config, options, args, location); err != nil {
				return err
			}
			if err := answer(cmd, g, &value, func(s *screen) { renderReplay(s, &value) }); err != nil {
				return err
			}
			return ending(reconcile.Report{Sources: value.Sources})
		},
	}
	cmd.Flags().StringVar(&since, "since", "", "decide nothing before so long ago, a `duration` such as 14d")
	cmd.Flags().StringVar(&good, "good", "", "`file` of addresses and prefixes that are known to be good, one a line")
	redactFlag(cmd, &redact)
	cmd.Flags().StringVar(&zone, "zone", "UTC", "time `zone` of stamps that name none")
	cmd.Flags().StringVar(&policyPath, "policies", "", "policy `file` or folder to use")
	return cmd
}

func (v *replayAnswer) run(ctx context.Context, policy *policies.Policy, config *Config, options reconcile.ReplayOptions, paths []string, location *time.Location) error {
	replay, err := reconcile.NewReplay(policy, options)
	if err != nil {
		return err
	}
	declared, err := reconcile.Declared(policy)
	if err != nil {
		return err
	}
	for _, path := range paths {
		read, err := sources.Read(ctx, sources.Source{Path: path, Location: location, Final: true, Declared: declared}, sources.Position{}, replay.Observe)
		if err != nil {
			return err
		}
		v.Sources = append(v.Sources, reconcile.Sourced(path, read))
	}
	v.ReplayReport = replay.Report()
	v.Capacity, err = replay.Capacity(cloudfw.Owner(config.Owner), func(name string) cloudfw.Limits {
		for _, c := range config.Clouds {
			if c.Name == name {
				return c.limits()
			}
		}
		return cloudfw.DefaultLimits()
	})
	return err
}

// readGood reads who is declared to be good.
func readGood(path string) ([]cloudfw.Exempt, error) {
	good, err := readFeed(ProtectConfig{Name: path, File: path})
	if err != nil {
		return nil, withHint(fmt.Errorf("--good: %w", err), "write one address or prefix a line; # begins a comment")
	}
	for i := range good {
		good[i].Reason = fmt.Sprintf("%s is declared to be good in %s", good[i].Prefix, path)
	}
	return good, nil
}
