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
	"fwsync/sync/decide"
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
	// Identity asks the cloud whose account this is, so that a plan file is applied to
	// the account that it was made for. May be nil: files are then bound by Title alone.
	Identity func(context.Context) (string, error)
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

	kind     plan.Kind
	only     []string          // what to adopt or to release
	overlay  []cloudfw.Rule    // what an incident lays over the rest
	lifted   ledger.Incident   // what to lift
	moved    []moved           // what of it is not as it was put there
	during   []ledger.Incident // whose rules are part of the intent
	sick     []string          // sources that could not be believed in this pass
	lapsed   []decide.Lapsed   // decisions that the policies bear no longer
	outlook  Outlook
	seen     memory          // the live state, as it was read last
	known    []ledger.Gap    // that earlier runs left
	standing []cloudfw.Block // where blocks of feeds wait: those that do not wait for this pass
	report   CloudReport
	err      error
}

// jobs makes a job for each cloud. accounts is nil, or holds one for each cloud.
func (l *Look) jobs(accounts []cloudfw.Account) []*job {
	jobs := make([]*job, len(l.Clouds))
	for i, c := range l.Clouds {
		jobs[i] = &job{Look: l, Cloud: c, policy: l.Policy.In(c.Name)}
		jobs[i].report = CloudReport{Cloud: c.Title, Name: c.Name, Gates: []gates.Finding{}, Refusals: []gates.Refusal{}, Calls: []Call{}}
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
	decisions = begun(decisions, now)
	known, err := j.Ledger.Gaps(ctx, j.Name)
	if err != nil {
		return fmt.Errorf("reading the gaps of earlier runs: %w", err)
	}
	j.known = known
	if j.during, err = j.running(ctx, now); err != nil {
		return err
	}
	seen, ok := j.Memory.take(j.Name, j.Now())
	if !ok {
		seen.at = j.Now()
		if seen.live, err = j.Reader.Observe(ctx, j.policy.Scope()); err != nil {
			return fmt.Errorf("observing the cloud: %w", err)
		}
	}
	j.seen = seen
	live := seen.live
	live.TakenAt = now.UTC() // by then rules have begun and lapsed
	j.lapsed = decide.Reconsider(decisions, j.Policy.Detections, now)
	intent, exempted, err := j.intent(without(decisions, j.lapsed), live, now)
	if err != nil {
		return err
	}
	j.part(&intent, decisions)
	intent.Rules = overlaid(j.during, intent.Rules)
	if err := j.narrow(&intent, live, decisions, now); err != nil {
		return err
	}
	in := plan.Input{Intent: intent, Live: live, Limits: j.Limits, Cloud: j.Name, PolicyHash: j.Policy.Hash(), Now: now, Kind: j.kind, Only: j.only, Overlay: j.overlay}
	if j.kind == plan.Lifting {
		in.Lift, j.moved = lifts(j.lifted, j.Name, j.Owner, live)
	}
	p, err := plan.Compute(in)
	if err != nil {
		return fmt.Errorf("planning: %w", err)
	}
	j.report.Gates = gates.Run(gates.Input{
		Plan: p, Live: live, Intent: intent, Limits: j.Gates, Operator: j.Operator, Providers: j.Providers,
		// What the policies end now is no decision that has ended: it counts against the
		// budget, so that a policy folder that was emptied unblocks nobody.
		Ended: ended(decisions, now), Sick: j.sick, At: j.Now(),
	})
	refusals := gates.Refusals(j.report.Gates)
	for _, m := range j.moved {
		refusals = append(refusals, gates.Refusal{Gate: beforeImage, Message: m.how, Hint: "see who changed it; fwsync incident stop " + j.lifted.Name + " ends the incident all the same, and leaves what is not ours"})
	}
	j.outlook = Outlook{Intent: intent, Live: live, Plan: p, Refusals: refusals, Exempted: exempted}
	j.report.Plan, j.report.Exempted, j.report.live = p, exempted, live
	for _, target := range intent.Targets {
		j.report.targets = append(j.report.targets, target.Name())
	}
	if len(refusals) > 0 {
		j.report.Refusals = refusals
	}
	return nil
}

// observe reads the cloud. By the given time rules have begun and lapsed.
func (j *job) observe(ctx context.Context, now time.Time) (cloudfw.Snapshot, error) {
	live, err := j.Reader.Observe(ctx, j.policy.Scope())
	live.TakenAt = now.UTC()
	return live, err
}

// intent compiles the policies and the decisions of the moment. The account's own
// addresses, as the cloud lists them, the operator's and the providers' count as
// allowed.
func (j *job) intent(decisions []ledger.Decision, live cloudfw.Snapshot, now time.Time) (cloudfw.Intent, []Exempted, error) {
	exempt := slices.Clone(j.Providers)
	for _, a := range live.Assets {
		exempt = append(exempt, cloudfw.Exempt{Prefix: cloudfw.HostPrefix(a.Address), Reason: "our own address"})
	}
	for _, a := range j.Operator.Addresses {
		exempt = append(exempt, cloudfw.Exempt{Prefix: cloudfw.HostPrefix(a), Reason: "the operator's address"})
	}
	compiled, err := j.policy.Compile(decisions, j.Owner, now, exempt...)
	if err != nil {
		return cloudfw.Intent{}, nil, fmt.Errorf("compiling the policies: %w", err)
	}
	var exempted []Exempted
	for _, w := range compiled.Withheld {
		exempted = append(exempted, Exempted{w.Prefix.String(), w.Reason})
	}
	return compiled.Intent, exempted, nil
}

// ended says of which prefixes every block decision has ended or was revoked. One that
// begins later has not: the clock was set back, which is no reason to lift it.
func ended(decisions []ledger.Decision, now time.Time) map[netip.Prefix]bool {
	over := map[netip.Prefix]bool{}
	for _, d := range decisions {
		if d.Verdict == ledger.Block {
			ended := !d.RevokedAt.IsZero() || !d.End.IsZero() && !now.Before(d.End)
			if was, seen := over[d.Prefix]; !seen || was {
				over[d.Prefix] = ended
			}
		}
	}
	return over
}

// clocksDiffer bounds how far the clocks of the hosts that share a ledger, or one clock
// before and after it was set, may be apart.
const clocksDiffer = 24 * time.Hour

// begun has what begins a little later begin now. Nobody can make a decision for later: it
// was made by a clock that was ahead of this one.
func begun(decisions []ledger.Decision, now time.Time) []ledger.Decision {
	ahead := func(d ledger.Decision) bool { return d.Start.After(now) && d.Start.Sub(now) <= clocksDiffer }
	if !slices.ContainsFunc(decisions, ahead) {
		return decisions
	}
	decisions = slices.Clone(decisions)
	for i := range decisions {
		if ahead(decisions[i]) {
			decisions[i].Start = now
		}
	}
	return decisions
}

// confirm verifies the intent against the cloud as it is now, and keeps since when
// there are the gaps that it finds. A cloud that was not changed is as it was
// observed.
func (j *job) confirm(ctx context.Context) error {
	live := j.outlook.Live
	if j.outlook.Plan.Changes() {
		var err error
		j.seen.at = j.Now()
		if live, err = j.observe(ctx, j.Now()); err != nil {
			return fmt.Errorf("reading the cloud back: %w", err)
		}
	}
	if err := j.check(live); err != nil {
		return err
	}
	now := j.Now().UTC()
	found := j.report.Verification.Gaps
	kept := make([]ledger.Gap, len(found))
	for i, g := range found {
		if g.Since.IsZero() {
			found[i] = g.Aged(now, now)
		}
		kept[i] = ledger.Gap{Target: g.Target, Subject: g.Subject, Since: found[i].Since}
	}
	j.seen.live = live
	if j.report.Narrowed != nil {
		return nil // of the others nothing was looked at
	}
	if err := j.Ledger.KeepGaps(ctx, j.Name, kept); err != nil {
		return fmt.Errorf("keeping the gaps: %w", err)
	}
	return nil
}

// demandedStill is the intent without the blocks that have ended since it was compiled:
// the firewall may have let go of them.
func demandedStill(intent cloudfw.Intent, at time.Time) cloudfw.Intent {
	over := func(b cloudfw.Block) bool { return b.Lapses && !at.Before(b.Until) }
	if slices.ContainsFunc(intent.Blocked, over) {
		intent.Blocked = slices.DeleteFunc(slices.Clone(intent.Blocked), over)
	}
	return intent
}

// check traces the intent to the live state and tells the age of the gaps that an
// earlier run has seen.
func (j *job) check(live cloudfw.Snapshot) error {
	intent := j.outlook.Intent
	if j.report.Applied == nil && len(j.report.Waiting) > 0 {
		intent.Blocked = j.standing // the next part of a feed has not had its turn
	}
	intent = demandedStill(intent, live.TakenAt)
	wanted, err := lower.Lower(intent, live, j.Limits, nil)
	if err != nil {
		return err
	}
	verified := verify.Check(intent, wanted, live)
	type place struct{ target, subject string }
	since := make(map[place]time.Time, len(j.known))
	for _, g := range j.known {
		since[place{g.Target, g.Subject}] = g.Since
	}
	now := j.Now().UTC()
	for i, g := range verified.Gaps {
		verified.Gaps[i] = g.Aged(since[place{g.Target, g.Subject}], now)
	}
	j.report.Verification = &verified
	return nil
}
