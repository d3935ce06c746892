package reconcile

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"fwsync/cloudfw"
	"fwsync/ledger"
	"fwsync/sync/verify"
)

// ExplanationSchema is the version of Explanation's JSON form.
const ExplanationSchema = "fwsync.explanation/v1"

// Explanation is everything that is known about one address.
type Explanation struct {
	Schema    string            `json:"schema"`
	Address   netip.Addr        `json:"address"`
	Verdict   string            `json:"verdict"` // one sentence
	Blocked   bool              `json:"blocked"` // demanded and enforced
	Decisions []ledger.Decision `json:"decisions"`
	Exempt    []string          `json:"exempt"`
	Traces    []verify.Trace    `json:"traces"`
	Gaps      []verify.Gap      `json:"gaps"`
	Rules     []RuleView        `json:"rules"` // live rules of the internet firewall whose source holds the address
}

// RuleView is one live rule.
type RuleView struct {
	Order       int    `json:"order"`
	ID          string `json:"id"`
	Ours        bool   `json:"ours"`
	Rule        string `json:"rule"`
	Description string `json:"description"`
	Disabled    bool   `json:"disabled,omitempty"`
}

// Explain looks an address up everywhere: ledger, allowlist and live state.
func (l *Look) Explain(ctx context.Context, addr netip.Addr) (Explanation, error) {
	addr = addr.Unmap().WithZone("")
	e := Explanation{Schema: ExplanationSchema, Address: addr, Decisions: []ledger.Decision{}, Exempt: []string{}, Traces: []verify.Trace{}, Gaps: []verify.Gap{}, Rules: []RuleView{}}
	decisions, err := l.Ledger.Decisions(ctx, time.Time{})
	if err != nil {
		return e, fmt.Errorf("reading the decisions: %w", err)
	}
	for _, d := range decisions {
		if d.Prefix.Contains(addr) {
			e.Decisions = append(e.Decisions, d)
		}
	}
	outlook, err := l.outlook(ctx, decisions)
	if err != nil {
		return e, err
	}
	if why, ok := cloudfw.Reserved(cloudfw.HostPrefix(addr)); ok {
		e.Exempt = append(e.Exempt, why)
	}
	for _, x := range outlook.Intent.Allowed {
		if x.Prefix.Contains(addr) {
			e.Exempt = append(e.Exempt, x.Reason)
		}
	}
	report, err := l.check(outlook.Intent, outlook.Live)
	if err != nil {
		return e, err
	}
	for _, t := range report.Traces {
		if t.Prefix.Contains(addr) {
			e.Traces = append(e.Traces, t)
		}
	}
	for _, g := range report.Gaps {
		if p, err := cloudfw.ParsePrefix(g.Subject); err == nil && p.Contains(addr) {
			e.Gaps = append(e.Gaps, g)
		}
	}
	e.Rules = l.rulesOn(addr, outlook.Live)
	e.Blocked = len(e.Traces) > 0
	e.Verdict = l.verdict(e)
	return e, nil
}

// rulesOn lists the incoming rules whose source holds the address, in their order.
func (l *Look) rulesOn(addr netip.Addr, live cloudfw.Snapshot) []RuleView {
	views := []RuleView{}
	key := cloudfw.ListKey{Direction: cloudfw.In, Family: cloudfw.FamilyOf(cloudfw.HostPrefix(addr))}
	for _, r := range live.List(key) {
		held, known := live.Addresses(r.Source)
		if known && !slices.ContainsFunc(held, func(p netip.Prefix) bool { return p.Contains(addr) }) {
			continue
		}
		views = append(views, RuleView{Order: r.Order, ID: r.ID, Ours: l.Owner.Owns("rule", r.Description), Rule: r.String(), Description: r.Description, Disabled: r.Disabled})
	}
	return views
}

func (l *Look) verdict(e Explanation) string {
	now := l.Now()
	active := slices.IndexFunc(e.Decisions, func(d ledger.Decision) bool { return d.Verdict == ledger.Block && d.ActiveAt(now) })
	switch {
	case e.Blocked && active < 0:
		return "a rule of ours still blocks it, no decision demands it: fwsync reconcile takes it away"
	case e.Blocked:
		t := e.Traces[0]
		return fmt.Sprintf("blocked by rule #%d (%s) at the %s", t.Order, t.RuleID, t.Target)
	case len(e.Exempt) > 0:
		return "never blocked: " + e.Exempt[0]
	case active >= 0:
		return "a decision demands to block it and the cloud does not enforce it yet: run fwsync reconcile"
	case len(e.Decisions) > 0:
		return "not blocked: its decisions have ended"
	default:
		return "not blocked: nothing is known against it"
	}
}

// Standing compares what must be true with what is, without reading any source.
func (l *Look) Standing(ctx context.Context) (Report, error) {
	decisions, err := l.Ledger.Decisions(ctx, time.Time{})
	if err != nil {
		return Report{}, fmt.Errorf("reading the decisions: %w", err)
	}
	outlook, err := l.outlook(ctx, decisions)
	if err != nil {
		return Report{}, err
	}
	report := l.report("status", Gathered{}, outlook)
	verified, err := l.check(outlook.Intent, outlook.Live)
	if err != nil {
		return Report{}, err
	}
	report.Verification = &verified
	return l.counted(report), nil
}
