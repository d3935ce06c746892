package main

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"fwsync/ledger"
	"fwsync/sync/plan"
	"fwsync/sync/reconcile"
)

// shownPlan is what history show prints of a plan.
type shownPlan struct {
	Schema     string             `json:"schema"`
	Plan       ledger.AppliedPlan `json:"plan"`
	Kind       plan.Kind          `json:"kind,omitempty"`
	Command    string             `json:"command,omitempty"`
	PolicyHash string             `json:"policy_hash,omitempty"`
	Steps      []shownStep        `json:"steps"`
}

// shownStep is a step with how it ended.
type shownStep struct {
	Number  int               `json:"number"`
	At      time.Time         `json:"at,omitzero"`
	Call    string            `json:"call"`
	Subject string            `json:"subject"`
	Outcome string            `json:"outcome"`
	Request string            `json:"request_id,omitempty"`
	Change  *reconcile.Change `json:"change,omitempty"` // nil if an older fwsync applied the plan
}

// shownDecision is what history show prints of a decision.
type shownDecision struct {
	Schema   string          `json:"schema"`
	Decision ledger.Decision `json:"decision"`
	Calls    []historyEvent  `json:"calls"` // that have named its addresses since, newest first
}

// notBegun is the outcome of a step without an entry in the journal.
const notBegun = "not begun"

