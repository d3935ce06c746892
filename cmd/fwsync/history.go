package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
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
	At       time.Time `json:"at"`
	What     string    `json:"what"` // plan, call, block, allow, revoked, incident, incident ended
	By       string    `json:"by"`
	Why      string    `json:"why"`
	Cloud    string    `json:"cloud,omitempty"`
	Plan     string    `json:"plan,omitempty"`
	Policies string    `json:"policies,omitempty"` // hash of those that a plan was made with
	Steps    int       `json:"steps,omitempty"`
	Step     int       `json:"step,omitempty"` // of a call: which one of its plan
	Call     string    `json:"call,omitempty"`
	Outcome  string    `json:"outcome,omitempty"`
	Request  string    `json:"request_id,omitempty"` // the vendor's
	Decision int64     `json:"decision,omitempty"`
	Prefix   string    `json:"prefix,omitempty"`
	Until    time.Time `json:"until,omitzero"`
	Incident string    `json:"incident,omitempty"`
}

var historyKinds = []string{"all", "plans", "decisions", "incidents", "calls"}

func newHistory(g *global) *cobra.Command {
	var since, address, kind string
	var limit int
	cmd := &cobra.Command{
		Use:   "history",
		Short: "who did what, when and why: applied plans, decisions and incidents, newest first",
		Long: `Lists what was applied and decided, newest first: automatic decisions, those of people,
what was taken back, the plans that changed a cloud, and incidents. With --address what
was decided about it, and the plans and calls that put it in or took it out. --kind calls
lists each call with the vendor's request id. fwsync history show says everything about
one plan or decision.`,
		Example: `  fwsync history --since 24h
  fwsync history --address 198.51.100.7
  fwsync history --address 198.51.100.7 --kind calls
  fwsync history show 17`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkOutput(g); err != nil {
				return err
			}
			past := ledger.Past{Limit: limit}
			var err error
			if past.Since, err = sinceOf(since); err != nil {
				return err
			}
			if address != "" {
				if past.Prefix, err = cloudfw.ParsePrefix(address); err != nil {
					return withHint(fmt.Errorf("--address: %w", err), "write an address such as 198.51.100.7 or a prefix such as 203.0.113.0/28")
				}
			}
			if limit < 1 || limit > mostHistory {
				return withHint(fmt.Errorf("--limit %d", limit), "from 1 to %d", mostHistory)
			}
			if !slices.Contains(historyKinds, kind) {
				return withHint(fmt.Errorf("--kind %q", kind), "all, plans, decisions, incidents or calls")
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
	cmd.Flags().StringVar(&address, "address", "", "only what is about this `address` or prefix, what holds it or lies in it")
	cmd.Flags().StringVar(&kind, "kind", "all", "all, plans, decisions, incidents or calls")
	cmd.Flags().IntVar(&limit, "limit", historyDefault, "at most this `number`")
	cmd.AddCommand(newHistoryShow(g))
	return cmd
}

// sinceOf reads a duration that has passed; the empty text is the zero time.
func sinceOf(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	d, err := policies.ParseDuration(text)
	if err != nil || d <= 0 {
		return time.Time{}, withHint(fmt.Errorf("--since %q is no time that has passed", text), "write 30m, 24h or 7d")
	}
	return time.Now().Add(-d), nil
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

// history collects the newest events of each sort, and of all of them the newest.
func history(ctx context.Context, store ledger.Store, past ledger.Past, kind string) (historyAnswer, error) {
	value := historyAnswer{Schema: historySchema, Events: []historyEvent{}}
	for _, part := range []struct {
		kind string
		all  bool
		read func(context.Context, ledger.Store, ledger.Past) ([]historyEvent, error)
	}{
		{"decisions", true, pastDecisions}, {"plans", true, pastPlans}, {"incidents", true, pastIncidents}, {"calls", false, pastCalls},
	} {
		if kind != part.kind && (kind != "all" || !part.all) {
			continue
		}
		events, err := part.read(ctx, store, past)
		if err != nil {
			return value, err
		}
		for _, e := range events {
			if !e.At.Before(past.Since) {
				value.Events = append(value.Events, e)
			}
		}
	}
	slices.SortStableFunc(value.Events, func(a, b historyEvent) int { return b.At.Compare(a.At) })
	value.Events = value.Events[:min(len(value.Events), past.Page())]
	return value, nil
}

func pastDecisions(ctx context.Context, store ledger.Store, past ledger.Past) (events []historyEvent, err error) {
	made, err := store.PastDecisions(ctx, past)
	if err != nil {
		return nil, err
	}
	// What was taken back lately may have been made long ago.
	past.Revoked = true
	revoked, err := store.PastDecisions(ctx, past)
	for _, d := range revoked {
		events = append(events, historyEvent{At: d.RevokedAt, What: "revoked", By: d.RevokedBy, Why: d.RevokeReason, Decision: d.ID, Prefix: d.Prefix.String()})
	}
	for _, d := range made {
		events = append(events, historyEvent{At: d.Made(), What: string(d.Verdict), By: d.Author, Why: d.Reason, Decision: d.ID, Prefix: d.Prefix.String(), Until: d.End})
	}
	return events, err
}

func pastPlans(ctx context.Context, store ledger.Store, past ledger.Past) ([]historyEvent, error) {
	var events []historyEvent
	err := eachPlan(ctx, store, past, func(p ledger.AppliedPlan, d reconcile.PlanDetail, _ []int) (bool, error) {
		why := cmp.Or(d.Command, string(d.Kind), "reconcile")
		events = append(events, historyEvent{At: p.StartedAt, What: "plan", By: p.Author, Why: why, Cloud: p.Cloud, Plan: p.ID, Steps: p.Steps, Policies: d.PolicyHash})
		return len(events) < past.Page(), nil
	})
	return events, err
}

// eachPlan goes over the plans, newest first, until do has enough. With a prefix only over
// those with steps that name it, whose numbers it gets.
func eachPlan(ctx context.Context, store ledger.Store, past ledger.Past, do func(ledger.AppliedPlan, reconcile.PlanDetail, []int) (bool, error)) error {
	page := ledger.Past{Since: past.Since, Limit: past.Limit}
	if past.Prefix.IsValid() {
		page.Limit = ledger.DefaultPage // most of them are passed over
	}
	for {
		plans, err := store.PastPlans(ctx, page)
		if err != nil {
			return err
		}
		for _, p := range plans {
			d, err := reconcile.DetailOf(p)
			if err != nil {
				return err
			}
			var steps []int
			for i, change := range d.Steps {
				if past.Prefix.IsValid() && change.Names(past.Prefix) {
					steps = append(steps, i+1)
				}
			}
			if past.Prefix.IsValid() && steps == nil {
				continue
			}
			if more, err := do(p, d, steps); err != nil || !more {
				return err
			}
		}
		if len(plans) < page.Page() {
			return nil
		}
		page.Before = plans[len(plans)-1].Seq
	}
}

func pastIncidents(ctx context.Context, store ledger.Store, past ledger.Past) (events []historyEvent, err error) {
	if past.Prefix.IsValid() {
		return nil, nil
	}
	all, err := store.Incidents(ctx, past.Since)
	for _, i := range all {
		events = append(events, historyEvent{At: i.StartedAt, What: "incident", By: i.Author, Why: i.Reason, Incident: i.Name, Until: i.Until})
		if !i.EndedAt.IsZero() {
			events = append(events, historyEvent{At: i.EndedAt, What: "incident ended", By: i.EndedBy, Why: string(i.Ending), Incident: i.Name})
		}
	}
	return events, err
}

// pastCalls are the calls as they ended; one without an end as it began.
func pastCalls(ctx context.Context, store ledger.Store, past ledger.Past) (events []historyEvent, err error) {
	if past.Prefix.IsValid() {
		return callsNaming(ctx, store, past)
	}
	wide := past
	wide.Limit *= 2 // each may have two entries
	entries, err := store.PastEntries(ctx, wide)
	if err != nil {
		return nil, err
	}
	slices.Reverse(entries)
	return callsOf(entries), nil
}

// callsNaming are the calls that put an address in or took it out.
func callsNaming(ctx context.Context, store ledger.Store, past ledger.Past) (events []historyEvent, err error) {
	err = eachPlan(ctx, store, past, func(p ledger.AppliedPlan, _ reconcile.PlanDetail, steps []int) (bool, error) {
		entries, err := store.Journal(ctx, p.ID)
		entries = slices.DeleteFunc(entries, func(e ledger.JournalEntry) bool { return !slices.Contains(steps, e.Step) })
		events = append(events, callsOf(entries)...)
		return len(events) < past.Page(), err
	})
	return events, err
}

// callsOf makes one event of the entries of each call, which come oldest first.
func callsOf(entries []ledger.JournalEntry) (events []historyEvent) {
	type call struct {
		plan string
		step int
	}
	at := map[call]int{}
	for _, e := range entries {
		key := call{e.PlanID, e.Step}
		event := historyEvent{At: e.At, What: "call", Plan: e.PlanID, Step: e.Step, Call: e.Op, Why: e.Subject, Outcome: e.Outcome, Request: e.RequestID}
		if i, begun := at[key]; begun && events[i].Outcome == ledger.Started {
			events[i] = event
			continue
		}
		at[key], events = len(events), append(events, event)
	}
	return events
}

func renderHistory(s *screen, value historyAnswer) {
	if len(value.Events) == 0 {
		s.line("nothing")
		return
	}
	var rows [][]string
	for _, e := range value.Events {
		what, id, why := e.Prefix, fmt.Sprint(e.Decision), e.Why
		switch {
		case e.What == "plan":
			what, id = plural(e.Steps, "step"), short(e.Plan)
			if e.Cloud != "" {
				what += " in " + e.Cloud
			}
		case e.What == "call":
			what, id, why = e.Call+" "+e.Why, fmt.Sprintf("%s #%d", short(e.Plan), e.Step), e.Outcome+" "+e.Request
		case e.Incident != "":
			what, id = e.Incident, "-"
		}
		rows = append(rows, []string{stampOf(e.At), e.What, what, cmp.Or(e.By, "-"), id, why})
	}
	s.columns([]string{"AT", "WHAT", "", "BY", "ID", "WHY"}, rows)
}

// short is as much of a plan's id as tells it apart.
func short(id string) string { return id[:min(len(id), 13)] }

func stampOf(t time.Time) string { return t.UTC().Format(time.DateTime) + "Z" }
