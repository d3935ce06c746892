package reconcile

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"fwsync/cloudfw"
	"fwsync/cloudfw/lower"
	"fwsync/ledger"
	"fwsync/policies"
	"fwsync/sync/gates"
	"fwsync/sync/plan"
	"fwsync/sync/verify"
)

// Cloud is one account, seen from one region, that the policies have targets in.
type Cloud struct {
	Name    string         // as policies name it; empty when it is the only one
	Title   string         // for people
	Reader  cloudfw.Reader // an account that could not be opened answers with the reason
	Limits  cloudfw.Limits
	Traffic func() cloudfw.Traffic // calls made so far
	Calls   func() []Call
	Timings func() []Timing // may be nil
}

// Outlook is the intent of the moment, the live state and the plan between them.
type Outlook struct {
	Intent   cloudfw.Intent
	Live     cloudfw.Snapshot
	Plan     plan.Plan
	Refusals []gates.Refusal
	Exempted []Exempted
}

// job is one cloud's share of a pass. What goes wrong with one cloud stays with its
// job; the others go on.
type job struct {
	*Look
	Cloud
	policy  *policies.Policy // the part that concerns the cloud
	account cloudfw.Account  // nil where nothing may be written

	outlook Outlook
	report  CloudReport
	err     error
}

// jobs makes a job for each cloud. accounts is nil, or holds one for each cloud.
func (l *Look) jobs(accounts []cloudfw.Account) []*job {
	jobs := make([]*job, len(l.Clouds))
	for i, c := range l.Clouds {
		jobs[i] = &job{Look: l, Cloud: c, policy: l.Policy.In(c.Name)}
		jobs[i].report = CloudReport{Cloud: c.Title, Name: c.Name, Refusals: []gates.Refusal{}, Calls: []Call{}}
		if accounts != nil {
			jobs[i].account = accounts[i]
		}
	}
	return jobs
}

// together does something with each cloud at the same time, but for those that have
// failed before, and keeps what goes wrong in the job.
func together(jobs []*job, do func(*job) error) {
	var wg sync.WaitGroup
	for _, j := range jobs {
		if j.err == nil {
			wg.Go(func() { j.err = do(j) })
		}
	}
	wg.Wait()
}

// look compiles the intent, observes, plans and asks the gates.
func (j *job) look(ctx context.Context, decisions []ledger.Decision, now time.Time) error {
	live, err := j.Reader.Observe(ctx, j.policy.Scope())
	if err != nil {
		return fmt.Errorf("observing the cloud: %w", err)
	}
	intent, exempted, err := j.intent(decisions, live, now)
	if err != nil {
		return err
	}
	p, err := plan.Compute(plan.Input{Intent: intent, Live: live, Limits: j.Limits, Cloud: j.Name, PolicyHash: j.Policy.Hash(), Now: now})
	if err != nil {
		return fmt.Errorf("planning: %w", err)
	}
	refusals := gates.Check(gates.Input{Plan: p, Live: live, Intent: intent, Limits: j.Gates, Operator: j.Operator, Ended: ended(decisions, now)})
	j.outlook = Outlook{Intent: intent, Live: live, Plan: p, Refusals: refusals, Exempted: exempted}
	j.report.Plan, j.report.Exempted = p, exempted
	if len(refusals) > 0 {
		j.report.Refusals = refusals
	}
	return nil
}

// intent compiles the policies and the decisions of the moment. The account's own
// addresses, as the cloud lists them, and the operator's count as allowed.
func (j *job) intent(decisions []ledger.Decision, live cloudfw.Snapshot, now time.Time) (cloudfw.Intent, []Exempted, error) {
	decisions = slices.Clip(decisions)
	never := func(a netip.Addr, reason string) {
		decisions = append(decisions, ledger.Decision{Verdict: ledger.Allow, Prefix: cloudfw.HostPrefix(a), Start: now, Reason: reason})
	}
	for _, a := range live.Assets {
		never(a.Address, "our own address")
	}
	for _, a := range j.Operator.Addresses {
		never(a, "the operator's address")
	}
	compiled, err := j.policy.Compile(decisions, j.Owner, now)
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

// confirm verifies the intent against the cloud as it is now. A cloud that was not
// changed is as it was observed.
func (j *job) confirm(ctx context.Context) error {
	live := j.outlook.Live
	if j.outlook.Plan.Changes() {
		var err error
		if live, err = j.Reader.Observe(ctx, j.policy.Scope()); err != nil {
			return fmt.Errorf("reading the cloud back: %w", err)
		}
	}
	return j.check(live)
}

// check traces the intent to the live state.
func (j *job) check(live cloudfw.Snapshot) error {
	wanted, err := lower.Lower(j.outlook.Intent, live, j.Limits, nil)
	if err != nil {
		return err
	}
	verified := verify.Check(j.outlook.Intent, wanted, live)
	j.report.Verification = &verified
	return nil
}
