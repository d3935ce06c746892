package reconcile

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"fwsync/cloudfw"
	"fwsync/detect"
)

// mostSuccesses bounds how many addresses with a success a replay remembers.
const mostSuccesses = 500_000

// Judgement says which of the blocked prefixes should not have been: those that hold an
// address which is declared to be good, or had a success anywhere in the logs. A guessed
// password is a success too, so it errs on the side of those who were blocked.
type Judgement struct {
	Precision float64 `json:"precision"` // share of the true positives; 1 without blocks
	True      int     `json:"true_positives"`
	False     int     `json:"false_positives"`
	Right     []Right `json:"right"`
	Wrong     []Wrong `json:"wrong"`
	Unheard   int     `json:"successes_not_remembered,omitempty"` // of addresses beyond the first 500,000
}

// Right is a blocked prefix against whose blocking nothing speaks.
type Right struct {
	Prefix string `json:"prefix"`
	Rule   string `json:"rule"`
}

// Wrong is a blocked prefix that holds somebody good.
type Wrong struct {
	Prefix  string     `json:"prefix"`
	Rule    string     `json:"rule"`
	Address netip.Addr `json:"address"` // the first of them
	Why     string     `json:"why"`
	More    int        `json:"more,omitempty"` // so many other reasons, of others within the prefix
}

// firstSuccess is the first one of an address.
type firstSuccess struct {
	kind detect.Kind
	at   time.Time
}

// vouch remembers a success.
func (r *Replay) vouch(s *detect.Signal) {
	if _, known := r.successes[s.Addr]; known {
		return
	}
	if len(r.successes) >= mostSuccesses {
		r.dropped++
		return
	}
	r.successes[s.Addr] = firstSuccess{s.Kind, s.Time}
}

// judge goes through what was blocked.
func (r *Replay) judge() Judgement {
	j := Judgement{Precision: 1, Right: []Right{}, Wrong: []Wrong{}, Unheard: r.dropped}
	wrong := map[netip.Prefix]*Wrong{}
	against := func(p netip.Prefix, addr netip.Addr, why string) {
		w := wrong[p]
		switch {
		case w == nil:
			wrong[p] = &Wrong{Prefix: p.String(), Rule: r.decisions[r.newest[p]].Rule, Address: addr, Why: why}
		case addr != w.Address:
			w.More++
		}
	}
	for _, g := range slices.Concat(r.Good, r.policy.Allowlist) {
		if g.Prefix.IsSingleIP() {
			for p := range r.holding(g.Prefix.Addr()) {
				against(p, g.Prefix.Addr(), g.Reason)
			}
			continue
		}
		for p := range r.newest {
			if p.Overlaps(g.Prefix) {
				addr := g.Prefix.Addr()
				if p.Bits() > g.Prefix.Bits() {
					addr = p.Addr()
				}
				against(p, addr, g.Reason)
			}
		}
	}
	heard := make([]netip.Addr, 0, len(r.successes))
	for a := range r.successes {
		heard = append(heard, a)
	}
	slices.SortFunc(heard, func(a, b netip.Addr) int {
		return cmp.Or(r.successes[a].at.Compare(r.successes[b].at), a.Compare(b))
	})
	for _, a := range heard {
		first := r.successes[a]
		for p := range r.holding(a) {
			against(p, a, fmt.Sprintf("it had a success (%s at %s)", first.kind, first.at.Format(time.RFC3339)))
		}
	}
	var blocked []netip.Prefix
	for p := range r.newest {
		blocked = append(blocked, p)
	}
	slices.SortFunc(blocked, cloudfw.ComparePrefixes)
	for _, p := range blocked {
		if w := wrong[p]; w != nil {
			j.Wrong = append(j.Wrong, *w)
		} else {
			j.Right = append(j.Right, Right{p.String(), r.decisions[r.newest[p]].Rule})
		}
	}
	j.True, j.False = len(j.Right), len(j.Wrong)
	if len(blocked) > 0 {
		j.Precision = float64(j.True) / float64(len(blocked))
	}
	return j
}

// holding yields the blocked prefixes that hold an address, the narrowest first.
func (r *Replay) holding(a netip.Addr) func(yield func(netip.Prefix) bool) {
	return func(yield func(netip.Prefix) bool) {
		for _, w := range r.widths {
			bits := w
			if w >= 100 {
				bits = w - 100
			}
			if (w < 100) != a.Is4() {
				continue
			}
			if p, err := a.Prefix(bits); err == nil {
				if _, blocked := r.newest[p]; blocked && !yield(p) {
					return
				}
			}
		}
	}
}
