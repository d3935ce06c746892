package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

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
}

func newReplay(g *global) *cobra.Command {
	var since, zone, policyPath, goodPath string
	var redact bool
	cmd := &cobra.Command{
		Use:   "replay LOG…",
		Short: "show what the policy would have blocked in the past, and whom that would have hurt",
		Long: `Reads logs from the start, the oldest first, and decides as reconcile would have,
run once a minute on nothing but them: escalation and the allowlist included. It
stores nothing and talks to no cloud. Clients that had a success (a login, an accepted
message) while they would have been blocked are listed: they would have been hurt.

It also tells what the blocks would have taken of each target's capacity, in an account
that holds nothing else, and how many of them were wrong: those that hold an address
that --good FILE or the allowlist names, or that had a success anywhere in the logs.

--since 14d decides nothing before 14 days ago; what was before that fills the windows.`,
		Example: `  fwsync replay /var/log/mail.log.1 /var/log/mail.log
  fwsync replay --since 14d --policies stricter.yaml /var/log/mail.log
  fwsync replay --good customers.txt /var/log/mail.log
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
			reading, err := readingHere(g, redact)
			if err != nil {
				return err
			}
			options := reconcile.ReplayOptions{Reading: reading, Since: value.Since}
			if goodPath != "" {
				if options.Good, err = readFeed(ProtectConfig{Name: "good", File: goodPath}); err != nil {
					return withHint(fmt.Errorf("--good: %w", err), "name a text file with an address or prefix a line")
				}
			}
			if err := value.run(cmd.Context(), policy, options, args, location); err != nil {
				return err
			}
			if err := answer(cmd, g, &value, func(s *screen) { renderReplay(s, &value) }); err != nil {
				return err
			}
			return ending(reconcile.Report{Sources: value.Sources})
		},
	}
	cmd.Flags().StringVar(&since, "since", "", "decide nothing before so long ago, a `duration` such as 14d")
	cmd.Flags().StringVar(&goodPath, "good", "", "`file` of addresses and prefixes that must not be blocked")
	redactFlag(cmd, &redact)
	cmd.Flags().StringVar(&zone, "zone", "UTC", "time `zone` of stamps that name none")
	cmd.Flags().StringVar(&policyPath, "policies", "", "policy `file` or folder to use")
	return cmd
}

func (v *replayAnswer) run(ctx context.Context, policy *policies.Policy, options reconcile.ReplayOptions, paths []string, location *time.Location) error {
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
	v.ReplayReport, err = replay.Report()
	return err
}

func renderReplay(s *screen, v *replayAnswer) {
	renderSources(s, v.Sources)
	s.title("Blocks over time (" + v.Policy + ")")
	var rows [][]string
	for _, h := range v.Hours[:min(len(v.Hours), mostRows)] {
		rows = append(rows, []string{clock(h.From), fmt.Sprint(h.Blocks)})
	}
	s.columns([]string{"HOUR", "AT MOST"}, rows)
	if more := len(v.Hours) - mostRows; more > 0 {
		s.line("  and %d more (-o json lists them all)", more)
	}
	s.line("  decisions: %d, of %d prefixes; at most %d at a time", len(v.Decisions), v.Prefixes, v.Peak)
	renderPastCapacity(s, v.Capacity)
	renderJudgement(s, v.Judgement)
	s.title("Whom it would have hurt")
	if len(v.Cuts) == 0 {
		s.line("  nobody: no client had a success while it would have been blocked")
		return
	}
	rows = nil
	for _, c := range v.Cuts[:min(len(v.Cuts), mostRows)] {
		rows = append(rows, []string{c.Address.String(), host(c.Prefix), c.Rule, clock(c.Blocked), fmt.Sprint(c.Successes), c.Kind, clock(c.First)})
	}
	s.columns([]string{"CLIENT", "BLOCKED", "DETECTION", "SINCE", "SUCCESSES", "KIND", "FIRST"}, rows)
	if more := len(v.Cuts) - mostRows; more > 0 {
		s.line("  and %d more (-o json lists them all)", more)
	}
}

// renderPastCapacity is the use of each target at its most.
func renderPastCapacity(s *screen, c reconcile.CapacityOverTime) {
	if len(c.Uses) == 0 {
		return
	}
	s.title("Capacity, if the account held nothing else")
	var rows [][]string
	for _, u := range c.Uses {
		limit := "unknown"
		if u.Limit > 0 {
			limit = fmt.Sprint(u.Limit)
		}
		rows = append(rows, []string{strings.TrimSpace(u.Cloud + " " + u.What), fmt.Sprint(u.Most), limit, clock(u.MostAt)})
	}
	s.columns([]string{"WHAT", "AT MOST", "LIMIT", "WHEN"}, rows[:min(len(rows), 2*mostRows)])
	for _, o := range c.Overflows {
		s.line("  %s %s from %s on: %s merged into wider prefixes, %s left out %s", s.bad("no room for all:"), strings.TrimSpace(o.Cloud+" "+o.Target), clock(o.First), plural(o.Condensed, "block"), plural(o.Evicted, "block"), o.Why)
	}
}

func renderJudgement(s *screen, j reconcile.Judgement) {
	s.title("Right and wrong")
	s.line("  %d prefixes rightly blocked, %d wrongly: precision %.1f %%", j.True, j.False, 100*j.Precision)
	var rows [][]string
	for _, w := range j.Wrong[:min(len(j.Wrong), mostRows)] {
		rows = append(rows, []string{host(w.Prefix), w.Rule, w.Address.String(), w.Why})
	}
	if len(rows) > 0 {
		s.columns([]string{"BLOCKED", "DETECTION", "HOLDS", "WHY NOT"}, rows)
	}
	if more := len(j.Wrong) - mostRows; more > 0 {
		s.line("  and %d more (-o json lists them all)", more)
	}
}
