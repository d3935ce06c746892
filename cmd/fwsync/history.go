package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"fwsync/cloudfw"
	"fwsync/ledger"
	"fwsync/policies"
	"fwsync/sync/reconcile"
)

const (
	historySchema  = "fwsync.history/v1"
	mostHistory    = 100_000
	historyDefault = 50
)

// historyAnswer is what history prints, newest first.
type historyAnswer struct {
	Schema string         `json:"schema"`
	Events []historyEvent `json:"events"`
}

// historyEvent is one thing that was done.
type historyEvent struct {
	At       time.Time       `json:"at"`
	What     string          `json:"what"` // plan, block, allow, revoked
	By       string          `json:"by"`
	Why      string          `json:"why"`
	Cloud    string          `json:"cloud,omitempty"`
	Plan     string          `json:"plan,omitempty"`
	Steps    int             `json:"steps,omitempty"`
	Decision int64           `json:"decision,omitempty"`
	Prefix   string          `json:"prefix,omitempty"`
	Until    time.Time       `json:"until,omitzero"`
	Detail   json.RawMessage `json:"detail,omitempty"`
}

// shownPlan is what history show prints of a plan.
type shownPlan struct {
	Schema string                `json:"schema"`
	Plan   ledger.AppliedPlan    `json:"plan"`
	Calls  []ledger.JournalEntry `json:"calls"`
}

func newHistory(g *global) *cobra.Command {
	var since, address, kind string
	var limit int
	cmd := &cobra.Command{
		Use:   "history",
		Short: "who did what, when and why: applied plans and decisions, newest first",
		Long: `Lists what was applied and decided, newest first: automatic decisions, those of people,
what was taken back, and the plans that changed a cloud. fwsync history show says
everything about one: each call of a plan with the vendor's request id, the evidence of
a decision.`,
		Example: `  fwsync history --since 24h
  fwsync history --address 198.51.100.7 --kind decisions
  fwsync history show 17`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkOutput(g); err != nil {
				return err
			}
			past := ledger.Past{Limit: limit}
			if since != "" {
				d, err := policies.ParseDuration(since)
				if err != nil || d <= 0 {
					return withHint(fmt.Errorf("--since %q is no time that has passed", since), "write 30m, 24h or 7d")
				}
				past.Since = time.Now().Add(-d)
			}
			if address != "" {
				p, err := cloudfw.ParsePrefix(address)
				if err != nil {
					return fmt.Errorf("--address: %w", err)
				}
				past.Prefix = p
			}
			if limit < 1 || limit > mostHistory {
				return withHint(fmt.Errorf("--limit %d", limit), "from 1 to %d", mostHistory)
			}
			if !slices.Contains([]string{"all", "plans", "decisions"}, kind) {
				return withHint(fmt.Errorf("--kind %q", kind), "all, plans or decisions")
			}
			return withLedger(cmd.Context(), g, func(_ *Config, store ledger.Store) error {
				value, err := history(cmd.Context(), store, past, kind)
				if err != nil {
					return err
				}
				return answer(cmd, g, value, func(s *screen) { renderHistory(s, value) })
			})
		},
	}
	cmd.Flags().StringVar(&since, "since", "", "only what happened in this `duration`")
	cmd.Flags().StringVar(&address, "address", "", "only decisions about this `address` or prefix, or what holds it or lies in it")
	cmd.Flags().StringVar(&kind, "kind", "all", "all, plans or decisions")
	cmd.Flags().IntVar(&limit, "limit", historyDefault, "at most this `number`")
	cmd.AddCommand(newHistoryShow(g))
	return cmd
}

// withLedger opens the ledger alone.
func withLedger(ctx context.Context, g *global, do func(*Config, ledger.Store) error) error {
	config, err := loadConfig(g.config)
	if err != nil {
		return err
	}
	store, err := openLedger(ctx, config)
	if err != nil {
		return err
	}
	return errors.Join(do(config, store), store.Close())
}

