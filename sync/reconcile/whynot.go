package reconcile

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"fwsync/cloudfw"
	"fwsync/detect"
	"fwsync/ledger"
	"fwsync/policies"
	"fwsync/sync/decide"
)

// Counted is what one detection counted of an address, or of the networks around it.
type Counted struct {
	Rule        string    `json:"rule"`
	Prefix      string    `json:"prefix"`
	Count       int       `json:"count"`     // signals while it was tracked
	InWindow    int       `json:"in_window"` // of what the detection counts, now
	Threshold   int       `json:"threshold"` // that applies to it
	Within      string    `json:"within"`
	Missing     int       `json:"missing"`                // so many more now make a detection; 0 once detected
	Members     int       `json:"members,omitempty"`      // of a network, now
	NeedMembers int       `json:"need_members,omitempty"` // likewise, for a detection
	LastSeen    time.Time `json:"last_seen"`
	Detected    time.Time `json:"detected,omitzero"` // when it crossed the threshold
	Withheld    string    `json:"withheld,omitempty"`
	ReportsOnly bool      `json:"reports_only,omitempty"`
	Blocks      bool      `json:"blocks,omitempty"` // a decision follows from it
}

// counted tells from the windows that the last pass left how an address stands by each
// detection, and of each that detected it what becomes of that today.
func (l *Look) counted(ctx context.Context, addr netip.Addr, known []ledger.Decision) ([]Counted, error) {
	all := []Counted{}
	windows, err := l.Ledger.Windows(ctx)
	if err != nil {
		return all, fmt.Errorf("reading the detection windows: %w", err)
	}
	engine, err := l.Reading.Engine(l.Policy)
	if err != nil || len(windows) == 0 {
		return all, err
	}
	if err := engine.UnmarshalBinary(windows); err != nil {
		return all, err
	}
	shifted := l.shifted()
	acquit(engine, decide.Closed(known, l.Now()), shifted)
	now, shift := l.Now(), time.Duration(0)
	for _, s := range l.Sources {
		if s.LastLineIsNow { // about: the last line is not kept, the last signal is
			shift = now.Sub(engine.LastTime())
		}
	}
	for _, s := range engine.Standings(addr, now.Add(-shift)) {
		all = append(all, l.standing(s, shift, shifted, known))
	}
	return all, nil
}

func (l *Look) standing(s detect.Standing, shift time.Duration, shifted map[string]bool, known []ledger.Decision) Counted {
	c := Counted{
		Rule: s.Rule, Prefix: s.Prefix.String(), Count: s.Count, InWindow: s.InWindow, Threshold: s.Threshold, Within: policies.FormatDuration(s.Within),
		Members: s.InMembers, NeedMembers: s.NeedMembers, LastSeen: s.LastSeen, Detected: s.CrossedAt,
	}
	c.ReportsOnly = !slices.ContainsFunc(l.Policy.Detections, func(d policies.Detection) bool { return d.Name == s.Rule && d.Block != nil })
	if s.CrossedAt.IsZero() {
		c.Missing = max(s.Threshold-s.InWindow, s.NeedMembers-s.InMembers, 1)
		return c
	}
	f := decide.Found{Detection: s.Detection}
	if len(s.Evidence) > 0 {
		f.Source = s.Evidence[len(s.Evidence)-1].Source
	}
	if shifted[f.Source] {
		f.Shift = shift
	}
	verdict := decide.Decide(decide.Input{Found: []decide.Found{f}, Rules: l.Policy.Detections, Known: known, Exempt: l.exempt(known), Now: l.Now()})
	for _, w := range verdict.Withheld {
		c.Withheld = w.Reason
	}
	c.Blocks = len(verdict.Decisions) > 0
	return c
}

// why is the sentence for an address that no decision blocks.
func (e *Explanation) why() string {
	own, reports := cloudfw.HostPrefix(e.Address).String(), ""
	var nearest *Counted
	for i := range e.Counted {
		c := &e.Counted[i]
		switch {
		case c.Blocks:
			return fmt.Sprintf("not blocked yet: %s detected %s: run fwsync reconcile", c.Rule, c.Prefix)
		case c.Withheld != "" && c.ReportsOnly:
			reports = fmt.Sprintf("not blocked: %s detected %s and only reports", c.Rule, c.Prefix)
			if c.Prefix != own {
				reports = fmt.Sprintf("not blocked: nothing is known against it by itself; %s detected %s and only reports", c.Rule, c.Prefix)
			}
		case c.Withheld != "":
			return fmt.Sprintf("not blocked: %s detected %s, which is withheld: %s", c.Rule, c.Prefix, c.Withheld)
		case c.Prefix == own && (nearest == nil || c.InWindow*nearest.Threshold > nearest.InWindow*c.Threshold):
			nearest = c
		}
	}
	switch {
	case len(e.Decisions) > 0:
		return "not blocked: its decisions have ended"
	case nearest != nil && nearest.InWindow > 0:
		return fmt.Sprintf("not blocked: %s counts %d of %d within %s", nearest.Rule, nearest.InWindow, nearest.Threshold, nearest.Within)
	case reports != "":
		return reports
	case nearest != nil:
		return fmt.Sprintf("not blocked: its last signal was at %s, none of its windows holds one now", nearest.LastSeen.UTC().Format(time.RFC3339))
	default:
		return "not blocked: nothing is known against it"
	}
}
