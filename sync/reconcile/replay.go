package reconcile

import (
	"cmp"
	"container/heap"
	"net/netip"
	"slices"
	"time"

	"fwsync/cloudfw"
	"fwsync/detect"
	"fwsync/ledger"
	"fwsync/policies"
	"fwsync/sync/decide"
)

// Every is how often a replay decides, in the time of the log: as the scheduled job of
// a careful installation does.
const Every = time.Minute

// Replay is what a policy would have decided over logs of the past: as if reconcile had
// run each minute, on nothing but these logs. It touches no ledger and no cloud, and is
// deterministic. Not safe for concurrent use.
type Replay struct {
	ReplayOptions
	policy *policies.Policy
	engine *detect.Engine

	next      time.Time // when the next pass is
	last      time.Time // the latest signal's time
	decisions []ledger.Decision
	ends      ends                 // of the decisions that are in force
	newest    map[netip.Prefix]int // the decision that ends last, by prefix
	widths    []int                // the lengths of prefixes that were blocked, the longest first; IPv6's plus 100
	cuts      map[netip.Addr]*Cut
	peak      int
	peakAt    time.Time
	hours     []Hour
	withheld  map[string]int
	successes map[netip.Addr]firstSuccess
	dropped   int // successes of addresses beyond mostSuccesses
}

// ReplayOptions are what a replay goes by beside the policy. All may be left out.
type ReplayOptions struct {
	Reading Reading
	Since   time.Time        // signals from before fill the windows and decide nothing
	Good    []cloudfw.Exempt // declared to be good: blocking one is a false positive
}

// Cut is a client that had successes while it would have been blocked.
type Cut struct {
	Address   netip.Addr `json:"address"`
	Prefix    string     `json:"prefix"` // that would have been blocked
	Rule      string     `json:"rule"`
	Blocked   time.Time  `json:"blocked"` // since when
	Successes int        `json:"successes"`
	Kind      string     `json:"kind"` // of the first
	First     time.Time  `json:"first"`
}

// Hour is the most that would have been blocked at a time within one hour.
type Hour struct {
	From   time.Time `json:"from"`
	Blocks int       `json:"blocks"` // prefixes
}

// ReplayReport is what a replay comes to.
type ReplayReport struct {
	Decisions []ledger.Decision `json:"decisions"`
	Prefixes  int               `json:"prefixes"` // distinct ones among them
	Peak      int               `json:"peak"`     // the most prefixes at a time
	PeakAt    time.Time         `json:"peak_at,omitzero"`
	Hours     []Hour            `json:"hours"` // those in which something was blocked
	Cuts      []Cut             `json:"cuts"`  // whom it would have hurt
	Judgement
	Withheld map[string]int `json:"withheld,omitempty"` // detections that would not have blocked, by rule
}

// NewReplay prepares a policy.
func NewReplay(policy *policies.Policy, options ReplayOptions) (*Replay, error) {
	engine, err := options.Reading.Engine(policy)
	if err != nil {
		return nil, err
	}
	return &Replay{
		ReplayOptions: options, policy: policy, engine: engine, successes: map[netip.Addr]firstSuccess{},
		decisions: []ledger.Decision{}, hours: []Hour{},
		newest: map[netip.Prefix]int{}, cuts: map[netip.Addr]*Cut{}, withheld: map[string]int{},
	}, nil
}

// Observe takes signals in the order of the log. A clock that jumps back runs no pass.
func (r *Replay) Observe(signals []detect.Signal) {
	for len(signals) > 0 {
		if r.next.IsZero() {
			r.next = signals[0].Time.Truncate(Every).Add(Every)
		}
		n := slices.IndexFunc(signals, func(s detect.Signal) bool { return !s.Time.Before(r.next) })
		if n < 0 {
			n = len(signals)
		}
		for i := range signals[:n] {
			if s := &signals[i]; s.Kind.Success() {
				r.success(s)
			}
			if signals[i].Time.After(r.last) {
				r.last = signals[i].Time
			}
		}
		r.acquit(r.next)
		r.engine.ObserveAll(signals[:n])
		if signals = signals[n:]; len(signals) > 0 {
			r.pass(r.next)
			r.next = signals[0].Time.Truncate(Every).Add(Every)
		}
	}
}

// pass is what reconcile would do at that time with what it found.
func (r *Replay) pass(now time.Time) {
	var found []decide.Found
	for _, d := range r.engine.Drain() {
		if !now.Before(r.Since) {
			for i := range d.Evidence {
				d.Evidence[i].File = d.Evidence[i].Source
			}
			found = append(found, decide.Found{Detection: d})
		}
	}
	if len(found) == 0 {
		return
	}
	result := decide.Decide(decide.Input{Found: found, Rules: r.policy.Detections, Known: r.decisions, Exempt: r.policy.Allowlist, Now: now})
	for _, w := range result.Withheld {
		r.withheld[w.Found.Rule]++
	}
	for _, d := range result.Decisions {
		at := int(d.ID) - 1
		if d.ID == 0 {
			at = len(r.decisions)
			d.ID = int64(at) + 1
			r.decisions = append(r.decisions, d)
			heap.Push(&r.ends, end{d.End, at})
		} else {
			if !r.decisions[at].End.After(now) {
				heap.Push(&r.ends, end{d.End, at}) // it was over already
			}
			r.decisions[at] = d
		}
		newest, known := r.newest[d.Prefix]
		if w := width(d.Prefix); !known && !slices.Contains(r.widths, w) {
			r.widths = append(r.widths, w)
			slices.SortFunc(r.widths, func(a, b int) int { return b - a })
		}
		if !known || r.decisions[newest].End.Before(d.End) {
			r.newest[d.Prefix] = at
		}
	}
}

