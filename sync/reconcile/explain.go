package reconcile

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"fwsync/cloudfw"
	"fwsync/ledger"
	"fwsync/sync/decide"
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
	Counted   []Counted         `json:"counted"`          // by the detections, at the last pass
	Offender  []decide.Offender `json:"offender"`         // its past automatic blocks
	Lapsed    string            `json:"lapsed,omitempty"` // why the policies end its decision
	Notes     []string          `json:"notes,omitempty"`
	Traces    []verify.Trace    `json:"traces"`
	Gaps      []verify.Gap      `json:"gaps"`
	Rules     []RuleView        `json:"rules"` // live rules of the internet firewalls whose source holds the address
}

// RuleView is one live rule.
type RuleView struct {
	Cloud       string `json:"cloud,omitempty"` // absent with a single cloud
	Order       int    `json:"order"`
	ID          string `json:"id"`
	Ours        bool   `json:"ours"`
	Rule        string `json:"rule"`
	Description string `json:"description"`
	Disabled    bool   `json:"disabled,omitempty"`

	holds bool // it is ours and drops what a book of ours holds, the address among it
}

// Explain looks an address up everywhere: ledger, allowlist and live state. The
// error tells which clouds failed; the explanation has what the others say.
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
	if e.Counted, err = l.counted(ctx, addr, decisions); err != nil {
		e.Notes = append(e.Notes, "what the detections have counted is not known: "+err.Error())
	}
	e.Offender = decide.Offenders(addr, decisions, l.Policy.Detections, l.Now())
	l.Reading.redact(e.Decisions)
	jobs := l.jobs(nil)
	together(jobs, func(j *job) error {
		if err := j.look(ctx, decisions, l.Now()); err != nil {
			return err
		}
		return j.check(j.outlook.Live)
	})
	if why, ok := cloudfw.Reserved(cloudfw.HostPrefix(addr)); ok {
		e.Exempt = append(e.Exempt, why)
	}
	for _, j := range jobs {
		if j.err == nil {
			j.explain(&e)
		}
	}
	e.Blocked = len(e.Traces) > 0
	e.Verdict = l.verdict(e)
	return e, failure(jobs)
}

// explain adds what one cloud has to say about the address.
func (j *job) explain(e *Explanation) {
	in := func(target string) string {
		if j.Name == "" {
			return target
		}
		return j.Name + ": " + target
	}
	for _, lapsed := range j.lapsed {
		if lapsed.Decision.Prefix.Contains(e.Address) && !lapsed.Decision.RevokedAt.IsZero() {
			e.Lapsed = lapsed.Reason
		}
	}
	for _, x := range j.outlook.Intent.Allowed {
		if x.Prefix.Contains(e.Address) && !slices.Contains(e.Exempt, x.Reason) {
			e.Exempt = append(e.Exempt, x.Reason)
		}
	}
	for _, t := range j.report.Verification.Traces {
		if t.Prefix.Contains(e.Address) {
			t.Target = in(t.Target)
			e.Traces = append(e.Traces, t)
		}
	}
	for _, g := range j.report.Verification.Gaps {
		if p, err := cloudfw.ParsePrefix(g.Subject); err == nil && p.Contains(e.Address) {
			g.Target = in(g.Target)
			e.Gaps = append(e.Gaps, g)
		}
	}
	e.Rules = append(e.Rules, j.rulesOn(e.Address)...)
}

// rulesOn lists the incoming rules whose source holds the address, in their order.
func (j *job) rulesOn(addr netip.Addr) []RuleView {
	views := []RuleView{}
	live := j.outlook.Live
	key := cloudfw.ListKey{Direction: cloudfw.In, Family: cloudfw.FamilyOf(cloudfw.HostPrefix(addr))}
	for _, r := range live.List(key) {
		held, known := live.Addresses(r.Source)
		if known && !slices.ContainsFunc(held, func(p netip.Prefix) bool { return p.Contains(addr) }) {
			continue
		}
		ours := j.Owner.Owns("rule", r.Description)
		views = append(views, RuleView{
			Cloud: j.Name, Order: r.Order, ID: r.ID, Ours: ours, Rule: r.String(), Description: r.Description, Disabled: r.Disabled,
			holds: ours && !r.Disabled && r.Action == cloudfw.Drop && r.Source.Kind == cloudfw.Book && strings.HasPrefix(r.Source.Value, j.Owner.BookName("blocked")),
		})
	}
	return views
}

func (l *Look) verdict(e Explanation) string {
	now := l.Now()
	active := slices.IndexFunc(e.Decisions, func(d ledger.Decision) bool { return d.Verdict == ledger.Block && d.ActiveAt(now) })
	switch {
	case !e.Blocked && e.Lapsed != "":
		return "the next fwsync reconcile ends its block: " + e.Lapsed
	case e.Blocked:
		t := e.Traces[0]
		return fmt.Sprintf("blocked by rule #%d (%s) at the %s", t.Order, t.RuleID, t.Target)
	case len(e.Exempt) > 0:
		return "never blocked: " + e.Exempt[0]
	case active >= 0:
		return "a decision demands to block it and the cloud does not enforce it yet: run fwsync reconcile"
	case active < 0 && slices.ContainsFunc(e.Rules, func(r RuleView) bool { return r.holds }):
		return "a rule of ours still blocks it, no decision demands it: fwsync reconcile takes it away"
	default:
		return e.why()
	}
}