func history(ctx context.Context, store ledger.Store, past ledger.Past, kind string) (historyAnswer, error) {
	value := historyAnswer{Schema: historySchema, Events: []historyEvent{}}
	add := func(e historyEvent) {
		if past.Since.IsZero() || !e.At.Before(past.Since) {
			value.Events = append(value.Events, e)
		}
	}
	if kind != "plans" {
		decisions, err := store.PastDecisions(ctx, past)
		if err != nil {
			return value, err
		}
		for _, d := range decisions {
			add(historyEvent{At: d.Start, What: string(d.Verdict), By: d.Author, Why: d.Reason, Decision: d.ID, Prefix: d.Prefix.String(), Until: d.End})
			if !d.RevokedAt.IsZero() {
				add(historyEvent{At: d.RevokedAt, What: "revoked", By: d.RevokedBy, Why: d.RevokeReason, Decision: d.ID, Prefix: d.Prefix.String()})
			}
		}
	}
	if kind != "decisions" && !past.Prefix.IsValid() {
		plans, err := store.PastPlans(ctx, past)
		if err != nil {
			return value, err
		}
		for _, p := range plans {
			var detail reconcile.PlanDetail
			_ = json.Unmarshal(p.Detail, &detail) // of an older fwsync there is none
			add(historyEvent{At: p.StartedAt, What: "plan", By: p.Author, Why: cmp.Or(detail.Kind, "reconcile"), Cloud: p.Cloud, Plan: p.ID, Steps: p.Steps, Detail: p.Detail})
		}
	}
	slices.SortStableFunc(value.Events, func(a, b historyEvent) int { return b.At.Compare(a.At) })
	value.Events = value.Events[:min(len(value.Events), past.Page())]
	return value, nil
}

func renderHistory(s *screen, value historyAnswer) {
	if len(value.Events) == 0 {
		s.line("nothing")
		return
	}
	var rows [][]string
	for _, e := range value.Events {
		what, id := e.Prefix, fmt.Sprint(e.Decision)
		if e.What == "plan" {
			what, id = plural(e.Steps, "step"), fmt.Sprintf("%.12s", e.Plan)
			if e.Cloud != "" {
				what += " in " + e.Cloud
			}
		}
		rows = append(rows, []string{stampOf(e.At), e.What, what, e.By, id, e.Why})
	}
	s.columns([]string{"AT", "WHAT", "", "BY", "ID", "WHY"}, rows)
}

func stampOf(t time.Time) string { return t.UTC().Format(time.DateTime) + "Z" }

func newHistoryShow(g *global) *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "everything about one plan (the first letters of its id) or decision (its number)",
		Example: `  fwsync history show 17
  fwsync history show 5b1e77aa0c2d -o json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOutput(g); err != nil {
				return err
			}
			return withLedger(cmd.Context(), g, func(config *Config, store ledger.Store) error {
				if id, err := strconv.ParseInt(args[0], 10, 64); err == nil && len(args[0]) < 8 {
					return showDecision(cmd, g, store, id)
				}
				return showPlan(cmd, g, store, args[0])
			})
		},
	}
}

func showDecision(cmd *cobra.Command, g *global, store ledger.Store, id int64) error {
	found, err := store.PastDecisions(cmd.Context(), ledger.Past{Before: id + 1, Limit: 1})
	if err != nil {
		return err
	}
	if len(found) == 0 || found[0].ID != id {
		return withHint(fmt.Errorf("there is no decision %d", id), "fwsync history --kind decisions lists them")
	}
	value := decisionAnswer{Schema: decisionSchema, Command: "history show", Decisions: found}
	return answer(cmd, g, value, func(s *screen) {
		d := found[0]
		s.line("decision %d: %s %s by %s: %s", d.ID, d.Verdict, d.Prefix, d.Author, d.Reason)
		s.line("  from %s %s", stampOf(d.Start), until(d.End))
		if !d.RevokedAt.IsZero() {
			s.line("  revoked %s by %s: %s", stampOf(d.RevokedAt), d.RevokedBy, d.RevokeReason)
		}
		renderChain(s, d)
	})
}

func showPlan(cmd *cobra.Command, g *global, store ledger.Store, id string) error {
	p, err := reconcile.FindPlan(cmd.Context(), store, id)
	if err != nil {
		return withHint(err, "fwsync history --kind plans lists them")
	}
	calls, err := store.Journal(cmd.Context(), p.ID)
	if err != nil {
		return err
	}
	value := shownPlan{historySchema, p, calls}
	return answer(cmd, g, value, func(s *screen) {
		s.line("plan %s, %s, begun %s by %s", p.ID, plural(p.Steps, "step"), stampOf(p.StartedAt), p.Author)
		var rows [][]string
		for _, c := range calls {
			if c.Outcome != ledger.Started {
				rows = append(rows, []string{fmt.Sprint(c.Step), stampOf(c.At), c.Op, c.Subject, c.Outcome, c.RequestID})
			}
		}
		s.columns([]string{"STEP", "AT", "CALL", "WHAT", "OUTCOME", "REQUEST"}, rows)
	})
}