// acquit lets the engine count anew against those whose blocks are over by then.
func (r *Replay) acquit(now time.Time) {
	for len(r.ends) > 0 && !r.ends[0].at.After(now) {
		next := heap.Pop(&r.ends).(end)
		d := r.decisions[next.decision]
		if d.End.After(next.at) { // it was prolonged
			heap.Push(&r.ends, end{d.End, next.decision})
			continue
		}
		r.engine.Acquit(d.Rule, d.Prefix, d.End)
	}
}

// end is when a decision, by its place, ends or ended before it was prolonged.
type end struct {
	at       time.Time
	decision int
}

// ends is a heap, the earliest first.
type ends []end

func (e ends) Len() int           { return len(e) }
func (e ends) Less(i, j int) bool { return e[i].at.Before(e[j].at) }
func (e ends) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *ends) Push(x any)        { *e = append(*e, x.(end)) }
func (e *ends) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

// width tells the lengths of the families apart.
func width(p netip.Prefix) int {
	if p.Addr().Is4() {
		return p.Bits()
	}
	return 100 + p.Bits()
}

// success notes a success, and that its address would have been blocked.
func (r *Replay) success(s *detect.Signal) {
	r.vouch(s)
	for prefix := range r.holding(s.Addr) {
		at := r.newest[prefix]
		if !r.decisions[at].ActiveAt(s.Time) {
			continue
		}
		cut := r.cuts[s.Addr]
		if cut == nil {
			d := r.decisions[at]
			cut = &Cut{Address: s.Addr, Prefix: prefix.String(), Rule: d.Rule, Blocked: d.Start, Kind: s.Kind.String(), First: s.Time}
			r.cuts[s.Addr] = cut
		}
		cut.Successes++
		return
	}
}

// Report ends the replay: what is still open is decided a minute after the last signal.
func (r *Replay) Report() ReplayReport {
	if !r.next.IsZero() {
		r.pass(r.next)
	}
	r.overTime(r.changes())
	rep := ReplayReport{
		Decisions: r.decisions, Prefixes: len(r.newest), Peak: r.peak, PeakAt: r.peakAt, Hours: r.hours,
		Cuts: []Cut{}, Judgement: r.judge(), Withheld: r.withheld,
	}
	for _, c := range r.cuts {
		rep.Cuts = append(rep.Cuts, *c)
	}
	slices.SortFunc(rep.Cuts, func(a, b Cut) int { return cmp.Or(a.First.Compare(b.First), a.Address.Compare(b.Address)) })
	return rep
}

// change is a moment at which so many prefixes more are blocked, or fewer.
type change struct {
	at   time.Time
	open int
}

// changes are all of them, by time.
func (r *Replay) changes() []change {
	var changes []change
	for _, spans := range r.spans() {
		for _, s := range spans {
			changes = append(changes, change{s[0], 1}, change{s[1], -1})
		}
	}
	slices.SortFunc(changes, func(a, b change) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.open, b.open)) })
	return changes
}

// overTime counts the blocked prefixes at every change up to the end of the log, and
// keeps the most of each hour.
func (r *Replay) overTime(changes []change) {
	open := 0
	for i, c := range changes {
		open += c.open
		if i+1 < len(changes) && changes[i+1].at.Equal(c.at) {
			continue
		}
		if c.at.After(r.last) && c.open < 0 {
			break // what ends after the log is over
		}
		if open > r.peak {
			r.peak, r.peakAt = open, c.at
		}
		until := r.last
		if i+1 < len(changes) && changes[i+1].at.Before(until) {
			until = changes[i+1].at
		}
		first := c.at.Truncate(time.Hour)
		for h := first; open > 0 && (h.Equal(first) || h.Before(until)); h = h.Add(time.Hour) {
			if n := len(r.hours); n > 0 && r.hours[n-1].From.Equal(h) {
				r.hours[n-1].Blocks = max(r.hours[n-1].Blocks, open)
			} else {
				r.hours = append(r.hours, Hour{h, open})
			}
		}
	}
}

// spans are when each prefix would have been blocked, whichever rules did it.
func (r *Replay) spans() map[netip.Prefix][][2]time.Time {
	all := map[netip.Prefix][][2]time.Time{}
	for _, d := range r.decisions {
		all[d.Prefix] = append(all[d.Prefix], [2]time.Time{d.Start, d.End})
	}
	for p, spans := range all {
		slices.SortFunc(spans, func(a, b [2]time.Time) int { return a[0].Compare(b[0]) })
		merged := spans[:1]
		for _, s := range spans[1:] {
			if last := &merged[len(merged)-1]; !s[0].After(last[1]) {
				if s[1].After(last[1]) {
					last[1] = s[1]
				}
			} else {
				merged = append(merged, s)
			}
		}
		all[p] = merged
	}
	return all
}