func newHistoryShow(g *global) *cobra.Command {
	return &cobra.Command{
		Use:   "show ID",
		Short: "everything about one plan (the first letters of its id) or decision (its number)",
		Long: `Of a plan: each step, how it ended, the vendor's request id, what it added and took, and
what it found before. Of a decision: who, why, the evidence, and the calls that have
named its addresses since.`,
		Example: `  fwsync history show 17
  fwsync history show 5b1e77aa0c2d -o json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkOutput(g); err != nil {
				return err
			}
			return withLedger(cmd.Context(), g, func(_ *Config, store ledger.Store) error {
				if id, err := strconv.ParseInt(args[0], 10, 64); err == nil && id > 0 {
					found, err := store.PastDecisions(cmd.Context(), ledger.Past{Before: id + 1, Limit: 1})
					if err != nil {
						return err
					}
					if len(found) == 1 && found[0].ID == id {
						return showDecision(cmd, g, store, found[0])
					}
					if _, err := reconcile.FindPlan(cmd.Context(), store, args[0]); err != nil {
						return withHint(fmt.Errorf("there is no decision %d", id), "fwsync history --kind decisions lists them")
					}
				}
				return showPlan(cmd, g, store, args[0])
			})
		},
	}
}

func showDecision(cmd *cobra.Command, g *global, store ledger.Store, d ledger.Decision) error {
	value := shownDecision{historySchema, d, []historyEvent{}}
	calls, err := callsNaming(cmd.Context(), store, ledger.Past{Prefix: d.Prefix, Since: d.Made(), Limit: mostRows})
	if err != nil {
		return err
	}
	slices.SortStableFunc(calls, func(a, b historyEvent) int { return b.At.Compare(a.At) })
	value.Calls = append(value.Calls, calls...)
	return answer(cmd, g, value, func(s *screen) {
		s.line("decision %d: %s %s by %s: %s", d.ID, d.Verdict, d.Prefix, d.Author, d.Reason)
		s.line("  made %s, from %s %s", stampOf(d.Made()), stampOf(d.Start), until(d.End))
		if !d.RevokedAt.IsZero() {
			s.line("  revoked %s by %s: %s", stampOf(d.RevokedAt), d.RevokedBy, d.RevokeReason)
		}
		renderChain(s, d)
		if len(calls) == 0 {
			s.line("no call has named %s since", d.Prefix)
			return
		}
		s.line("calls that have named %s since:", d.Prefix)
		renderHistory(s, historyAnswer{Events: calls})
	})
}

func showPlan(cmd *cobra.Command, g *global, store ledger.Store, id string) error {
	p, err := reconcile.FindPlan(cmd.Context(), store, id)
	if err != nil {
		return withHint(err, "fwsync history --kind plans lists them")
	}
	detail, err := reconcile.DetailOf(p)
	if err != nil {
		return err
	}
	entries, err := store.Journal(cmd.Context(), p.ID)
	if err != nil {
		return err
	}
	unfinished, err := store.Unfinished(cmd.Context())
	if err != nil {
		return err
	}
	p.Detail = nil
	value := shownPlan{historySchema, p, detail.Kind, detail.Command, detail.PolicyHash, []shownStep{}}
	for i := range p.Steps {
		step := shownStep{Number: i + 1, Outcome: notBegun}
		if i < len(detail.Steps) {
			step.Change = &detail.Steps[i]
			step.Call, step.Subject = string(step.Change.Step.Op), step.Change.Step.Subject()
		}
		value.Steps = append(value.Steps, step)
	}
	for _, e := range callsOf(entries) {
		if e.Outcome == ledger.Started {
			e.Outcome = "the answer never came; the next run looked whether it was made"
			if slices.ContainsFunc(unfinished, func(u ledger.JournalEntry) bool { return u.PlanID == p.ID && u.Step == e.Step }) {
				e.Outcome = "the answer never came: the next run will look whether it was made"
			}
		}
		if e.Step <= len(value.Steps) {
			step := &value.Steps[e.Step-1]
			step.At, step.Call, step.Subject, step.Outcome, step.Request = e.At, e.Call, e.Why, e.Outcome, e.Request
		}
	}
	return answer(cmd, g, value, func(s *screen) { renderShownPlan(s, value) })
}

func renderShownPlan(s *screen, value shownPlan) {
	p := value.Plan
	s.line("%s, %s, begun %s by %s", p.ID, plural(p.Steps, "step"), stampOf(p.StartedAt), p.Author)
	if value.PolicyHash != "" {
		s.line("  %s by fwsync %s, with the policies %.19s", value.Kind, value.Command, value.PolicyHash)
	}
	if p.Cloud != "" {
		s.line("  in %s", p.Cloud)
	}
	for _, step := range value.Steps {
		line := fmt.Sprintf("%3d. %s %s: %s", step.Number, step.Call, step.Subject, step.Outcome)
		if !step.At.IsZero() {
			line += " at " + stampOf(step.At)
		}
		if step.Request != "" {
			line += ", request " + step.Request
		}
		s.line("%s", line)
		if step.Change == nil {
			continue
		}
		if step.Change.Step.Reason != "" {
			s.line("     %s", step.Change.Step.Reason)
		}
		renderChange(s, *step.Change)
	}
}

// renderChange says what a step adds, takes and finds.
func renderChange(s *screen, c reconcile.Change) {
	step := c.Step
	added, taken := step.Prefixes, step.Removed
	if step.Book != nil && len(step.Book.Prefixes) > 0 {
		added = step.Book.Prefixes
	}
	if step.List != nil && len(step.List.Prefixes) > 0 {
		added = step.List.Prefixes
	}
	if step.Op.Removes() {
		added, taken = nil, added
	}
	if c.Before != nil {
		switch {
		case c.Before.Rule != nil:
			s.line("     before: #%d %s", c.Before.Rule.Order, c.Before.Rule)
		case c.Before.Book != nil && len(c.Before.Book.Prefixes) > 0:
			taken = c.Before.Book.Prefixes
		case c.Before.List != nil && len(c.Before.List.Prefixes) > 0:
			taken = c.Before.List.Prefixes
		}
		for _, r := range c.Before.GroupRules {
			s.line("     before: priority %d %s %s %s ports %s, peer %s", r.Priority, r.Direction, r.Action, r.Protocol, r.Ports, r.Peer)
		}
	}
	for _, set := range []struct {
		sign     string
		prefixes []netip.Prefix
	}{{"+", added}, {"-", taken}} {
		if len(set.prefixes) > 0 {
			s.line("     %s %s", set.sign, listed(set.prefixes))
		}
	}
	if !step.Op.Removes() {
		for _, r := range step.GroupRules {
			s.line("     + priority %d %s %s %s ports %s, peer %s", r.Priority, r.Direction, r.Action, r.Protocol, r.Ports, r.Peer)
		}
	}
}

// listed names the first prefixes of a set.
func listed(prefixes []netip.Prefix) string {
	var names []string
	for _, p := range prefixes[:min(len(prefixes), mostRows)] {
		names = append(names, p.String())
	}
	text := strings.Join(names, " ")
	if more := len(prefixes) - len(names); more > 0 {
		text += fmt.Sprintf(" and %d more (-o json lists them all)", more)
	}
	return text
}
