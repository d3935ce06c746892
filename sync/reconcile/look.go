package reconcile

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"fwsync/cloudfw"
	"fwsync/cloudfw/lower"
	"fwsync/ledger"
	"fwsync/policies"
	"fwsync/sync/gates"
	"fwsync/sync/plan"
	"fwsync/sync/verify"
)

// Look is everything needed to find out what would be done. It reads the cloud
// through an interface without mutating methods: a preview cannot write (promise P9).
type Look struct {
	Policy    *policies.Policy
	Owner     cloudfw.Owner
	Cloud     cloudfw.Reader
	CloudName string // for people
	Ledger    ledger.Store
	Sources   []Source
	Limits    cloudfw.Limits
	Gates     gates.Limits
	Operator  gates.Operator
	Now       func() time.Time
	Traffic   func() cloudfw.Traffic // calls made so far
	Calls     func() []Call
}

// Outlook is the intent of the moment, the live state and the plan between them.
type Outlook struct {
	Intent   cloudfw.Intent
	Live     cloudfw.Snapshot
	Plan     plan.Plan
	Refusals []gates.Refusal
	Exempted []Exempted
}

// Preview looks and plans; neither the cloud nor the ledger is changed. The
// decisions that a real pass would add are returned with the report.
func (l *Look) Preview(ctx context.Context) (Report, []ledger.Decision, error) {
	gathered, err := l.gather(ctx)
	if err != nil {
		return Report{}, nil, err
	}
	known, err := l.Ledger.Decisions(ctx, time.Time{})
	if err != nil {
		return Report{}, nil, fmt.Errorf("reading the decisions: %w", err)
	}
	fresh := gathered.Intake.Decisions
	outlook, err := l.outlook(ctx, merge(known, fresh))
	if err != nil {
		return Report{}, nil, err
	}
	report := l.report("plan", gathered, outlook)
	return l.counted(report), fresh, nil
}

// merge replaces known decisions by their fresh versions and adds new ones.
func merge(known, fresh []ledger.Decision) []ledger.Decision {
	byID := map[int64]ledger.Decision{}
	var added []ledger.Decision
	for _, d := range fresh {
		if d.ID != 0 {
			byID[d.ID] = d
		} else {
			added = append(added, d)
		}
	}
	merged := make([]ledger.Decision, 0, len(known)+len(added))
	for _, d := range known {
		if f, ok := byID[d.ID]; ok {
			d = f
		}
		merged = append(merged, d)
	}
	return append(merged, added...)
}

// outlook compiles the intent, observes, plans and asks the gates.
func (l *Look) outlook(ctx context.Context, decisions []ledger.Decision) (Outlook, error) {
	live, err := l.Cloud.Observe(ctx, l.scope())
	if err != nil {
		return Outlook{}, fmt.Errorf("observing the cloud: %w", err)
	}
	intent, exempted, err := l.intent(decisions, live)
	if err != nil {
		return Outlook{}, err
	}
	p, err := plan.Compute(plan.Input{Intent: intent, Live: live, Limits: l.Limits, PolicyHash: l.Policy.Hash(), Now: l.Now()})
	if err != nil {
		return Outlook{}, fmt.Errorf("planning: %w", err)
	}
	refusals := gates.Check(gates.Input{Plan: p, Live: live, Intent: intent, Limits: l.Gates, Operator: l.Operator, Ended: ended(decisions, l.Now())})
	return Outlook{Intent: intent, Live: live, Plan: p, Refusals: refusals, Exempted: exempted}, nil
}

// intent compiles the policies and the decisions of the moment. The account's own
// addresses, as the cloud lists them, and the operator's count as allowed.
func (l *Look) intent(decisions []ledger.Decision, live cloudfw.Snapshot) (cloudfw.Intent, []Exempted, error) {
	now := l.Now()
	decisions = slices.Clip(decisions)
	never := func(a netip.Addr, reason string) {
		decisions = append(decisions, ledger.Decision{Verdict: ledger.Allow, Prefix: cloudfw.HostPrefix(a), Start: now, Reason: reason})
	}
	for _, a := range live.Assets {
		never(a.Address, "our own address")
	}
	for _, a := range l.Operator.Addresses {
		never(a, "the operator's address")
	}
	compiled, err := l.Policy.Compile(decisions, l.Owner, now)
	if err != nil {
		return cloudfw.Intent{}, nil, fmt.Errorf("compiling the policies: %w", err)
	}
	var exempted []Exempted
	for _, w := range compiled.Withheld {
		exempted = append(exempted, Exempted{w.Prefix.String(), w.Reason})
	}
	return compiled.Intent, exempted, nil
}

// ended says of which prefixes every block decision has ended or was revoked.
func ended(decisions []ledger.Decision, now time.Time) map[netip.Prefix]bool {
	over := map[netip.Prefix]bool{}
	for _, d := range decisions {
		if d.Verdict == ledger.Block {
			active := d.ActiveAt(now)
			if was, seen := over[d.Prefix]; !seen || was {
				over[d.Prefix] = !active
			}
		}
	}
	return over
}

// verified reads the cloud again and traces the intent to it.
func (l *Look) verified(ctx context.Context, intent cloudfw.Intent) (verify.Report, error) {
	live, err := l.Cloud.Observe(ctx, l.scope())
	if err != nil {
		return verify.Report{}, fmt.Errorf("reading the cloud back: %w", err)
	}
	return l.check(intent, live)
}

func (l *Look) check(intent cloudfw.Intent, live cloudfw.Snapshot) (verify.Report, error) {
	wanted, err := lower.Lower(intent, live, l.Limits, nil)
	if err != nil {
		return verify.Report{}, err
	}
	return verify.Check(intent, wanted, live), nil
}
